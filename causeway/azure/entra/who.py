"""Who is signed in, and whether that is enough for what the plan asks of Entra ID. Pure.

Source: Microsoft's "Microsoft Entra built-in roles" for the template ids, and the permissions that Graph's reference
names for each call.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Task(StrEnum):
    """What somebody must be able to do."""

    REGISTER = "register the applications"
    CONSENT = "consent to delegated permissions"
    CONSENT_TO_ROLES = "consent to application permissions of Microsoft Graph"


GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
ROLES = {
    GLOBAL_ADMINISTRATOR: "Global Administrator",
    "e8611ab8-c189-46e8-94e1-60213ab1f814": "Privileged Role Administrator",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
    "158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
    "cf1c38e5-3621-4004-a7cb-879624dced7c": "Application Developer",
}
"""Directory roles that matter here, by the id of their template, which is the same in every tenant."""

_ROLES_FOR = {
    Task.REGISTER: ("Global Administrator", "Application Administrator", "Cloud Application Administrator"),
    Task.CONSENT: (
        "Global Administrator",
        "Privileged Role Administrator",
        "Application Administrator",
        "Cloud Application Administrator",
    ),
    Task.CONSENT_TO_ROLES: ("Global Administrator", "Privileged Role Administrator"),
}
_PERMISSIONS_FOR = {
    Task.REGISTER: ("Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "Directory.ReadWrite.All"),
    Task.CONSENT: ("DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"),
    Task.CONSENT_TO_ROLES: ("AppRoleAssignment.ReadWrite.All",),
}
LEAST = {
    Task.REGISTER: "Cloud Application Administrator",
    Task.CONSENT: "Cloud Application Administrator",
    Task.CONSENT_TO_ROLES: "Privileged Role Administrator",
}
"""The least role that serves."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who it is, as the access token says. Not verified: it is for showing, and for asking Graph the right question.

    Attributes:
        tenant_id: whose token it is; empty where it does not say.
        name: of the user or the application.
        object_id: of the user or the service principal; empty where it does not say.
        is_application: nobody but an application signed in.
        permissions: an application's own permissions.
    """

    tenant_id: str
    name: str
    object_id: str
    is_application: bool
    permissions: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"application {self.name}" if self.is_application else self.name


def signed_in(claims: Mapping[str, Any]) -> SignedIn:
    """Read it out of a token's claims, whatever they hold."""

    def text(*names: str) -> str:
        values = (claims.get(name) for name in names)
        return next((value[:200] for value in values if isinstance(value, str) and value.isprintable()), "")

    roles = claims.get("roles")
    is_application = claims.get("idtyp") == "app" or ("scp" not in claims and isinstance(roles, list))
    return SignedIn(
        tenant_id=text("tid").lower(),
        name=text("app_displayname", "appid", "azp") if is_application else text("upn", "unique_name", "name", "oid"),
        object_id=text("oid").lower(),
        is_application=is_application,
        permissions=frozenset(str(each) for each in roles if isinstance(each, str))
        if is_application and isinstance(roles, list)
        else frozenset(),
    )


def by_role(task: Task, roles: Collection[str]) -> str | None:
    """The first of the directory roles (by name) that lets its holder do it."""
    return next((name for name in _ROLES_FOR[task] if name in roles), None)


def by_permission(task: Task, who: SignedIn) -> str | None:
    """The first of an application's own permissions that lets it do it."""
    return next((name for name in _PERMISSIONS_FOR[task] if name in who.permissions), None)


def needed_by(task: Task, who: SignedIn) -> str:
    """The least that serves whoever is signed in."""
    return f"the permission {_PERMISSIONS_FOR[task][0]}" if who.is_application else f"the role {LEAST[task]}"
