"""What Configuration Manager says of its site, held against the plan. Pure: no network."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import Plan
from causeway.plan.values import ManagementPointMode
from causeway.preflight.site.rows import (
    BoundaryGroupRow,
    BoundaryGroupServerRow,
    ClientSettingsRow,
    ComponentRow,
    RoleRow,
    SiteRow,
    host_of,
)
from causeway.preflight.text import shortened

SERVICE = "administration service"
ROLES = "site roles"
SERVICE_CONNECTION_POINT = "site service connection point"
MANAGEMENT_POINTS = "site management points"
UPDATE_POINTS = "site update points"
CLIENT_SETTINGS = "site client settings"
BOUNDARY_GROUPS = "site boundary groups"
CHECKS = (
    SERVICE,
    ROLES,
    SERVICE_CONNECTION_POINT,
    MANAGEMENT_POINTS,
    UPDATE_POINTS,
    CLIENT_SETTINGS,
    BOUNDARY_GROUPS,
)

MP = "SMS Management Point"
SUP = "SMS Software Update Point"
SCP = "SMS Dmp Connector"
CONNECTION_POINT = "SMS Cloud Proxy Connector"
ROLE_NAMES = (SCP, MP, SUP, CONNECTION_POINT)

_HTTPS_STATES = frozenset({1, 3})
_ENHANCED_HTTP = 1024
"""In IISSSLState of the site component manager, as Microsoft's own scripts read it."""
_DEVICE = 1
_MOST_NAMES = 8


@dataclass(frozen=True, slots=True)
class Roles:
    """What the site control file says.

    Attributes:
        rows: the roles that matter.
        components: the site component managers, one a site; empty where they could not be read.
    """

    rows: Sequence[RoleRow] = ()
    components: Sequence[ComponentRow] = field(default=())

    def of(self, role: str, host: str) -> RoleRow | None:
        """The role of that name at that server."""
        wanted = host.lower()
        return next((each for each in self.rows if each.role == role and each.host == wanted), None)

    def enhanced_http(self, site: str) -> bool | None:
        """Whether the site has enhanced HTTP; None where that is not told."""
        states = [each.number("IISSSLState") for each in self.components if each.site == site]
        known = [state for state in states if state is not None]
        return bool(known[0] & _ENHANCED_HTTP) if known else None


def site_result(plan: Plan, target: str, sites: Sequence[SiteRow]) -> CheckResult:
    """Whether the service is of the planned site."""
    told = (
        ", ".join(shortened(f"{each.code} ({each.name}, {each.version})", 80) for each in sites[:_MOST_NAMES])
        or "no site"
    )
    code = plan.site.code
    if code is not None and code.lower() not in {each.code.lower() for each in sites}:
        action = "Correct site.code or site.administration_service in the plan."
        return CheckResult(SERVICE, target, Status.FAIL, f"tells of {told}, and the plan says {code}", action)
    return CheckResult(SERVICE, target, Status.PASS, f"tells of {told}")


def role_results(plan: Plan, roles: Roles) -> list[CheckResult]:
    """Everything about roles: that they are there, and how they are set."""
    return [
        *_presence(plan, roles),
        *_service_connection_point(plan, roles),
        *_management_points(plan, roles),
        *_update_points(plan, roles),
    ]


def _presence(plan: Plan, roles: Roles) -> list[CheckResult]:
    site = plan.site.code or "CODE"
    wanted = [(MP, each.host, "Add-CMManagementPoint") for each in plan.management_point]
    wanted += [(SUP, each.host, "Add-CMSoftwareUpdatePoint") for each in plan.software_update_point]
    if plan.service_connection_point.host is not None:
        wanted.append((SCP, plan.service_connection_point.host, "Add-CMServiceConnectionPoint"))
    found = []
    for role, host, command in wanted:
        if roles.of(role, host) is None:
            action = f"Correct the plan, or `{command} -SiteSystemServerName {host} -SiteCode {site}`."
            found.append(CheckResult(ROLES, host, Status.FAIL, f"has not the role {role}", action))
    for point in plan.connection_point:
        if roles.of(CONNECTION_POINT, point.host) is None:
            details = f"has not the role {CONNECTION_POINT}, as before the gateway is there"
            command = "Add-CMCloudManagementGatewayConnectionPoint"
            action = (
                f"Once it is: `{command} -SiteSystemServerName {point.host} -SiteCode {site} "
                f"-CloudManagementGatewayName {plan.names.service_name}`."
            )
            found.append(CheckResult(ROLES, point.host, Status.WARN, details, action))
    if found:
        return found
    count = len(wanted) + len(plan.connection_point)
    return [CheckResult(ROLES, plan.site.code or "the site", Status.PASS, f"all {count} planned roles are there")]


