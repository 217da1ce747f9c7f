"""Why a revocation list did not come."""

from causeway.errors import Cause, CausewayError


class RevocationListUnreachable(CausewayError):
    """A revocation list that could not be read or fetched; what was known before stays until it ends."""

    cause = Cause.SITE
    word = "RevocationListUnreachable"


class OcspResponderUnreachable(CausewayError):
    """A responder that did not answer, or not in its protocol."""

    cause = Cause.SITE
    word = "OcspResponderUnreachable"
