"""The site as Configuration Manager's administration service tells of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import Plan
from causeway.plan.values import Target
from causeway.preflight.probe import Probe
from causeway.preflight.site.administration_service import AdministrationServiceFailed, Service, SignIn, ask_all
from causeway.preflight.site.comparison import (
    BOUNDARY_GROUPS,
    CLIENT_SETTINGS,
    ROLE_NAMES,
    ROLES,
    SERVICE,
    Roles,
    boundary_group_results,
    client_settings_results,
    role_results,
    site_result,
)
from causeway.preflight.site.rows import (
    BoundaryGroupRow,
    BoundaryGroupServerRow,
    ClientSettingsRow,
    ComponentRow,
    RoleRow,
    SiteRow,
)

HTTPS = 443
_MOST_SETTINGS = 50
_PARTS = 4


@dataclass(frozen=True, slots=True)
class Access:
    """How the service is asked.

    Attributes:
        server: host and port, where another than the plan's.
        sign_in: who asks; None where nobody was named.
        authorities: files of roots of one's own.
        timeout_s: for all.
    """

    server: tuple[str, int] | None = None
    sign_in: SignIn | None = None
    authorities: tuple[Path, ...] = ()
    timeout_s: float = 30.0


def probes(plan: Plan, access: Access) -> tuple[Probe, ...]:
    """One, or the reason why it is not looked at."""
    host, port = access.server or (plan.site.administration_service or "", HTTPS)
    target = f"{host}:{port}" if host else "the site"
    sign_in = access.sign_in
    why = _why_not(plan, host, sign_in)

    async def look() -> Sequence[CheckResult]:
        if why or sign_in is None:
            return [CheckResult(SERVICE, target, Status.SKIP, why)]
        part = access.timeout_s / _PARTS

        async def use(service: Service) -> Sequence[CheckResult]:
            return await read(plan, target, service)

        return await ask_all(host, port, sign_in, access.authorities, part, use)

    return (Probe(SERVICE, target, look, "See AdminService.log on that server."),)


def _why_not(plan: Plan, host: str, sign_in: SignIn | None) -> str:
    if plan.target is Target.CAUSEWAY:
        return "our own site has none"
    if not host:
        return "site.administration_service is not named in the plan"
    if sign_in is None:
        return "nobody signs in: name --site-user with --site-password-file, --site-kerberos, or --site-token-file"
    return ""


async def read(plan: Plan, target: str, service: Service) -> list[CheckResult]:
    """Everything that is asked of the service. What cannot be read fails alone.

    Raises:
        AdministrationServiceFailed: not even the site can be read.
    """
    sites = await service.rows("SMS_Site", SiteRow)
    found = [site_result(plan, target, sites)]

    async def roles() -> list[CheckResult]:
        rows = [
            each
            for name in ROLE_NAMES
            for each in await service.rows(f"SMS_SCI_SysResUse?$filter=RoleName eq '{name}'", RoleRow)
        ]
        try:
            query = "SMS_SCI_Component?$filter=ComponentName eq 'SMS_SITE_COMPONENT_MANAGER'"
            managers = await service.rows(query, ComponentRow)
        except AdministrationServiceFailed:
            managers = []
        return role_results(plan, Roles(rows, managers))

    async def client_settings() -> list[CheckResult]:
        settings = await service.rows("SMS_ClientSettings", ClientSettingsRow)
        return client_settings_results(plan, await _whole(service, settings))

    async def boundary_groups() -> list[CheckResult]:
        groups = await service.rows("SMS_BoundaryGroup", BoundaryGroupRow)
        servers = await service.rows("SMS_BoundaryGroupSiteSystems", BoundaryGroupServerRow)
        return boundary_group_results(plan, groups, servers)

    for check, part in ((ROLES, roles), (CLIENT_SETTINGS, client_settings), (BOUNDARY_GROUPS, boundary_groups)):
        found += await _part(check, target, part)
    return found


async def _part(check: str, target: str, part: Callable[[], Awaitable[list[CheckResult]]]) -> list[CheckResult]:
    try:
        return await part()
    except AdministrationServiceFailed as error:
        why, _, remedy = str(error).partition("; ")
        return [CheckResult(check, target, Status.FAIL, why, f"{remedy[:1].upper()}{remedy[1:]}.")]


async def _whole(service: Service, settings: Sequence[ClientSettingsRow]) -> list[ClientSettingsRow]:
    """With the agents' settings, which a list of the provider's may leave out as lazy properties."""
    whole = []
    for each in settings[:_MOST_SETTINGS]:
        alone = [] if each.agents else await service.rows(f"SMS_ClientSettings({each.number})", ClientSettingsRow)
        whole.append(alone[0] if alone else each)
    return [*whole, *settings[_MOST_SETTINGS:]]
