"""The document itself: which external URLs exist, who may call them, and where they lead."""

import re
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from cryptography import x509
from pydantic import AfterValidator, Field

from causeway.configuration import section, setting

FORMAT = 1
MAX_DOCUMENT_BYTES = 4 * 1024 * 1024

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class Authentication(StrEnum):
    """What a client must show to reach an endpoint."""

    CERTIFICATE = "certificate"
    NONE = "none"


def _external_path(path: str) -> str:
    if not re.fullmatch(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%{}-]+)+", path) or set(path.split("/")) & {".", ".."}:
        raise ValueError(
            "expected an absolute path without a trailing slash, dot segments or a query, such as /repository"
        )
    return path


def _upstream_url(url: str) -> str:
    parts = urlsplit(url)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.username is not None
        or parts.query
        or parts.fragment
        or not re.fullmatch(r"[\x21-\x7e]+", url)
    ):
        raise ValueError("expected a URL such as https://server.example/path, without user, query or fragment")
    parts.port  # noqa: B018  # raises a ValueError of its own for a port out of range
    return url


def _certificates(pem: str) -> str:
    try:
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise ValueError("expected certificates in PEM form") from error
    return pem


def _method(method: str) -> str:
    if not TOKEN.fullmatch(method) or len(method) > 32:
        raise ValueError("expected an HTTP method such as GET or CCM_POST")
    return method


ExternalPath = Annotated[str, AfterValidator(_external_path)]
UpstreamUrl = Annotated[str, AfterValidator(_upstream_url)]
Method = Annotated[str, AfterValidator(_method)]
UpgradeToken = Annotated[str, Field(pattern=r"^[a-z0-9!#$%&'*+.^_`|~/-]{1,64}$")]
EndpointName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._$/-]{0,99}$")]
Certificates = Annotated[str, AfterValidator(_certificates)]
Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@section
class Endpoint:
    """One published endpoint: an external path prefix and the site system it leads to."""

    name: EndpointName = setting("unique; the label of metrics and logs")
    path: ExternalPath = setting("external prefix, matched by whole segments and without regard to case")
    upstream: UpstreamUrl = setting("the internal URL that replaces the prefix")
    authentication: Authentication = setting("what the client must show")
    methods: tuple[Method, ...] = setting("the methods that pass")
    max_body_bytes: Annotated[int, Field(ge=0)] = setting("the largest request body, in bytes")
    connection_bound: bool = setting(
        "one client keeps one connection to the site system, for Negotiate and NTLM", default=False
    )
    upgrades: tuple[UpgradeToken, ...] = setting(
        "changes of protocol that pass, such as websocket, in lower case", default=()
    )
    response_timeout_s: Annotated[float, Field(gt=0)] = setting(
        "how long the site system may take to begin its answer, in seconds", default=120.0
    )


@section
class GatewaySettings:
    """The versioned document; a gateway never goes back to a lower version."""

    format: Annotated[int, Field(ge=FORMAT, le=FORMAT)] = setting("the layout of the document", default=FORMAT)
    version: Annotated[int, Field(gt=0)] = setting("rises with every change")
    issued_at: str = setting("when the site published it, ISO 8601 UTC")
    site_code: str = setting("the site's three-character code")
    service_name: str = setting("the DNS name that devices use", default="")
    endpoints: tuple[Endpoint, ...] = setting("everything that is published; anything else is 404", default=())
    trusted_roots: tuple[Certificates, ...] = setting("roots and intermediates of client certificates, PEM", default=())
    blocked_certificates: tuple[Fingerprint, ...] = setting(
        "SHA-256 of client certificates that are refused", default=()
    )

    def __post_init__(self) -> None:
        """Refuse two endpoints of one name or of one path: there must be one reading."""
        for what in ("name", "path"):
            values = [getattr(endpoint, what).lower() for endpoint in self.endpoints]
            if len(values) != len(set(values)):
                twice = next(value for value in values if values.count(value) > 1)
                raise ValueError(f"two endpoints have the {what} {twice}")