def _service_connection_point(plan: Plan, roles: Roles) -> list[CheckResult]:
    host = plan.service_connection_point.host
    row = roles.of(SCP, host) if host is not None else None
    if host is None or row is None:
        return []  # the plan's own finding, or the role's absence, says so
    offline = row.number("OfflineMode")
    if offline is None:
        return [CheckResult(SERVICE_CONNECTION_POINT, host, Status.SKIP, "its mode is not told")]
    if offline:
        action = f"`Set-CMServiceConnectionPoint -SiteSystemServerName {host} -SiteCode {row.site} -Mode Online`."
        return [CheckResult(SERVICE_CONNECTION_POINT, host, Status.FAIL, "is in offline mode", action)]
    return [CheckResult(SERVICE_CONNECTION_POINT, host, Status.PASS, "is in online mode")]


def _management_points(plan: Plan, roles: Roles) -> list[CheckResult]:
    found = []
    for point in plan.management_point:
        row = roles.of(MP, point.host)
        if row is None or point.mode is ManagementPointMode.HTTP:
            continue
        found.append(_mode(point.host, point.mode, row, roles) or _traffic(MANAGEMENT_POINTS, point.host, row))
    return found


def _mode(host: str, mode: ManagementPointMode, row: RoleRow, roles: Roles) -> CheckResult | None:
    """What contradicts in the mode; None where nothing does."""
    https = row.ssl_state in _HTTPS_STATES
    where = f"-SiteSystemServerName {host} -SiteCode {row.site}"
    if mode is ManagementPointMode.HTTPS and not https:
        action = f'`Set-CMManagementPoint {where} -EnableSsl $true`, or set mode = "enhanced-http" in the plan.'
        return CheckResult(MANAGEMENT_POINTS, host, Status.FAIL, "is set to HTTP, and the plan says https", action)
    if mode is ManagementPointMode.ENHANCED_HTTP and https:
        action = f'Set mode = "https" in the plan, or `Set-CMManagementPoint {where} -EnableSsl $false`.'
        details = "is set to HTTPS, and the plan says enhanced-http"
        return CheckResult(MANAGEMENT_POINTS, host, Status.FAIL, details, action)
    if mode is ManagementPointMode.ENHANCED_HTTP and roles.enhanced_http(row.site) is False:
        action = f"`Set-CMSite -SiteCode {row.site} -UseSmsGeneratedCert $true`."
        details = f"takes plain HTTP: the site {row.site} has not enhanced HTTP"
        return CheckResult(MANAGEMENT_POINTS, host, Status.FAIL, details, action)
    return None


def _traffic(check: str, host: str, row: RoleRow) -> CheckResult:
    """Whether the role takes the gateway's traffic; before there is a gateway, it need not."""
    allowed = row.number("AllowProxyTraffic")
    if allowed is None:
        return CheckResult(check, host, Status.SKIP, "whether it takes the gateway's traffic is not told")
    if allowed:
        return CheckResult(check, host, Status.PASS, "is set as planned, and takes the gateway's traffic")
    cmdlet = "Set-CMManagementPoint" if check == MANAGEMENT_POINTS else "Set-CMSoftwareUpdatePoint"
    command = f"{cmdlet} -SiteSystemServerName {host} -SiteCode {row.site} -EnableCloudGateway $true"
    action = f"Once there is a gateway: `{command}`."
    details = "is set as planned, but does not take the gateway's traffic"
    return CheckResult(check, host, Status.WARN, details, action)


