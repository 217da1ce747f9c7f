"""What passes to the virtual directories of a management point and of a software update point.

Methods are those that the directory's protocol uses; the limits on bodies are Causeway's own, since none are published.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from causeway.gateway_settings import Authentication, Endpoint

MUTUAL_AUTH = "/CCM_Proxy_MutualAuth"
SERVER_AUTH = "/CCM_Proxy_ServerAuth"

_KIB = 1024
_MIB = 1024 * _KIB
_READ = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class VirtualDirectory:
    """How one virtual directory is published."""

    methods: tuple[str, ...]
    max_body_bytes: int
    connection_bound: bool = False
    response_timeout_s: float = 120.0


_MESSAGES = VirtualDirectory((*_READ, "POST", "CCM_POST"), 32 * _MIB)
_PLAIN = VirtualDirectory((*_READ, "POST"), _MIB)

# Names in lower case. Negotiate and NTLM prove the connection and not the request, so they need one to themselves.
_KNOWN = {
    "ccm_system": _MESSAGES,
    "ccm_system_altauth": _MESSAGES,
    "ccm_system_tokenauth": _MESSAGES,
    "ccm_system_windowsauth": VirtualDirectory(_MESSAGES.methods, _MESSAGES.max_body_bytes, connection_bound=True),
    "sms_mp": VirtualDirectory((*_READ, "PROPFIND"), 0),
    "sms_mp_altauth": VirtualDirectory(_READ, 0),
    "sms_mp_tokenauth": VirtualDirectory(_READ, 0),
    "sms_mp_windowsauth": VirtualDirectory(_READ, 0, connection_bound=True),
    "ccm_client": VirtualDirectory((*_READ, "PROPFIND"), 0),
    "ccm_incoming": VirtualDirectory((*_READ, "BITS_POST"), 64 * _MIB),
    "ccm_sts": VirtualDirectory((*_READ, "POST", "CCM_POST"), _MIB),
    "bgb": VirtualDirectory((*_READ, "POST"), _MIB, response_timeout_s=900.0),
    "cmuserservice": _PLAIN,
    "cmuserservice_windowsauth": VirtualDirectory(_PLAIN.methods, _PLAIN.max_body_bytes, connection_bound=True),
    "clientwebservice": VirtualDirectory((*_READ, "POST"), 4 * _MIB),
    "simpleauthwebservice": _PLAIN,
    "reportingwebservice": VirtualDirectory((*_READ, "POST"), 16 * _MIB),
    "content": VirtualDirectory(_READ, 0),
    "selfupdate": VirtualDirectory(_READ, 0),
}

UPDATE_POINT_DIRECTORIES = ("ClientWebService", "SimpleAuthWebService", "ReportingWebService", "Content", "SelfUpdate")


def publish(
    role: str,
    role_id: int,
    directory: str,
    url: str,
    *,
    authentication: tuple[Authentication, ...] = (Authentication.CERTIFICATE,),
    external: str | None = None,
    max_body_bytes: int | None = None,
    forward_token: bool = False,
) -> Endpoint:
    """The endpoint of a role's virtual directory.

    Args:
        role: ``mp`` or ``sup``; with the role's number, the beginning of the endpoint's name.
        role_id: the role's number, in the external path.
        directory: the path below ``url``, such as ``ccm_system`` or ``SMS_MP/.sms_aut``.
        url: the site system.
        authentication: which prefix it appears under, and what its clients must show one of.
        external: the external path where it is another than ``directory``.
        max_body_bytes: the largest request body, where the directory's usual one does not fit.
        forward_token: whether the role gets the token, to verify it itself.
    """
    name = external or directory
    how = _KNOWN.get(directory.split("/", maxsplit=1)[0].lower(), _PLAIN)
    by_certificate = Authentication.CERTIFICATE in authentication
    return Endpoint(
        name=f"{role}-{role_id}/{name}" if by_certificate else f"{role}-{role_id}/server-auth/{name}",
        path=f"{MUTUAL_AUTH if by_certificate else SERVER_AUTH}/{role_id}/{name}",
        upstream=f"{url.rstrip('/')}/{directory}",
        authentication=authentication,
        methods=how.methods,
        max_body_bytes=how.max_body_bytes if max_body_bytes is None else max_body_bytes,
        connection_bound=how.connection_bound,
        response_timeout_s=how.response_timeout_s,
        forward_token=forward_token,
    )


def is_reserved(path: str) -> bool:
    """Whether an external path belongs to the protocol and so cannot be a published application's."""
    first = urlsplit(path).path.lower().split("/")[1]
    return first in {MUTUAL_AUTH.lower()[1:], SERVER_AUTH.lower()[1:]}
