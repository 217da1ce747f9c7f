"""Make what is missing of a plan's applications, and mend what differs.

Every step can be done again: registrations and service principals are made under a key (``create-if-missing``), what is
there already is kept, and what was cut off anywhere is taken up where it stands. Graph answers before every replica
knows of a new object, so what follows on one is tried until it is known.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from causeway.azure.entra.answers import Principal, Registration
from causeway.azure.entra.directory import BY_ID, BY_NAME, Directory, Found, granted
from causeway.azure.entra.wanted import GRAPH_APP_ID, Changes, Kind, Permission, changes, unique_name
from causeway.azure.entra.who import LEAST, SignedIn, Task
from causeway.azure.errors import AzureAnswer, AzureConflict, AzureForbidden
from causeway.plan.applications import Application, ApplicationRole

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """One application, as it is in the end.

    Attributes:
        found: what there is of it; without a registration only in a dry run.
        done: what was done, or in a dry run would be.
        left: what is left to a person.
        permissions: what it asks for.
        missing: of those, what nobody has consented to.
    """

    found: Found
    done: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    permissions: tuple[Permission, ...] = ()
    missing: tuple[Permission, ...] = ()


@dataclass(slots=True)
class Repair:
    """Does it, or only says what it would do.

    Attributes:
        directory: the tenant.
        who: whoever is signed in.
        tell: takes a line for each thing that is done.
        dry_run: nothing is changed.
        grant_consent: consent is given, too.
    """

    directory: Directory
    who: SignedIn
    tell: Tell
    dry_run: bool = False
    grant_consent: bool = False
    _done: list[str] = field(default_factory=list)

    async def run(self, wanted: Sequence[Application]) -> tuple[Made, ...]:
        """All applications; the server's comes first, since the client's asks for its scope.

        Raises:
            AzureFailed: something could not be done. What was done stays, and the next run goes on from there.
        """
        made: list[Made] = []
        server: Registration | None = None
        for application in wanted:
            one = await self._one(application, server, made[0].found.principal if made else None)
            if application.role is ApplicationRole.SERVER:
                server = one.found.registration
            made.append(one)
        return tuple(made)

    async def _one(
        self, application: Application, server: Registration | None, server_principal: Principal | None
    ) -> Made:
        self._done = []
        found = await self.directory.find(application)
        self._refuse_to_guess(found)
        permissions = await self.directory.permissions(application, server)
        key = unique_name(self.directory.plan, application.role)
        if found.registration is None:
            found = await self._register(application, permissions, key)
        difference = Changes((), {})
        if (there := found.registration) is not None:
            difference = changes(application, there, permissions, key)
            found = await self._serve(await self._mend(found, there, difference), there)
        missing = await self._consent(found, permissions, server_principal)
        return Made(found, tuple(self._done), difference.open, permissions, missing)

    def _refuse_to_guess(self, found: Found) -> None:
        """What is only known by its name may be anybody's: any user of a tenant may register applications."""
        role = found.application.role
        of_name = (found.registration,) if found.by == BY_NAME else found.others if found.ambiguous else ()
        ids = ", ".join(each.app_id for each in of_name if each)
        if ids:
            raise AzureConflict(
                f"{found.application.display_name}: registered already, but not by causeway and without the planned "
                f"ID URI: {ids}; see whose it is, then name it with --{role}-app ID, or delete it with `az ad app "
                "delete --id ID`"
            )

    async def _register(self, application: Application, permissions: Sequence[Permission], key: str) -> Found:
        self._does(f"register the {application.role} application {application.display_name}")
        if self.dry_run:
            return Found(application)
        body = changes(application, None, permissions, key).body
        path = f"/applications(uniqueName='{quote(key)}')"
        try:
            await self.directory.graph.send("PATCH", path, body, create_if_missing=True)
        except AzureAnswer as error:
            raise await self._why_not(error, application, key) from None
        registration = await self.directory.by_key(application.role, appearing=True)
        return Found(application, registration, "made")

    async def _why_not(self, error: AzureAnswer, application: Application, key: str) -> AzureConflict:
        """A deleted application keeps its key for 30 days; a tenant may allow only some forms of ID URIs."""
        deleted = await self.directory.deleted(key)
        host = self.directory.graph.cloud.graph
        if deleted:
            return AzureConflict(
                f"{application.display_name}: was deleted, and keeps its place for 30 days; restore it with `az rest "
                f"--method POST --url https://{host}/v1.0/directory/deletedItems/{deleted[0].id}/restore`"
            )
        return AzureConflict(
            f"{str(error).partition('; ')[0]}; where it is the ID URI that the tenant does not allow, let an "
            "administrator exempt the application from its application management policy"
        )

    async def _mend(self, found: Found, registration: Registration, difference: Changes) -> Found:
        if not difference.body:
            return found
        for each in difference.says:
            self._does(f"mend the {found.application.role} application: {each}")
        if self.dry_run:
            return found
        path = f"/applications/{registration.id}"
        await self.directory.graph.send("PATCH", path, difference.body, appearing=True)
        return replace(found, registration=_with(registration, difference))

    async def _serve(self, found: Found, registration: Registration) -> Found:
        there = await self.directory.consented(found)
        if there.principal is not None:
            return there
        self._does(f"make the service principal of the {found.application.role} application")
        if self.dry_run:
            return found
        path = f"/servicePrincipals(appId='{registration.app_id}')"
        body = {"displayName": registration.display_name or found.application.display_name}
        await self.directory.graph.send("PATCH", path, body, create_if_missing=True, appearing=True)
        principal = await self.directory.principal(registration.app_id, appearing=True)
        return replace(found, principal=principal)

    async def _consent(
        self, found: Found, permissions: Sequence[Permission], server: Principal | None
    ) -> tuple[Permission, ...]:
        missing = []
        for each in permissions:
            resource = await self.directory.principal(GRAPH_APP_ID) if each.resource_app_id == GRAPH_APP_ID else server
            if granted(found, each, resource):
                continue
            if not self.grant_consent or not await self._may_trust(found, each):
                missing.append(each)
                continue
            self._does(f"consent to {each} for the {found.application.role} application")
            if not self.dry_run and found.principal and resource:
                await self._grant(found, found.principal, resource, each)
        return tuple(missing)

    async def _may_trust(self, found: Found, permission: Permission) -> bool:
        """Whether a permission of Graph's may be given: not where somebody else could act as the application."""
        if permission.kind is Kind.DELEGATED or found.registration is None or found.by in {BY_ID, "made"}:
            return True
        owners = [each for each in await self.directory.owners(found.registration) if each.id != self.who.object_id]
        if owners:
            names = ", ".join(each.display_name or each.id for each in owners)
            self.tell(
                f"no consent to {permission}: {names} own the {found.application.role} application and could act as "
                f"it; where that is right, name it with --{found.application.role}-app {found.registration.app_id}"
            )
        return not owners

    async def _grant(self, found: Found, principal: Principal, resource: Principal, permission: Permission) -> None:
        graph = self.directory.graph
        try:
            if permission.kind is Kind.APPLICATION:
                body = {"principalId": principal.id, "resourceId": resource.id, "appRoleId": permission.id}
                await graph.send("POST", f"/servicePrincipals/{principal.id}/appRoleAssignments", body, appearing=True)
                return
            same = [
                each
                for each in found.grants
                if each.consent_type == "AllPrincipals" and each.resource_id == resource.id
            ]
            if same:
                scope = " ".join([*(same[0].scope or "").split(), permission.value])
                await graph.send("PATCH", f"/oauth2PermissionGrants/{same[0].id}", {"scope": scope})
                return
            body = {
                "clientId": principal.id,
                "consentType": "AllPrincipals",
                "resourceId": resource.id,
                "scope": permission.value,
            }
            await graph.send("POST", "/oauth2PermissionGrants", body, appearing=True)
        except AzureForbidden as error:
            task = Task.CONSENT_TO_ROLES if permission.kind is Kind.APPLICATION else Task.CONSENT
            raise AzureForbidden(
                f"{str(error).partition('; ')[0]}; consenting to {permission} takes a {LEAST[task]}: let one run the "
                "same command"
            ) from None
        except AzureAnswer:
            # A request whose answer was lost may have been done: then it is there.
            again = await self.directory.consented(found)
            if not granted(again, permission, resource):
                raise

    def _does(self, what: str) -> None:
        self._done.append(what)
        self.tell(f"would {what}" if self.dry_run else what)


def _with(registration: Registration, difference: Changes) -> Registration:
    """The registration as it is after what was sent: an answer of Graph's may still show the one before."""
    merged = registration.model_dump(mode="json", by_alias=True)
    for name, value in difference.body.items():
        merged[name] = {**(merged.get(name) or {}), **value} if isinstance(value, dict) else value
    return Registration.model_validate(merged)
