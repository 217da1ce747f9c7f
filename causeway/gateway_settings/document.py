"""The document itself: which external URLs exist, who may call them, and where they lead."""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from causeway.configuration import section, setting
from causeway.gateway_settings.certificates import CertificateRulesSection, RevocationSection
from causeway.gateway_settings.entra import EntraTenant
from causeway.gateway_settings.values import Fingerprint, TrustedCertificates, UpstreamUrl

FORMAT = 1
RESERVED = "causeway/"
"""What the names of requests begin with that gateway and site exchange between themselves."""

MAX_DOCUMENT_BYTES = 8 * 1024 * 1024

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class Authentication(StrEnum):
    """What a client must show to reach an endpoint."""

    CERTIFICATE = "certificate"
    TOKEN = "token"  # noqa: S105  # a kind, no password
    """A token that the site issued to a registered device."""
    BULK_TOKEN = "bulk-token"  # noqa: S105
    """A bulk registration token."""
    ENTRA = "entra"
    """An Entra ID token of a device or a user of an onboarded tenant."""
    NONE = "none"


class TokenAlgorithm(StrEnum):
    """What tokens are signed with (RFC 7518, 3.1)."""

    RS256 = "RS256"
    ES256 = "ES256"


def _accepted(accepted: object) -> object:
    """A single kind may stand for itself."""
    kinds = [accepted] if isinstance(accepted, str) else accepted
    if not isinstance(kinds, list | tuple) or not kinds or not all(kind in list(Authentication) for kind in kinds):
        raise ValueError("expected one or several of " + ", ".join(Authentication))
    return tuple(dict.fromkeys(map(Authentication, kinds)))


def _external_path(path: str) -> str:
    if not re.fullmatch(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%{}-]+)+", path) or set(path.split("/")) & {".", ".."}:
        raise ValueError(
            "expected an absolute path without a trailing slash, dot segments or a query, such as /repository"
        )
    return path


def _method(method: str) -> str:
    if not TOKEN.fullmatch(method) or len(method) > 32:
        raise ValueError("expected an HTTP method such as GET or CCM_POST")
    return method


Accepted = Annotated[tuple[Authentication, ...], BeforeValidator(_accepted)]
"""The kinds of authentication of which a client must show one, or a single kind."""
ExternalPath = Annotated[str, AfterValidator(_external_path)]
Method = Annotated[str, AfterValidator(_method)]
UpgradeToken = Annotated[str, Field(pattern=r"^[a-z0-9!#$%&'*+.^_`|~/-]{1,64}$")]
EndpointName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._$/-]{0,99}$")]
KeyId = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,200}$")]
PublicKey = Annotated[str, Field(max_length=4096)]
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$")]
Scheme = Annotated[str, Field(pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]{0,32}$")]
TokenName = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,200}$")]
BlockedId = Annotated[str, Field(min_length=1, max_length=200)]


@section
class Endpoint:
    """One published endpoint: an external path prefix and the site system it leads to."""

    name: EndpointName = setting("unique; the label of metrics and logs")
    path: ExternalPath = setting("external prefix, matched by whole segments and without regard to case")
    upstream: UpstreamUrl = setting("the internal URL that replaces the prefix")
    authentication: Accepted = setting("what the client must show: one of these")
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
    forward_token: bool = setting(
        "the token by which a client was admitted passes on to the site system, which could use it", default=False
    )
    sign_identity: bool = setting(
        "the site system is told who the client is in a token that the connection point signs, too", default=False
    )


@section
class TokenKey:
    """A public key by which tokens are verified. One that is withdrawn is simply absent."""

    kid: KeyId = setting("unique; what a token's kid or x5t says")
    algorithm: TokenAlgorithm = setting("the algorithm of its signatures, whatever a token says")
    public_key: PublicKey = setting("SubjectPublicKeyInfo, PEM")
    valid_from: int = setting("when tokens that it signed begin to count, seconds since 1970", default=0)
    valid_until: int = setting("when they cease to, seconds since 1970", default=2**53)


