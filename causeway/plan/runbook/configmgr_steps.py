"""The steps for Microsoft's gateway: the console's, and cmdlets where Configuration Manager has them.

Source: Microsoft's "Set up checklist for CMG", "Set up a CMG" and "Configure client authentication for CMG"; cmdlets of
the ConfigurationManager module. There is no cmdlet that makes a gateway on a scale set, so that is done in the console.
"""

from pathlib import Path

from causeway.clouds import CLOUDS
from causeway.plan.document import Plan
from causeway.plan.groups import client_certificates_wanted
from causeway.plan.names import deployment_name
from causeway.plan.runbook import azure, premises
from causeway.plan.runbook.step import Command, Shell, Step, Who, cm, console, sh
from causeway.plan.values import CertificateSource, ClientAuthentication, ManagementPointMode

_YES = {True: "yes", False: "no"}


def steps(plan: Plan, file: Path) -> tuple[Step, ...]:
    """All of them, not yet in order."""
    return (
        premises.sound(file),
        azure.sign_in(plan),
        azure.resource_group(plan),
        azure.roles(plan, file),
        azure.providers(plan, file),
        azure.names_free(plan, file),
        *azure.entra_applications(plan, file),
        *premises.directory_groups(plan, file),
        *premises.client_certificates(plan),
        *premises.server_certificate(plan, file),
        *premises.dns(plan, file, "names"),
        premises.firewall(plan, file),
        _prepare_site(plan),
        _azure_service(plan),
        _create(plan, file),
        _connection_points(plan),
        _roles_behind(plan),
        _clients(plan),
        _analyse(plan),
        _less_rights(plan),
    )


def _site_code(plan: Plan) -> str:
    return plan.site.code or "<site code>"


def _prepare_site(plan: Plan) -> Step:
    lines = [
        "Administration, Updates and Servicing, Features: turn on Cloud management gateway with Azure virtual machine "
        "scale set, where your version lists it; without it there is no Create button",
        f"Administration, Servers and Site System Roles, {plan.service_connection_point.host or 'the server'}: Service "
        "connection point, Properties, Online",
        "Administration, Sites, the primary site, Properties, Communication Security: HTTPS only, or Use Configuration "
        "Manager-generated certificates (enhanced HTTP)",
    ]
    if client_certificates_wanted(plan):
        lines += [
            "There, too: Use PKI client certificate when available",
            "There, too: Trusted Root Certification Authorities, Set: the roots of your client certificates; without a "
            "list every root that the management point trusts is accepted",
        ]
        if not plan.clients.verify_revocation:
            lines.append("There, too: clear Clients check the certificate revocation list for site systems")
    return Step(
        "site",
        f"Prepare site {_site_code(plan)}",
        Who.SITE,
        "The gateway is made by the service connection point, which must be online.",
        (console(*lines),),
        (
            cm(
                "Get-CMServiceConnectionPoint -SiteCode {code} | Select-Object -ExpandProperty Props",
                code=_site_code(plan),
            ),
        ),
        ("plan",),
    )


def _azure_service(plan: Plan) -> Step:
    after = ("consent",) if ClientAuthentication.ENTRA in plan.clients.authentication else ("applications",)
    return Step(
        "azure-service",
        "Tell the site of the applications",
        Who.SITE,
        "Importing them needs no Global Administrator. The console does not warn of the end of an imported "
        "application's secret: put its date into your calendar.",
        (
            console(
                "Administration, Cloud Services, Azure Services, Configure Azure Services: Cloud Management",
                f"Azure environment: {CLOUDS[plan.azure.cloud].title}",
                "Web app, Browse, Import: tenant, client id, secret, its end, ID URI; Verify",
                "Native client app, Browse, Import: client id; Verify",
            ),
        ),
        (console("Administration, Cloud Services, Entra tenants: the tenant and both applications are listed"),),
        (*after, "site"),
    )


def _create(plan: Plan, file: Path) -> Step:
    lines = [
        "Start the console as administrator",
        "Administration, Cloud Services, Cloud Management Gateway, Create Cloud Management Gateway",
        f"Azure environment {CLOUDS[plan.azure.cloud].title}; subscription {azure.subscription(plan)}; sign in",
        f"Certificate file: gateway.pfx; service name {plan.names.service_name}; deployment name "
        + deployment_name(plan)
        + (f" (replace the * by {plan.names.prefix})" if plan.certificate.wildcard else ""),
        f"Region {plan.azure.region}; resource group: use existing, {plan.azure.resource_group}",
        f"VM size {plan.gateway.vm_size}; VM instances {plan.gateway.instances}",
        f"Verify client certificate revocation: {_YES[plan.clients.verify_revocation]}; Enforce TLS 1.2: yes",
        f"Allow CMG to function as a cloud distribution point: {_YES[plan.content.enabled]}",
    ]
    if client_certificates_wanted(plan):
        lines.insert(
            6,
            "Certificates: every root and intermediate of the client certificates (DER, .cer), or clients get 401",
        )
    dns = bool(premises.dns(plan, file, "names"))
    return Step(
        "create",
        "Create the gateway in the console",
        Who.SITE,
        "It takes up to half an hour. CloudMgr.log on the service connection point tells what it does; do not change "
        "anything in the Azure portal meanwhile, nor afterwards.",
        (console(*lines),),
        (
            console("Administration, Cloud Services, Cloud Management Gateway: the status is Ready"),
            cm("Get-CMCloudManagementGateway | Select-Object Name, State, StatusDetails"),
        ),
        ("azure-service", "certificate-pfx", "roles", "providers", "names", "resource-group", "firewall")
        + (("dns",) if dns else ()),
    )


