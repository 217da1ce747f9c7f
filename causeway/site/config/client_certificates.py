"""``[client_certificates]`` and ``[revocation]``: what gateways make of the certificates of clients."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from causeway.configuration import ConfigPath, section, setting
from causeway.gateway_settings.certificates import SignatureHash


class Unknown(StrEnum):
    """What becomes of certificates of which nobody can tell whether they were revoked."""

    REFUSE = "refuse"
    ACCEPT_FOR = "accept-for"


class Ocsp(StrEnum):
    """When responders are asked."""

    WHEN_UNKNOWN = "when-unknown"
    ALWAYS = "always"
    NEVER = "never"


HttpUrl = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9\[][^\s/?#@]*(?:[/?][!-~]*)?$", max_length=2000)]


@section
class ClientCertificatesConfig:
    """What gateways demand of client certificates, beside a trusted root."""

    trust_list: tuple[ConfigPath, ...] = setting(
        "Files (PEM or DER) of authorities, one of which has to be in a client's chain: the certificate trust list. "
        "Empty: any of gateway.trusted_roots will do.",
        default=(),
    )
    min_rsa_bits: Annotated[int, Field(ge=2048, le=16384)] = setting("The smallest RSA key, in bits.", default=2048)
    min_ec_bits: Annotated[int, Field(ge=256, le=521)] = setting(
        "The smallest key of an elliptic curve, in bits.", default=256
    )
    hashes: tuple[SignatureHash, ...] = setting(
        'The hashes that signatures may use: "sha256", "sha384", "sha512".', default=tuple(SignatureHash)
    )


@section
class RevocationConfig:
    """How the site learns which client certificates were revoked. Gateways are told with the gateway settings."""

    check: bool = setting("Whether revocation is looked at. Switched off, a warning is logged.", default=True)
    list_files: tuple[ConfigPath, ...] = setting(
        "Files of revocation lists (PEM or DER), looked at every second.", default=()
    )
    list_urls: tuple[HttpUrl, ...] = setting(
        "URLs of revocation lists, beside the distribution points that certificates name.", default=()
    )
    refresh_s: Annotated[int, Field(ge=1)] = setting(
        "How often lists are asked for anew, in seconds; sooner where the next one is due.", default=900
    )
    unknown: Unknown = setting(
        "What becomes of a certificate of which nobody can tell, since there is no list or it has ended: "
        '"refuse", or "accept-for" the time of accept_hours.',
        default=Unknown.REFUSE,
    )
    accept_hours: Annotated[float, Field(gt=0, le=24 * 366)] = setting(
        'How long "accept-for" accepts, in hours after the list has ended.', default=24.0
    )
    accept_unpublished: bool = setting(
        "Whether certificates are accepted whose authority publishes no list: they name no distribution point and no "
        "responder, and none is set here.",
        default=True,
    )
    ocsp: Ocsp = setting(
        'When the OCSP responder that a certificate names is asked, by this site: "when-unknown" (no list tells), '
        '"always", "never".',
        default=Ocsp.WHEN_UNKNOWN,
    )
    ocsp_url: HttpUrl | None = setting(
        "A responder to ask instead of those that certificates name.", default=None, example="http://ocsp.corp.example"
    )
    ocsp_keep_s: Annotated[int, Field(ge=1, le=86400)] = setting(
        "How long an answer about one certificate is kept, in seconds; never beyond the end that it names.", default=300
    )
    proxy: HttpUrl | None = setting(
        "A web proxy on the way to distribution points and responders.",
        default=None,
        example="http://proxy.corp.example:3128",
    )
    proxy_user: str = setting("Who the site is at the proxy, for Basic authentication; empty for none.", default="")
    proxy_password_file: ConfigPath | None = setting(
        "A file with the proxy's password.", default=None, example="proxy-password"
    )
    timeout_s: Annotated[float, Field(gt=0, le=300)] = setting(
        "How long a distribution point may take for a whole list, in seconds; a responder gets eight at most.",
        default=30.0,
    )