@section
class TokenHeader:
    """A request header in which a client may send its token."""

    name: HeaderName = setting("such as Authorization, without regard to case")
    scheme: Scheme = setting(
        "the word before the token, such as Bearer; empty where the value is the token", default=""
    )


@section
class SiteTokens:
    """How tokens that the site issues are known."""

    issuer: TokenName = setting("what iss says, such as urn:sccm:oauth2:<hierarchy id>")
    audience: TokenName = setting("what aud says", default="urn:sccm:service")
    keys: tuple[TokenKey, ...] = setting("the keys that sign them; several while they are rotated", default=())

    def __post_init__(self) -> None:
        """Refuse two keys of one id."""
        if len({key.kid for key in self.keys}) != len(self.keys):
            raise ValueError("two token keys have the same kid")


DEFAULT_TOKEN_HEADERS = (
    TokenHeader(name="Authorization", scheme="Bearer"),
    TokenHeader(name="Authorization", scheme="CCM"),
    TokenHeader(name="CCMToken"),
)
"""Where tokens are looked for. How Configuration Manager's clients send theirs is not public; this is an assumption."""


@section
class GatewaySettings:
    """The versioned document; a gateway never goes back to a lower version."""

    format: Annotated[int, Field(ge=FORMAT, le=FORMAT)] = setting("the layout of the document", default=FORMAT)
    version: Annotated[int, Field(gt=0)] = setting("rises with every change")
    issued_at: str = setting("when the site published it, ISO 8601 UTC")
    site_code: str = setting("the site's three-character code")
    service_name: str = setting("the DNS name that devices use", default="")
    endpoints: tuple[Endpoint, ...] = setting("everything that is published; anything else is 404", default=())
    trusted_roots: TrustedCertificates = setting("roots and intermediates of client certificates, PEM", default=())
    blocked_certificates: tuple[Fingerprint, ...] = setting(
        "SHA-256 of client certificates that are refused", default=()
    )
    site_tokens: SiteTokens | None = setting("tokens that the site issues; none are accepted without", default=None)
    token_headers: tuple[TokenHeader, ...] = setting(
        "the headers in which a token may come", default=DEFAULT_TOKEN_HEADERS
    )
    entra_tenants: Annotated[tuple[EntraTenant, ...], Field(max_length=100)] = setting(
        "the Entra ID tenants whose tokens are believed", default=()
    )
    blocked_devices: tuple[BlockedId, ...] = setting("ids of devices that are refused, such as GUID:…", default=())
    blocked_names: tuple[BlockedId, ...] = setting(
        "names of devices that are refused: the subject's common name or a DNS name of the certificate", default=()
    )
    blocked_tokens: tuple[BlockedId, ...] = setting(
        "tokens that are refused: their UniqueId, or the SHA-256 of the whole token", default=()
    )
    blocked_tenants: tuple[BlockedId, ...] = setting("ids of Entra tenants that are refused", default=())
    client_certificates: CertificateRulesSection = setting(
        "what client certificates must be like", factory=CertificateRulesSection
    )
    revocation: RevocationSection = setting("which client certificates are revoked", factory=RevocationSection)

    def __post_init__(self) -> None:
        """Refuse two endpoints of one name or of one path: there must be one reading; and names of our own."""
        if any(endpoint.name.lower().startswith(RESERVED) for endpoint in self.endpoints):
            raise ValueError(f"names of endpoints do not begin with {RESERVED}")
        for what in ("name", "path"):
            values = [getattr(endpoint, what).lower() for endpoint in self.endpoints]
            if len(values) != len(set(values)):
                twice = next(value for value in values if values.count(value) > 1)
                raise ValueError(f"two endpoints have the {what} {twice}")
        tenants = [tenant.tenant_id for tenant in self.entra_tenants]
        if len(tenants) != len(set(tenants)):
            raise ValueError("an Entra tenant is there twice")