def _connection_points(plan: Plan) -> Step:
    commands = [
        cm(
            "Add-CMCloudManagementGatewayConnectionPoint -CloudManagementGatewayName {gateway} -SiteSystemServerName "
            "{server} -SiteCode {code}",
            gateway=plan.names.service_name,
            server=each.host,
            code=_site_code(plan),
        )
        for each in plan.connection_point
    ]
    if plan.proxy.url:
        commands.append(
            console(
                "Administration, Servers and Site System Roles, each of these servers, Site system, Properties, Proxy: "
                f"{plan.proxy.url}"
            )
        )
    return Step(
        "connection-points",
        "Add the connection points",
        Who.SITE,
        "In the primary site that the clients are assigned to. SMS_Cloud_ProxyConnector.log on each tells how it goes.",
        tuple(commands),
        (
            console(
                "Administration, Cloud Services, Cloud Management Gateway, Connection points: each is Connected",
            ),
        ),
        ("create", *(("client-certificates",) if client_certificates_wanted(plan) else ())),
    )


def _roles_behind(plan: Plan) -> Step:
    commands = [
        cm(
            "Set-CMManagementPoint -SiteSystemServerName {server} -SiteCode {code} -EnableCloudGateway $true"
            + (" -EnableSsl $true" if point.mode is ManagementPointMode.HTTPS else ""),
            server=point.host,
            code=_site_code(plan),
        )
        for point in plan.management_point
    ]
    commands += [
        cm(
            "Set-CMSoftwareUpdatePoint -SiteSystemServerName {server} -SiteCode {code} -EnableCloudGateway $true",
            server=point.host,
            code=_site_code(plan),
        )
        for point in plan.software_update_point
    ]
    return Step(
        "roles-behind",
        "Let management points and software update points take the gateway's traffic",
        Who.SITE,
        "Only roles with Allow Configuration Manager cloud management gateway traffic are published. A software update "
        "point behind a network load balancer does not work.",
        tuple(commands),
        (
            cm("Get-CMManagementPoint -SiteCode {code} | Select-Object -ExpandProperty Props", code=_site_code(plan)),
            console("Administration, Cloud Services, Cloud Management Gateway, Role endpoints: they are listed"),
        ),
        ("connection-points",),
    )


def _clients(plan: Plan) -> Step:
    lines = [
        "Administration, Client Settings, Cloud Services: Enable clients to use a cloud management gateway: Yes",
    ]
    if plan.content.enabled:
        lines.append("There, too: Allow access to cloud distribution point: Yes")
    if ClientAuthentication.ENTRA in plan.clients.authentication:
        lines.append(
            "There, too: Automatically register new Windows domain joined devices with Microsoft Entra ID: Yes"
        )
    if plan.certificate.source is CertificateSource.OWN_PKI:
        lines.append("Bring the root of the server certificate to every device, by group policy for example")
    commands = [console(*lines)]
    if ClientAuthentication.TOKEN in plan.clients.authentication:
        commands.append(
            Command(Shell.POWERSHELL, "BulkRegistrationTokenTool.exe /new", "on the top-level site server, in bin\\X64")
        )
    return Step(
        "clients",
        "Tell the clients",
        Who.SITE,
        "They learn of the gateway with their next location request, within 24 hours, or when CCMExec starts again.",
        tuple(commands),
        (
            Command(
                Shell.POWERSHELL,
                "Get-CimInstance -Namespace root\\ccm\\LocationServices -ClassName SMS_ActiveMPCandidate | "
                "Where-Object Type -eq 'Internet'",
                "on a client",
            ),
        ),
        ("roles-behind",),
    )


def _analyse(plan: Plan) -> Step:
    way = "client certificate" if client_certificates_wanted(plan) else "Entra user"
    return Step(
        "analyse",
        "Run the connection analyzer, and let a first client come from the internet",
        Who.SITE,
        "The analyzer goes the whole way to every management point.",
        (
            console(
                "Administration, Cloud Services, Cloud Management Gateway, Connection Analyzer",
                f"Authenticate with: {way}; Start",
            ),
            sh("curl", "--head", f"https://{plan.names.service_name}/CCM_Proxy_MutualAuth/ServiceMetadata"),
        ),
        (
            console(
                "Every line of the analyzer is green; the client's console shows Connection type: Currently Internet"
            ),
        ),
        ("clients",),
    )


def _less_rights(plan: Plan) -> Step:
    scope = f"/subscriptions/{azure.subscription(plan)}"
    return Step(
        "less-rights",
        "Take Owner away again",
        Who.AZURE,
        "The service connection point works with the server application, which has Contributor on the resource group.",
        (sh("az", "role", "assignment", "delete", "--assignee", azure.WHO, "--role", "Owner", "--scope", scope),),
        (sh("az", "role", "assignment", "list", "--assignee", azure.WHO, "--scope", scope, "--output", "table"),),
        ("analyse",),
    )
