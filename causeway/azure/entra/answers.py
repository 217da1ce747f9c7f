"""What is used of Graph's objects, under our names. What else they hold is kept only where it must be sent back.

Source: Microsoft Graph v1.0, resource types ``application``, ``servicePrincipal``, ``oAuth2PermissionGrant``,
``appRoleAssignment``, ``directoryRole``, ``organization``.
"""

import datetime as dt
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

T = TypeVar("T")


def _utc(value: dt.datetime) -> dt.datetime:
    return value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)


def _or_empty(value: Any) -> Any:
    """A collection that Graph leaves out or answers as ``null`` is empty."""
    return () if value is None else value


_GUID = r"^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
Guid = Annotated[str, Field(pattern=_GUID), AfterValidator(str.lower)]
Text = Annotated[str, Field(max_length=4000)]
Time = Annotated[dt.datetime, AfterValidator(_utc)]
Several = Annotated[tuple[T, ...], BeforeValidator(_or_empty), Field(max_length=10_000)]


class _Object(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class _Whole(_Object):
    """An object of a collection that can only be sent as a whole: everything in it goes back as it came."""

    model_config = ConfigDict(extra="allow")

    def sent(self) -> dict[str, Any]:
        """As Graph takes it."""
        return self.model_dump(mode="json", by_alias=True)


class Scope(_Whole):
    """A delegated permission that an application exposes."""

    id: Guid
    value: Text | None = None
    is_enabled: bool = True


class Api(_Object):
    """What an application exposes."""

    oauth2_permission_scopes: Several[Scope] = Field(default=(), alias="oauth2PermissionScopes")


class ImplicitGrant(_Object):
    """Tokens that come without a code."""

    enable_id_token_issuance: bool | None = None


class Web(_Object):
    """The platform of web programs."""

    redirect_uris: Several[Text] = ()
    implicit_grant_settings: ImplicitGrant | None = None


class PublicClient(_Object):
    """The platform of programs on devices."""

    redirect_uris: Several[Text] = ()


class ResourceAccess(_Whole):
    """A permission that an application asks for; ``type`` is ``Scope`` or ``Role``."""

    id: Guid
    type: Text


class RequiredAccess(_Whole):
    """What an application asks for of another."""

    resource_app_id: Guid
    resource_access: Several[ResourceAccess] = ()


class Secret(_Object):
    """A password or a certificate of an application, without what is secret of it."""

    key_id: Guid
    display_name: Text | None = None
    end_date_time: Time | None = None
    hint: Text | None = None


class NewSecret(Secret):
    """A password, the one time that Graph tells it."""

    secret_text: Annotated[str, Field(min_length=1, max_length=1000, repr=False)]


class Registration(_Object):
    """An application registration (``application``)."""

    id: Guid
    app_id: Guid
    unique_name: Text | None = None
    display_name: Text | None = None
    created_date_time: Time | None = None
    sign_in_audience: Text | None = None
    identifier_uris: Several[Text] = ()
    is_fallback_public_client: bool | None = None
    api: Api | None = None
    web: Web | None = None
    public_client: PublicClient | None = None
    required_resource_access: Several[RequiredAccess] = ()
    password_credentials: Several[Secret] = ()
    key_credentials: Several[Secret] = ()

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """What it exposes."""
        return self.api.oauth2_permission_scopes if self.api else ()


class AppRole(_Object):
    """An application permission that a service principal exposes."""

    id: Guid
    value: Text | None = None


class Principal(_Object):
    """A service principal: an application as it stands in this tenant."""

    id: Guid
    app_id: Guid
    display_name: Text | None = None
    account_enabled: bool | None = None
    app_roles: Several[AppRole] = ()


class Grant(_Object):
    """Consent to delegated permissions: for everybody (``AllPrincipals``) or for one user."""

    id: Text
    client_id: Guid
    consent_type: Text
    resource_id: Guid
    scope: Text | None = None


class Assignment(_Object):
    """Consent to one application permission."""

    app_role_id: Guid
    principal_id: Guid
    resource_id: Guid


class Role(_Object):
    """An active directory role."""

    role_template_id: Guid | None = None
    display_name: Text | None = None


class Owner(_Object):
    """A user or a service principal that owns an application."""

    id: Guid
    display_name: Text | None = None


class Eligibility(_Object):
    """A directory role that can be activated in Privileged Identity Management."""

    role_definition_id: Guid


class Domain(_Object):
    """A domain of a tenant."""

    name: Text
    is_initial: bool | None = None


class Organization(_Object):
    """The tenant."""

    id: Guid
    display_name: Text | None = None
    verified_domains: Several[Domain] = ()
