"""Why the site does not serve a request. The word is the metric's label, the log's field, the documentation's heading.

A message that cannot be read at all is refused with the words of ``causeway.messaging.errors``.
"""

from typing import ClassVar

from causeway.errors import Cause, CausewayError


class Refused(CausewayError):
    """Somebody sent something that is not served.

    ``status`` is the HTTP status, ``reason`` the reason phrase where it is not the word. The error's text goes to the
    log, never to the client.
    """

    cause = Cause.CLIENT
    word = "Site_Refused"
    status: ClassVar[int] = 400
    reason: ClassVar[str | None] = None


class NotAccepted(Refused):
    """A message that could be read and is not accepted: the protocol's answer to that is an empty one, with 200.

    ``status`` is for the same refusal of something that is not a message, such as a policy's body.
    """

    word = "MP_NotAccepted"
    status = 403


class DatabaseUnavailable(Refused):
    """The database cannot be used just now: unreachable, busy for too long, or its disk is full. The client retries."""

    cause = Cause.SITE
    word = "Site_DatabaseUnavailable"
    status = 503


class Busy(Refused):
    """As much as may be held in memory is held already. The client retries."""

    cause = Cause.SITE
    word = "Site_Busy"
    status = 503


class ClientCertificateRequired(Refused):
    """The URL wants a TLS client certificate, or one that a connection point vouches for."""

    word = "MP_ClientCertificateRequired"
    status = 403
    reason = "Client certificate required"


class CertificateBlocked(Refused):
    """A certificate that the operator has blocked."""

    word = "MP_CertificateBlocked"
    status = 403


class ConnectionPointRequired(Refused):
    """Only a connection point may read the gateway settings."""

    word = "Site_ConnectionPointRequired"
    status = 403


class EndpointUnknown(NotAccepted):
    """A message for an endpoint that this management point does not have."""

    word = "MP_EndpointUnknown"


class CertificateUnusable(NotAccepted):
    """A certificate in a registration that is not valid now."""

    word = "MP_CertificateUnusable"


class DeviceUnknown(NotAccepted):
    """No device of that id is registered."""

    word = "MP_DeviceUnknown"


class DevicePending(NotAccepted):
    """The device is registered but not approved."""

    word = "MP_DevicePending"


class DeviceBlocked(NotAccepted):
    """The operator has blocked the device."""

    word = "MP_DeviceBlocked"


class TooManyPending(NotAccepted):
    """A newcomer, while as many devices as allowed already wait for approval."""

    word = "MP_TooManyPending"


class IdentityMismatch(NotAccepted):
    """A message whose body speaks for another device than the one that sent it."""

    word = "MP_IdentityMismatch"


class TokenMissing(NotAccepted):
    """A protected policy was asked for without a client token."""

    word = "MP_TokenMissing"


class TokenWrong(NotAccepted):
    """A client token that is malformed, or whose signature does not match."""

    word = "MP_TokenWrong"


class TokenExpired(NotAccepted):
    """A client token from another time than now, beyond the tolerated skew."""

    word = "MP_TokenExpired"


class TokenReplayed(NotAccepted):
    """A client token that was used before, too long ago for a repetition."""

    word = "MP_TokenReplayed"


class SiteTokenRefused(Refused):
    """A site token, or a bulk registration token, that does not open what it was shown for."""

    word = "MP_SiteTokenRefused"
    status = 401


class SiteTokenMissing(SiteTokenRefused):
    """A ``*_TokenAuth`` directory was called without a token."""

    word = "MP_SiteTokenMissing"


class SiteTokenWrong(SiteTokenRefused):
    """Not a token of this site: malformed, of another issuer, or signed by no key that counts."""

    word = "MP_SiteTokenWrong"


class SiteTokenExpired(SiteTokenRefused):
    """A token whose time is over, or has not begun."""

    word = "MP_SiteTokenExpired"


class EntraTokenRefused(SiteTokenRefused):
    """A token of a tenant that is not onboarded, or one that does not say what the tenant's table asks for."""

    word = "MP_EntraTokenRefused"
    status = 403


class EntraKeysUnavailable(SiteTokenRefused):
    """The keys that verify a tenant's tokens cannot be had just now. The client retries."""

    cause = Cause.SITE
    word = "MP_EntraKeysUnavailable"
    status = 503


class SiteTokenNotForThis(SiteTokenRefused):
    """A good token of a kind that does not open this: a bulk registration token registers, and does no more."""

    word = "MP_SiteTokenNotForThis"
    status = 403


class BulkTokenUnknown(SiteTokenRefused):
    """A bulk registration token whose signature holds and that the site does not know: its database is an older one."""

    word = "MP_BulkTokenUnknown"


class BulkTokenBlocked(SiteTokenRefused):
    """A bulk registration token that the operator has blocked."""

    word = "MP_BulkTokenBlocked"


class BulkTokenUsedUp(SiteTokenRefused):
    """As many devices have registered with the bulk registration token as it is for."""

    word = "MP_BulkTokenUsedUp"
    status = 403


class ProofWrong(Refused):
    """A request to the token service that the device's registered key did not sign, or that is for another site."""

    word = "STS_ProofWrong"
    status = 401


class ProofExpired(Refused):
    """A request to the token service of another time than now, beyond the tolerated skew."""

    word = "STS_ProofExpired"
    status = 401


class ProofReplayed(Refused):
    """A request to the token service that came before."""

    word = "STS_ProofReplayed"
    status = 401


class MediaTypeWrong(Refused):
    """A request to the token service that says that it is something else than XML."""

    word = "STS_MediaTypeWrong"
    status = 415


class PolicyUnknown(Refused):
    """No such policy, or not for this device."""

    word = "MP_PolicyUnknown"
    status = 404


class NotFound(Refused):
    """The site has nothing at this URL."""

    word = "Site_NotFound"
    status = 404


class MethodNotAllowed(Refused):
    """The URL exists, for other methods."""

    word = "Site_MethodNotAllowed"
    status = 405


class HandshakeFailed(Refused):
    """A TLS handshake that did not come about: a client certificate of an unknown authority above all."""

    word = "Site_HandshakeFailed"


class RequestMalformed(Refused):
    """Bytes that are not an HTTP request, or have two readings."""

    word = "Site_RequestMalformed"
    status = 400


class RequestTooSlow(Refused):
    """A request that took longer to arrive than is allowed; the connection is closed."""

    word = "Site_RequestTooSlow"
    status = 408


class ParameterWrong(Refused):
    """A query parameter that cannot be read."""

    word = "Site_ParameterWrong"
    status = 400
