"""The Entra ID tenants whose tokens are believed, as the gateway settings say them."""

import re
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from causeway.clouds import CLOUDS, CloudName
from causeway.configuration import section, setting
from causeway.gateway_settings.values import Certificates


class TokenVersion(StrEnum):
    """The two versions of Entra ID's access tokens, as in their claim ``ver``."""

    V1 = "1.0"
    V2 = "2.0"


class TokenUser(StrEnum):
    """For whom a token was issued."""

    DEVICE = "device"
    USER = "user"


def _authority(url: str) -> str:
    parts = urlsplit(url)
    if (
        parts.scheme != "https"
        or not parts.hostname
        or parts.username is not None
        or parts.path not in ("", "/")
        or parts.query
        or parts.fragment
        or not re.fullmatch(r"[\x21-\x7e]+", url)
    ):
        raise ValueError("expected https://host or https://host:port")
    parts.port  # noqa: B018  # raises a ValueError of its own for a port out of range
    return url.rstrip("/")


Guid = Annotated[
    str,
    Field(pattern=r"^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"),
    AfterValidator(str.lower),
]
AuthorityUrl = Annotated[str, AfterValidator(_authority)]
ClaimName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/-]{1,100}$")]
ClaimValue = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,300}$")]

# Names of people, which change hands and are chosen by their owners: Microsoft's claims reference says never to
# authorise on them.
NAMES_OF_PEOPLE = frozenset(("upn", "unique_name", "preferred_username", "name", "email", "given_name", "family_name"))


@section
class TenantTerms:
    """What an onboarded tenant's tokens must say to be believed, and who they then say is calling."""

    tenant_id: Guid = setting("the tenant's id", example="00000000-0000-0000-0000-000000000000")
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._ -]{0,60}$")] = setting(
        "what logs and metrics call it; where empty, its id", default=""
    )
    enabled: bool = setting("false: its tokens are refused, for a tenant that only hosts the gateway", default=True)
    cloud: CloudName = setting("the cloud that it is in: global or us-government", default=CloudName.GLOBAL)
    versions: Annotated[tuple[TokenVersion, ...], Field(min_length=1)] = setting(
        'the versions of tokens that are taken: "1.0", "2.0"', default=(TokenVersion.V1, TokenVersion.V2)
    )
    audiences: Annotated[tuple[ClaimValue, ...], Field(min_length=1, max_length=20)] = setting(
        "the server application's App ID URIs and application id; a token's aud is one of these, exactly",
        example=["api://00000000-0000-0000-0000-000000000000/causeway"],
    )
    client_app_ids: Annotated[tuple[Guid, ...], Field(min_length=1, max_length=20)] = setting(
        "the applications that devices get their tokens with; a token's appid or azp is one of these",
        example=["00000000-0000-0000-0000-000000000000"],
    )
    accept: Annotated[tuple[TokenUser, ...], Field(min_length=1)] = setting(
        'for whom tokens may be: "device", "user"', default=(TokenUser.DEVICE, TokenUser.USER)
    )
    scopes: tuple[ClaimValue, ...] = setting("a user's token has one of these in scp", default=("user_impersonation",))
    roles: tuple[ClaimValue, ...] = setting(
        "a device's token has one of these in roles; empty: none is asked for", default=()
    )
    device_claim: ClaimName = setting("the claim that identifies the device", default="deviceid")
    client_app_id: Guid | None = setting(
        "the application that installers are told of; where missing, the first of client_app_ids",
        default=None,
        example="00000000-0000-0000-0000-000000000000",
    )
    resource_uri: ClaimValue | None = setting(
        "the resource that installers are told of; where missing, the first of audiences",
        default=None,
        example="api://00000000-0000-0000-0000-000000000000/causeway",
    )
    authority: AuthorityUrl | None = setting(
        "for a laboratory alone: who issues the tokens in place of the cloud",
        default=None,
        example="https://issuer.lab",
    )

    def __post_init__(self) -> None:
        """Refuse what would believe too much."""
        if TokenUser.USER in self.accept and not self.scopes:
            raise ValueError("users' tokens are accepted, so scopes must name at least one")
        if self.device_claim in NAMES_OF_PEOPLE:
            raise ValueError(f"device_claim is {self.device_claim}, a name that its owner can change")

    @property
    def label(self) -> str:
        """What logs and metrics call it."""
        return self.name or self.tenant_id

    @property
    def issuing_url(self) -> str:
        """``https://host`` of who issues its tokens."""
        return self.authority or f"https://{CLOUDS[self.cloud].authority}"

    @property
    def told_client_app_id(self) -> str:
        """The client application that installers are told of."""
        return self.client_app_id or self.client_app_ids[0]

    @property
    def told_resource_uri(self) -> str:
        """The resource that installers are told of."""
        return self.resource_uri or self.audiences[0]


@section
class EntraTenant(TenantTerms):
    """One onboarded tenant."""

    authority_certificates: Certificates | None = setting(
        "what the TLS certificate of authority leads to, PEM; where missing, the system's authorities", default=None
    )
