"""``[gateway]`` and what is published beside the site's own management point."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from causeway.configuration import ConfigPath, section, setting
from causeway.gateway_settings import Authentication
from causeway.gateway_settings.document import (
    Accepted,
    EndpointName,
    ExternalPath,
    Method,
    UpgradeToken,
)
from causeway.gateway_settings.values import Fingerprint, UpstreamUrl

MIB = 1024 * 1024

RoleId = Annotated[int, Field(ge=1, le=2**63 - 1)]
_NAME = "[!#$%&'*+.^_`|~0-9A-Za-z-]"
TokenHeaderLine = Annotated[str, Field(pattern=f"^{_NAME}{{1,64}}(?:: {_NAME}{{1,32}})?$")]
VirtualDirectory = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.$-]{1,64}$")]


class ServerAuthEndpoint(StrEnum):
    """What can be published for clients without a certificate, under ``/CCM_Proxy_ServerAuth/<role_id>``."""

    SMS_AUT = "sms_aut"
    TOKENS = "tokens"
    SMS_POL = "sms_pol"
    CCM_SYSTEM_ALTAUTH = "ccm_system_altauth"


@section
class GatewayConfig:
    """What goes into the gateway settings."""

    service_name: str = setting("DNS name of the gateway, as devices use it.", example="gateway.example.com")
    settings_key: ConfigPath = setting(
        "Private key (Ed25519, PEM) that signs the gateway settings; gateways pin its public half.",
        example="settings.key",
    )
    upstream: UpstreamUrl = setting(
        "URL by which connection points reach this site's server.", example="https://mp1.corp.example"
    )
    server_auth: tuple[ServerAuthEndpoint, ...] = setting(
        'What clients without a certificate reach: "sms_aut" (locations and keys, anonymous by nature), "tokens" (the '
        'token service, and all that a token opens), "sms_pol" (policy bodies), "ccm_system_altauth" (messages).',
        default=(ServerAuthEndpoint.SMS_AUT, ServerAuthEndpoint.TOKENS),
    )
    token_headers: tuple[TokenHeaderLine, ...] = setting(
        'The headers in which a token may come, several at once: a name, or "name: scheme". How the clients of '
        "Configuration Manager send theirs is not public; the default is an assumption.",
        default=("Authorization: Bearer", "Authorization: CCM", "CCMToken"),
    )
    trusted_roots: tuple[ConfigPath, ...] = setting(
        "Files (PEM or DER) of the roots and intermediates whose client certificates gateways accept: whole chains.",
        example=["authority.pem"],
    )
    blocked_certificates: tuple[Fingerprint, ...] = setting(
        "SHA-256 of client certificates to refuse, 64 hexadecimal digits each; more can be blocked from the command "
        "line without a change here.",
        default=(),
    )


@section
class ApplicationConfig:
    """A published application."""

    name: EndpointName = setting("Unique; the label of metrics and logs.", example="apt")
    path: ExternalPath = setting("The external path, at the gateway.", example="/repository")
    upstream: UpstreamUrl = setting(
        "The URL it leads to, as connection points reach it.", example="https://apt.corp.example/debian"
    )
    authentication: Accepted = setting(
        'What clients must show one of: "certificate", "token" (which the site issues to a registered device), "entra" '
        '(a token of an onboarded tenant), or "none".',
        default=(Authentication.CERTIFICATE,),
    )
    methods: tuple[Method, ...] = setting("The methods that pass.", default=("GET", "HEAD"))
    max_body_bytes: Annotated[int, Field(ge=0)] = setting("The largest request body, in bytes.", default=MIB)
    connection_bound: bool = setting(
        "One client keeps one connection to the server, for Negotiate and NTLM.", default=False
    )
    upgrades: tuple[UpgradeToken, ...] = setting(
        'Changes of protocol that pass, such as "websocket", in lower case.', default=()
    )
    forward_token: bool = setting(
        "The token by which a device was admitted passes on to the server, which could then be the device.",
        default=False,
    )
    sign_identity: bool = setting(
        "The server is told who the device is in a token that the connection point signs, too: X-Causeway-Identity.",
        default=False,
    )
    response_timeout_s: Annotated[float, Field(gt=0)] = setting(
        "How long the server may take to begin its answer, in seconds.", default=120.0
    )


@section
class ExistingManagementPoint:
    """A management point of Microsoft Configuration Manager."""

    role_id: RoleId = setting("Its role's number, as clients know it.", example=72057594037927938)
    url: UpstreamUrl = setting("Its URL as connection points reach it.", example="https://mp2.corp.example")
    mutual_auth: tuple[VirtualDirectory, ...] = setting(
        "Its virtual directories for clients with a certificate.",
        default=("ccm_system", "ccm_system_windowsauth", "sms_mp", "ccm_incoming", "ccm_client", "bgb"),
    )
    server_auth: tuple[VirtualDirectory, ...] = setting(
        "Its virtual directories for clients without one; they must check a token themselves.", default=()
    )


@section
class ExistingUpdatePoint:
    """A software update point: a WSUS server."""

    role_id: RoleId = setting("Its role's number, as clients know it.", example=72057594037927939)
    url: UpstreamUrl = setting("Its URL as connection points reach it.", example="https://sup1.corp.example:8531")
