"""What can go wrong for a device, and who has to act."""

from causeway.errors import Cause, CausewayError, OperatorError


class DeviceError(CausewayError):
    """Root of what a device meets on its way to the site."""

    cause = Cause.CLIENT
    word = "Device_Failed"


class UnreachableError(DeviceError):
    """No connection, none in time, or it broke before the answer was complete."""

    cause = Cause.GATEWAY
    word = "Device_Unreachable"


class UntrustedServerError(DeviceError):
    """The server's certificate does not lead to the given authority, or is for another name."""

    cause = Cause.OPERATOR
    word = "Device_UntrustedServer"


class AnswerRefusedError(DeviceError):
    """An answer with another status than 200.

    ``status`` and ``reason`` are of the status line: the reason is the word that says where and why. ``request_id`` is
    the gateway's name for the request in its logs, or empty.
    """

    cause = Cause.GATEWAY
    word = "Device_Refused"

    def __init__(self, status: int, reason: str, request_id: str) -> None:
        known = f" (request {request_id})" if request_id else ""
        super().__init__(f"{status} {reason}{known}")
        self.status = status
        self.reason = reason
        self.request_id = request_id


class AnswerEmptyError(DeviceError):
    """An empty answer where there should be one: the management point did not accept the message, or is not ready."""

    cause = Cause.SITE_SYSTEM
    word = "Device_AnswerEmpty"


class AnswerMalformedError(DeviceError):
    """An answer that is not what the protocol says."""

    cause = Cause.SITE_SYSTEM
    word = "Device_AnswerMalformed"


class TokenMissingError(DeviceError):
    """A device without a certificate has no token that still holds."""

    cause = Cause.OPERATOR
    word = "Device_TokenMissing"


class EntraTokenError(DeviceError):
    """Whoever on the device gets its Entra tokens gave none."""

    cause = Cause.OPERATOR
    word = "Device_EntraToken"


class RegistrationRejectedError(DeviceError):
    """The site does not take this device: it is blocked, or its certificate is not trusted."""

    cause = Cause.SITE
    word = "Device_RegistrationRejected"


class PolicyIncompleteError(DeviceError):
    """Some policy bodies could not be received or verified. Those that could are kept; the rest is asked for again."""

    cause = Cause.SITE_SYSTEM
    word = "Device_PolicyIncomplete"


class NotRegisteredError(OperatorError):
    """Something that only a registered device can do."""

    word = "Device_NotRegistered"


class PendingApprovalError(DeviceError):
    """The site knows the device and an administrator has not approved it yet."""

    cause = Cause.OPERATOR
    word = "Device_PendingApproval"
