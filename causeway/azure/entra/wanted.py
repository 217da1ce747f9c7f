"""Application registrations as they are, against what the plan asks for; and what must be sent to Graph. Pure.

Nothing that is there is taken away: what is missing is added, and what others set stays.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from causeway.azure.entra.answers import Registration, RequiredAccess, ResourceAccess
from causeway.plan.applications import Application, ApplicationRole, applications
from causeway.plan.document import Plan

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
"""Microsoft Graph, the same in every tenant."""
SINGLE_TENANT = "AzureADMyOrg"
CLIENT_ID = "{client_id}"
_NAMESPACE = uuid.UUID("6f0d3f5e-7a55-4d0c-9a3d-3c4d5f0c8f21")


class Kind(StrEnum):
    """The two kinds of permissions, as Graph calls them."""

    DELEGATED = "Scope"
    APPLICATION = "Role"


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission that an application asks for.

    Attributes:
        kind: delegated by a user, or the application's own.
        value: its name, such as ``Directory.Read.All``.
        id: Graph's.
        resource_app_id: whose it is.
        resource: as people call that.
    """

    kind: Kind
    value: str
    id: str
    resource_app_id: str
    resource: str

    def __str__(self) -> str:
        return f"{self.value} of {self.resource}"


@dataclass(frozen=True, slots=True)
class Changes:
    """What it takes to make a registration what it should be.

    Attributes:
        says: each thing that is missing or differs, in words; empty where all is well.
        body: what is sent to Graph.
        open: what differs and is left to a person.
    """

    says: tuple[str, ...]
    body: dict[str, Any]
    open: tuple[str, ...] = ()


def planned(plan: Plan, tenant_id: str) -> tuple[Application, ...]:
    """The plan's registrations for a tenant; the server's first."""
    return tuple(
        replace(each, identifier_uri=each.identifier_uri and each.identifier_uri.replace("{tenant_id}", tenant_id))
        for each in applications(plan)
    )


def unique_name(plan: Plan, role: ApplicationRole) -> str:
    """The key under which a registration is made, so that Entra ID makes it once, however often it is asked."""
    return f"causeway-{plan.names.prefix}-{role}"


def changes(
    application: Application, current: Registration | None, permissions: Sequence[Permission], key: str
) -> Changes:
    """What ``current`` lacks, or all of it where there is none.

    Args:
        application: as planned.
        current: as it is; None where it is to be made.
        permissions: that it asks for.
        key: from which the ids of what it exposes follow, so that asking twice makes them once.
    """
    says: list[str] = []
    body: dict[str, Any] = {}
    if current is None:
        body |= {"displayName": application.display_name, "signInAudience": SINGLE_TENANT}
    _identifier_uri(application, current, says, body)
    _redirects(application, current, says, body)
    _scope(application, current, key, says, body)
    _permissions(current, permissions, says, body)
    if application.public_client and not (current and current.is_fallback_public_client):
        says.append("public client flows are not allowed")
        body["isFallbackPublicClient"] = True
    left = []
    if current is not None and current.sign_in_audience not in {None, SINGLE_TENANT}:
        left.append(f"its audience is {current.sign_in_audience}, and {SINGLE_TENANT} is enough")
    return Changes(tuple(says), body, tuple(left))


def _identifier_uri(
    application: Application, current: Registration | None, says: list[str], body: dict[str, Any]
) -> None:
    uri = application.identifier_uri
    there = current.identifier_uris if current else ()
    if uri is not None and uri not in there:
        says.append(f"the ID URI {uri} is missing")
        body["identifierUris"] = [*there, uri]


def _redirects(application: Application, current: Registration | None, says: list[str], body: dict[str, Any]) -> None:
    web: dict[str, Any] = {}
    there = current.web.redirect_uris if current and current.web else ()
    missing = [uri for uri in application.web_redirects if uri not in there]
    if missing:
        says += [f"the web redirect URI {uri} is missing" for uri in missing]
        web["redirectUris"] = [*there, *missing]
    implicit = current.web.implicit_grant_settings if current and current.web else None
    if application.id_token_implicit and not (implicit and implicit.enable_id_token_issuance):
        says.append("ID tokens are not issued by the implicit flow")
        web["implicitGrantSettings"] = {"enableIdTokenIssuance": True}
    if web:
        body["web"] = web
    there = current.public_client.redirect_uris if current and current.public_client else ()
    # A redirect that holds the application's own id can be set once there is one.
    wanted = [
        uri.replace(CLIENT_ID, current.app_id) if current else uri
        for uri in application.public_redirects
        if current or CLIENT_ID not in uri
    ]
    known = {uri.lower() for uri in there}
    missing = [uri for uri in wanted if uri.lower() not in known]
    if missing:
        says += [f"the redirect URI {uri} is missing" for uri in missing]
        body["publicClient"] = {"redirectUris": [*there, *missing]}


def _scope(
    application: Application, current: Registration | None, key: str, says: list[str], body: dict[str, Any]
) -> None:
    if application.scope is None:
        return
    there = current.scopes if current else ()
    same = [each for each in there if each.value == application.scope]
    if same and same[0].is_enabled:
        return
    if same:
        says.append(f"the scope {application.scope} is disabled")
        sent = [each.sent() | ({"isEnabled": True} if each is same[0] else {}) for each in there]
    else:
        says.append(f"the scope {application.scope} is missing")
        sent = [*(each.sent() for each in there), new_scope(application, key)]
    body["api"] = {"oauth2PermissionScopes": sent}


def new_scope(application: Application, key: str) -> dict[str, Any]:
    """The scope that is exposed, for administrators and users to consent to."""
    sentence = "Lets a device use the cloud management gateway for its signed-in user."
    return {
        "id": str(uuid.uuid5(_NAMESPACE, f"{key}/{application.scope}")),
        "value": application.scope,
        "type": "User",
        "isEnabled": True,
        "adminConsentDisplayName": f"Use {application.display_name}",
        "adminConsentDescription": sentence,
        "userConsentDisplayName": "Use the cloud management gateway",
        "userConsentDescription": sentence,
    }


def _permissions(
    current: Registration | None, permissions: Iterable[Permission], says: list[str], body: dict[str, Any]
) -> None:
    there = list(current.required_resource_access) if current else []
    changed = False
    for each in permissions:
        index = next((at for at, one in enumerate(there) if one.resource_app_id == each.resource_app_id), None)
        wanted = ResourceAccess(id=each.id, type=each.kind)
        if index is None:
            there.append(RequiredAccess(resource_app_id=each.resource_app_id, resource_access=(wanted,)))
        elif not any((one.id, one.type) == (each.id, each.kind) for one in there[index].resource_access):
            there[index] = there[index].model_copy(update={"resource_access": (*there[index].resource_access, wanted)})
        else:
            continue
        changed = True
        says.append(f"the permission {each} is not asked for")
    if changed:
        body["requiredResourceAccess"] = [each.sent() for each in there]
