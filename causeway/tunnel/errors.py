"""What ends a tunnel."""

from causeway.errors import Cause, CausewayError


class TunnelError(CausewayError):
    """The peer broke the tunnel protocol, or is gone; the tunnel is closed."""

    cause = Cause.CONNECTION_POINT
    word = "TunnelProtocol"


class TunnelRefused(TunnelError):
    """The peer's certificate is good, but not one that may open a tunnel."""

    word = "TunnelRefused"


class TunnelLost(TunnelError):
    """The connection ended without a drain."""

    word = "TunnelLost"