def _update_points(plan: Plan, roles: Roles) -> list[CheckResult]:
    found = []
    for point in plan.software_update_point:
        row = roles.of(SUP, point.host)
        if row is None:
            continue
        tls, port = row.number("SSLWSUS"), row.number("WSUSIISSSLPort" if point.tls else "WSUSIISPort")
        command = f"Set-CMSoftwareUpdatePoint -SiteSystemServerName {point.host} -SiteCode {row.site}"
        if tls is not None and bool(tls) is not point.tls:
            details = (
                f"{'takes' if tls else 'takes no'} TLS for the site, and the plan says tls = {str(point.tls).lower()}"
            )
            action = f"`{command} -WsusSsl ${str(point.tls).lower()}`, or correct the plan."
            found.append(CheckResult(UPDATE_POINTS, point.host, Status.FAIL, details, action))
        elif port is not None and port != point.port:
            details = f"is at port {port} for the site, and the plan says {point.port}"
            flag = "WsusIisSslPort" if point.tls else "WsusIisPort"
            action = f"Correct the plan, or `{command} -{flag} {point.port}`."
            found.append(CheckResult(UPDATE_POINTS, point.host, Status.FAIL, details, action))
        else:
            found.append(_traffic(UPDATE_POINTS, point.host, row))
    return found


def client_settings_results(plan: Plan, settings: Sequence[ClientSettingsRow]) -> list[CheckResult]:
    """Which custom settings keep devices from the gateway, or from its content."""
    devices = [each for each in settings if each.kind == _DEVICE]
    found = []
    for each in devices:
        name = shortened(each.name, 80)
        quoted = "'" + name.replace("'", "''") + "'"
        command = f"Set-CMClientSettingCloudService -Name {quoted}"
        if any(agent.allow_gateway is False for agent in each.agents or ()):
            action = f"`{command} -AllowCloudManagementGateway $true`, unless those devices are to stay away."
            found.append(CheckResult(CLIENT_SETTINGS, name, Status.WARN, "keep devices from the gateway", action))
        if plan.content.enabled and any(agent.allow_cloud_content is False for agent in each.agents or ()):
            action = f"`{command} -AllowCloudDistributionPoint $true`, unless those devices are to stay away."
            found.append(CheckResult(CLIENT_SETTINGS, name, Status.WARN, "keep devices from content there", action))
    if found:
        return found
    details = (
        f"{len(devices)} custom device settings, and none keeps devices from the gateway. The default ones are not "
        "told: `Get-CMClientSetting -Name 'Default Client Agent Settings' -Setting Cloud`"
    )
    return [CheckResult(CLIENT_SETTINGS, plan.site.code or "the site", Status.PASS, details)]


def boundary_group_results(
    plan: Plan, groups: Sequence[BoundaryGroupRow], servers: Sequence[BoundaryGroupServerRow]
) -> list[CheckResult]:
    """Whether devices on the premises still find the update points; on the internet they do not ask for groups."""
    names = {each.number: shortened(each.name, 60) for each in groups}
    held: dict[str, list[str]] = {}
    for each in servers:
        if each.group in names:
            held.setdefault(host_of(each.path), []).append(names[each.group])
    target = plan.site.code or "the site"
    lost = [each.host for each in plan.software_update_point if each.host.lower() not in held]
    if lost:
        group = next(iter(names.values()), "NAME").replace("'", "''")
        return [
            CheckResult(
                BOUNDARY_GROUPS,
                host,
                Status.WARN,
                "is in no boundary group, so devices on the premises do not find it",
                f"`Set-CMBoundaryGroup -Name '{group}' -AddSiteSystemServerName {host}`, or another group.",
            )
            for host in lost
        ]
    told = "; ".join(
        f"{each.host} in {', '.join(held[each.host.lower()][:_MOST_NAMES])}" for each in plan.software_update_point
    )
    return [CheckResult(BOUNDARY_GROUPS, target, Status.PASS, f"{len(groups)} groups{f'; {told}' if told else ''}")]
