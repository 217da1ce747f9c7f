"""Header fields: their grammar, and which of them a client or a site system may not pass through."""

import re
from typing import Final

_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"

# No obs-fold, no bare CR or LF, no NUL or other control but tab, no space before the colon (RFC 9112, 5 and 2.2).
HEADER_BLOCK: Final = re.compile(rb"(?:" + _TOKEN + rb":[\t\x20-\x7e\x80-\xff]*\r\n)*")
METHOD: Final = re.compile(_TOKEN)
HOST: Final = re.compile(rb"(?:[A-Za-z0-9._\-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
"""A ``Host`` header: name or address, and port."""

MAX_HEADERS: Final = 100

IDEMPOTENT_METHODS: Final = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PROPFIND", b"PUT", b"DELETE", b"TRACE"))
"""Methods whose request may be sent once more when nobody knows whether it arrived (RFC 9110, 9.2.2; RFC 4918)."""

HOP_BY_HOP: Final = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
    )
)
"""What belongs to one connection and never passes (RFC 9110, 7.6.1)."""

IDENTITY: Final = frozenset(
    (
        b"forwarded",
        b"client-cert",
        b"client-cert-chain",
        b"x-arr-clientcert",
        b"x-forwarded",
        b"x-original-host",
        b"x-original-url",
        b"x-real-ip",
        b"x-remote-user",
        b"x-request-id",
        b"x-rewrite-url",
        b"remote-user",
        b"true-client-ip",
        b"cf-connecting-ip",
        b"x-client-cert",
        b"x-client-dn",
        b"x-client-ip",
        b"x-client-subject",
        b"x-client-verify",
    )
)
IDENTITY_PREFIXES: Final[tuple[bytes, ...]] = (
    b"x-forwarded-",
    b"x-causeway-",
    b"x-ssl-",
    b"ssl-client-",
    b"x-envoy-",
    b"x-amzn-mtls-",
)
"""Names by which servers behind a gateway learn who the client is. They are the gateway's to set, never a client's."""


# What most messages consist of, in the two spellings that are sent. A name that stands here needs no second look.
_COMMON: Final = (
    b"Accept Accept-Charset Accept-Encoding Accept-Language Accept-Ranges Age Allow Cache-Control Content-Disposition"
    b" Content-Encoding Content-Language Content-Range Content-Type Date DNT ETag Expires If-Match If-Modified-Since"
    b" If-None-Match If-Range If-Unmodified-Since Last-Modified Pragma Range Retry-After Server SOAPAction"
    b" Strict-Transport-Security User-Agent Vary Via X-AspNet-Version X-Content-Type-Options X-Powered-By"
)
PLAIN: Final = frozenset(_COMMON.split() + _COMMON.lower().split())
"""Names, as sent, of headers that pass as they are and hold no secret."""

_FRAMING: Final = HOP_BY_HOP | frozenset((b"content-length", b"host", b"expect"))


def is_identity_header(name: bytes) -> bool:
    """Whether ``name`` (lower case) is one that only the gateway may set.

    An underscore counts as a dash: CGI and WSGI servers read ``X_Forwarded_For`` as ``X-Forwarded-For``, and
    ``Content_Length`` as a length.
    """
    if b"_" in name:
        name = name.replace(b"_", b"-")
        if name in _FRAMING:
            return True
    return name in IDENTITY or name.startswith(IDENTITY_PREFIXES)


def connection_options(value: bytes) -> list[bytes]:
    """The options of a ``Connection`` header, in lower case."""
    return [option.strip(b" \t").lower() for option in value.split(b",")]
