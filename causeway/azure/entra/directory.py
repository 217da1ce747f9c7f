"""Read the tenant: who is signed in, and what there is of a plan's applications."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from causeway.azure.entra.answers import (
    Assignment,
    Eligibility,
    Grant,
    Organization,
    Owner,
    Principal,
    Registration,
    Role,
)
from causeway.azure.entra.wanted import GRAPH_APP_ID, Kind, Permission, unique_name
from causeway.azure.entra.who import ROLES, SignedIn
from causeway.azure.errors import AzureFailed, AzureNotFound
from causeway.azure.graph import Graph
from causeway.plan.applications import SCOPE, Application, ApplicationRole
from causeway.plan.document import Plan

GRAPH_TITLE = "Microsoft Graph"
_SELECT = ",".join(field.alias or name for name, field in Registration.model_fields.items())
BY_ID, BY_KEY, BY_URI, BY_NAME = "by its id", "by its key", "by its ID URI", "by its name"


@dataclass(frozen=True, slots=True)
class Found:
    """What there is of one application.

    Attributes:
        application: as planned.
        registration: the one that is meant; None where there is none.
        by: how it was found, in words.
        others: more of the same name or ID URI.
        principal: its service principal; None where there is none.
        grants: consent to its delegated permissions.
        assignments: consent to its application permissions.
    """

    application: Application
    registration: Registration | None = None
    by: str = ""
    others: tuple[Registration, ...] = ()
    principal: Principal | None = None
    grants: tuple[Grant, ...] = ()
    assignments: tuple[Assignment, ...] = ()

    @property
    def ambiguous(self) -> bool:
        """Whether several could be meant, so that none is."""
        return self.registration is None and bool(self.others)


@dataclass(frozen=True, slots=True)
class Directory:
    """Asks Graph about one plan.

    Attributes:
        graph: how.
        plan: what for.
        app_ids: the application (client) ids that the operator named.
    """

    graph: Graph
    plan: Plan
    app_ids: Mapping[ApplicationRole, str] = field(default_factory=dict)

    async def organization(self) -> Organization:
        """The tenant of whoever is signed in."""
        found = await self.graph.every("/organization?$select=id,displayName,verifiedDomains", Organization)
        if not found:
            raise AzureNotFound(f"{self.graph.cloud.graph}: no tenant, as of a personal account; sign in to a tenant")
        return found[0]

    async def roles(self, who: SignedIn) -> frozenset[str]:
        """The names of the active directory roles that matter here, also by way of groups."""
        start = f"/servicePrincipals/{who.object_id}" if who.is_application else "/me"
        found = await self.graph.every(
            f"{start}/transitiveMemberOf/microsoft.graph.directoryRole?$count=true", Role, eventual=True
        )
        return frozenset(ROLES[each.role_template_id] for each in found if each.role_template_id in ROLES)

    async def eligible(self) -> frozenset[str] | None:
        """The roles that the user could activate; None where that cannot be read (it takes a licence and a right)."""
        path = "/roleManagement/directory/roleEligibilityScheduleInstances/filterByCurrentUser(on='principal')"
        try:
            found = await self.graph.every(path, Eligibility)
        except AzureFailed:
            return None
        return frozenset(ROLES[each.role_definition_id] for each in found if each.role_definition_id in ROLES)

    async def find(self, application: Application) -> Found:
        """Look for a registration: by the id that was named, by its key, by its ID URI, by its name.

        Raises:
            AzureFailed: Graph could not be asked, or an id that was named is not there.
        """
        named = await self._registrations(f"displayName eq {_quoted(application.display_name)}")
        if app_id := self.app_ids.get(application.role):
            return _chosen(application, await self._by_app_id(application, app_id), BY_ID, named)
        key = unique_name(self.plan, application.role)
        # Made a moment ago, it may be listed before it is found under its key.
        ours = next((each for each in named if each.unique_name == key), None)
        if found := ours or await self.by_key(application.role):
            return _chosen(application, found, BY_KEY, named)
        if application.identifier_uri is not None:
            by_uri = await self._registrations(f"identifierUris/any(u:u eq {_quoted(application.identifier_uri)})")
            if by_uri:
                return _chosen(application, by_uri[0], BY_URI, (*by_uri, *named))
        if len(named) == 1:
            return _chosen(application, named[0], BY_NAME, named)
        return Found(application, others=tuple(named))

    async def owners(self, registration: Registration) -> tuple[Owner, ...]:
        """Who may change a registration without any role, and so act as it."""
        return tuple(await self.graph.every(f"/applications/{registration.id}/owners?$select=id,displayName", Owner))

    async def by_key(self, role: ApplicationRole, *, appearing: bool = False) -> Registration | None:
        """The registration that was made under the key of ours; None where there is none.

        Args:
            role: of which application.
            appearing: it was made just now.
        """
        path = f"/applications(uniqueName='{quote(unique_name(self.plan, role))}')"
        try:
            return await self.graph.get(path, Registration, appearing=appearing)
        except AzureNotFound:
            if appearing:
                raise
            return None

    async def deleted(self, key: str) -> tuple[Registration, ...]:
        """Deleted registrations that were made under a key; none where they cannot be read."""
        path = "/directory/deletedItems/microsoft.graph.application?$select=id,appId,uniqueName"
        try:
            found = await self.graph.every(path, Registration)
        except AzureFailed:
            return ()
        return tuple(each for each in found if each.unique_name == key)

    async def consented(self, found: Found) -> Found:
        """The same with its service principal, and with what was consented to."""
        if found.registration is None:
            return found
        principal = await self.principal(found.registration.app_id)
        if principal is None:
            return found
        grants = await self.graph.every(f"/servicePrincipals/{principal.id}/oauth2PermissionGrants", Grant)
        assignments = await self.graph.every(f"/servicePrincipals/{principal.id}/appRoleAssignments", Assignment)
        return Found(
            found.application,
            found.registration,
            found.by,
            found.others,
            principal,
            tuple(grants),
            tuple(assignments),
        )

    async def principal(self, app_id: str, *, appearing: bool = False) -> Principal | None:
        """An application's service principal; None where there is none."""
        path = f"/servicePrincipals(appId='{app_id}')?$select=id,appId,displayName,accountEnabled,appRoles"
        try:
            return await self.graph.get(path, Principal, appearing=appearing)
        except AzureNotFound:
            if appearing:
                raise
            return None

    async def permissions(self, application: Application, server: Registration | None) -> tuple[Permission, ...]:
        """What an application asks for, with the ids that Graph and the server's registration have for it.

        Args:
            application: as planned.
            server: the server's registration; None where there is none yet.

        Raises:
            AzureFailed: Graph could not be asked, or does not know the permission.
        """
        found = []
        if application.graph_application_permissions:
            graph = await self.principal(GRAPH_APP_ID)
            known = {each.value: each.id for each in graph.app_roles} if graph else {}
            for name in application.graph_application_permissions:
                if name not in known:
                    raise AzureNotFound(f"{self.graph.cloud.graph}: it has no application permission {name}")
                found.append(Permission(Kind.APPLICATION, name, known[name], GRAPH_APP_ID, GRAPH_TITLE))
        if application.delegated_on_server and server is not None:
            found += [
                Permission(Kind.DELEGATED, each.value, each.id, server.app_id, "the server application")
                for each in server.scopes
                if each.value == SCOPE
            ]
        return tuple(found)

    async def _by_app_id(self, application: Application, app_id: str) -> Registration:
        try:
            return await self.graph.get(f"/applications(appId='{app_id}')", Registration)
        except AzureNotFound:
            raise AzureNotFound(
                f"{app_id}: no application of this tenant has this id; see `az ad app list --show-mine --output table` "
                f"for that of the {application.role} application, its appId"
            ) from None

    async def _registrations(self, condition: str) -> Sequence[Registration]:
        return await self.graph.every(
            f"/applications?$select={_SELECT}&$filter={quote(condition, safe='')}", Registration
        )


def granted(found: Found, permission: Permission, resource: Principal | None) -> bool:
    """Whether an administrator consented to a permission for everybody."""
    if resource is None:
        return False
    if permission.kind is Kind.APPLICATION:
        return any((each.app_role_id, each.resource_id) == (permission.id, resource.id) for each in found.assignments)
    return any(
        each.consent_type == "AllPrincipals"
        and each.resource_id == resource.id
        and permission.value in (each.scope or "").split()
        for each in found.grants
    )


def _chosen(application: Application, registration: Registration, by: str, all_of: Sequence[Registration]) -> Found:
    others = {each.id: each for each in all_of if each.id != registration.id}
    return Found(application, registration, by, tuple(others.values()))


def _quoted(text: str) -> str:
    """A string of OData's."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
