"""Every word that a refused or failed request is answered with: its status, who has to act, and what it means.

One table for the status line, the metric label, the log field and ``docs/errors.md``. Words that begin with CMGService
come from the gateway, those with CMGConnector from the connection point, as in Configuration Manager.
"""

from typing import NamedTuple

from causeway.errors import Cause, CausewayError


class Refusal(NamedTuple):
    """How one kind of refusal is answered."""

    status: int
    cause: Cause
    meaning: str


REFUSALS: dict[str, Refusal] = {
    "CMGService_BadRequest": Refusal(400, Cause.CLIENT, "The request has no single reading."),
    "CMGService_Invalid_Token": Refusal(401, Cause.CLIENT, "The token is not valid."),
    "CMGService_TokenExpired": Refusal(401, Cause.CLIENT, "The token has expired."),
    "CMGService_TokenNotYetValid": Refusal(401, Cause.CLIENT, "The token is not valid yet."),
    "CMGService_TenantNotOnboarded": Refusal(
        401, Cause.CLIENT, "The token's tenant is not one of those that may come."
    ),
    "CMGService_TokenRequired": Refusal(401, Cause.CLIENT, "This endpoint needs a token, and none was sent."),
    "CMGService_TokenInsufficient": Refusal(
        403, Cause.CLIENT, "The token is genuine, but does not say what is asked for."
    ),
    "CMGService_TokenNotAccepted": Refusal(
        403, Cause.CLIENT, "The token is good, but this endpoint does not take tokens of its kind."
    ),
    "CMGService_TokenBlocked": Refusal(403, Cause.CLIENT, "The token is blocked."),
    "CMGService_DeviceBlocked": Refusal(403, Cause.CLIENT, "The device is blocked."),
    "CMGService_TenantBlocked": Refusal(403, Cause.CLIENT, "The tenant is blocked."),
    "CMGService_ClientCertificateBlocked": Refusal(403, Cause.CLIENT, "The client's certificate is blocked."),
    "CMGService_ClientCertificateUntrusted": Refusal(
        403, Cause.CLIENT, "The client's certificate does not lead to a trusted root."
    ),
    "CMGService_ClientCertificateInvalid": Refusal(
        403, Cause.CLIENT, "The client's certificate has no single reading."
    ),
    "CMGService_ClientCertificateExpired": Refusal(
        403, Cause.CLIENT, "The client's certificate, or one above it, is not valid at this time."
    ),
    "CMGService_ClientCertificateWeak": Refusal(
        403, Cause.CLIENT, "The client's certificate, or one above it, has a key or a signature that is too weak."
    ),
    "CMGService_ClientCertificateUsage": Refusal(403, Cause.CLIENT, "The client's certificate is not for clients."),
    "CMGService_ClientCertificateRevoked": Refusal(
        403, Cause.CLIENT, "The client's certificate, or one above it, was revoked."
    ),
    "CMGService_ClientCertificateRevocationUnknown": Refusal(
        403, Cause.SITE, "Nobody can tell whether the client's certificate was revoked."
    ),
    "CMGConnector_ClientCertificateRequired": Refusal(
        403, Cause.CLIENT, "This endpoint needs a client certificate, and none was presented."
    ),
    "CMGService_NotPublished": Refusal(404, Cause.CLIENT, "Nothing is published under this path."),
    "CMGConnector_NotPublished": Refusal(
        404, Cause.CONNECTION_POINT, "The connection point has other gateway settings than the gateway."
    ),
    "CMGService_MethodNotAllowed": Refusal(405, Cause.CLIENT, "The published endpoint does not take this method."),
    "CMGService_RequestTimeout": Refusal(408, Cause.CLIENT, "The request did not come to its end in time."),
    "CMGService_BodyTooLarge": Refusal(413, Cause.CLIENT, "The body is larger than the published endpoint takes."),
    "CMGService_TooManyRequests": Refusal(
        429, Cause.CLIENT, "This address has as many requests under way as it may have."
    ),
    "CMGService_TooManyFailures": Refusal(
        429, Cause.CLIENT, "This address has sent too many tokens that are not valid."
    ),
    "CMGService_ExpectationFailed": Refusal(417, Cause.CLIENT, "The Expect header is not 100-continue."),
    "CMGService_HeadTooLarge": Refusal(431, Cause.CLIENT, "The request's head is too large."),
    "CMGService_ConnectionPointLost": Refusal(
        502, Cause.CONNECTION_POINT, "The tunnel broke while the request was under way."
    ),
    "CMGConnector_SiteSystemUnreachable": Refusal(
        502, Cause.SITE_SYSTEM, "The connection point cannot reach the site system."
    ),
    "CMGConnector_SiteSystemCertificate": Refusal(
        502,
        Cause.SITE_SYSTEM,
        "The site system's certificate could not be verified, or it refused the connection point's.",
    ),
    "CMGConnector_SiteSystemClosed": Refusal(
        502, Cause.SITE_SYSTEM, "The site system closed the connection before its answer was complete."
    ),
    "CMGConnector_BadSiteSystemAnswer": Refusal(502, Cause.SITE_SYSTEM, "The site system's answer is not valid HTTP."),
    "CMGConnector_BadRequest": Refusal(502, Cause.GATEWAY, "The connection point refused what the gateway passed on."),
    "CMGService_NoConnectionPoint": Refusal(503, Cause.CONNECTION_POINT, "No connection point is connected."),
    "CMGService_TenantKeysUnavailable": Refusal(
        503, Cause.GATEWAY, "The keys that verify the token cannot be had just now."
    ),
    "CMGService_NoSettings": Refusal(503, Cause.SITE, "The gateway has not received its settings yet."),
    "CMGService_Busy": Refusal(503, Cause.GATEWAY, "The gateway verifies as many new tokens as it may."),
    "CMGConnector_IdentityNotSigned": Refusal(
        503, Cause.CONNECTION_POINT, "The connection point cannot sign who the client is, as this endpoint demands."
    ),
    "CMGConnector_Busy": Refusal(503, Cause.CONNECTION_POINT, "The connection point serves as much as it may."),
    "CMGConnector_SiteSystemTimeout": Refusal(
        504, Cause.SITE_SYSTEM, "The site system did not begin to answer in time."
    ),
}

CLIENT_GONE = "ClientGone"
"""The word of a RESET frame when the client went away: nobody is left to be answered."""


class Refused(CausewayError):
    """A request that is answered with a refusal of the table."""

    cause = Cause.CLIENT

    def __init__(self, word: str, details: str = "") -> None:
        super().__init__(details or REFUSALS[word].meaning)
        self.refused_word = word
