"""Clients and how they authenticate."""

from collections.abc import Iterator

from causeway.plan.document import Plan
from causeway.plan.finding import PlanFinding, Severity
from causeway.plan.groups import client_certificates_wanted, connection_point_accounts
from causeway.plan.values import ClientAuthentication, GroupPurpose, ManagementPointMode, Target


def look(plan: Plan) -> Iterator[PlanFinding]:
    """What contradicts in ``[clients]`` and ``[directory]``."""
    methods = plan.clients.authentication
    if len(set(methods)) != len(methods):
        yield PlanFinding(
            Severity.WARNING,
            "MethodTwice",
            "clients.authentication",
            "a method stands there twice",
            "Once is enough.",
            "remove it",
        )
    if plan.clients.certificate_authorities and not client_certificates_wanted(plan):
        yield PlanFinding(
            Severity.WARNING,
            "AuthoritiesOfNoUse",
            "clients.certificate_authorities",
            "authorities of client certificates are named, and clients show none",
            "Only clients that authenticate with a certificate are held against them.",
            'add "certificate" to clients.authentication, or take them out',
        )
    if client_certificates_wanted(plan) and plan.clients.verify_revocation:
        yield _revocation(plan)
    if ClientAuthentication.TOKEN in methods and methods == (ClientAuthentication.TOKEN,):
        yield PlanFinding(
            Severity.NOTE,
            "TokensEnd",
            "clients.authentication",
            "clients authenticate with tokens of the site only",
            "A token lives 90 days and is renewed when the client starts; a device that is off for longer needs the "
            "premises or a new bulk registration token.",
            "add certificates or Entra ID where devices are away for long",
        )
    if ClientAuthentication.ENTRA in methods and plan.target is Target.CONFIGMGR:
        yield PlanFinding(
            Severity.NOTE,
            "EntraNeedsDiscovery",
            "clients.authentication",
            "clients authenticate with Entra ID",
            "Devices must be joined to Entra ID or hybrid, users discovered in both directories, and management points "
            "have ASP.NET 4.5.",
            "see `dsregcmd /status` on a device, and the discovery methods in the console",
        )
    yield from _management_point_modes(plan)
    yield from _groups(plan)


def _revocation(plan: Plan) -> PlanFinding:
    configmgr = plan.target is Target.CONFIGMGR
    return PlanFinding(
        Severity.NOTE,
        "RevocationReachable",
        "clients.verify_revocation",
        "the gateway looks whether client certificates were revoked",
        "Microsoft's gateway fetches the list from the internet; where it cannot, every client with a certificate "
        "fails, and each attempt costs traffic. It concerns certificates only, neither Entra ID nor tokens."
        if configmgr
        else "The site fetches the lists and hands them to the gateways with its settings. It concerns certificates "
        "only, neither Entra ID nor tokens.",
        "see that the URL in your client certificates' CRL distribution point answers "
        + ("from the internet" if configmgr else "at the site's server"),
    )


def _management_point_modes(plan: Plan) -> Iterator[PlanFinding]:
    for index, point in enumerate(plan.management_point):
        key = f"management_point.{index}.mode"
        if point.mode is ManagementPointMode.HTTP:
            yield PlanFinding(
                Severity.ERROR,
                "ManagementPointHttp",
                key,
                f"{point.host} takes plain HTTP",
                "Only management points with HTTPS or enhanced HTTP can be reached through a gateway.",
                "turn on enhanced HTTP for the site, or give the management point a certificate and HTTPS",
            )
        if point.mode is ManagementPointMode.ENHANCED_HTTP and plan.target is Target.CAUSEWAY:
            yield PlanFinding(
                Severity.NOTE,
                "EnhancedHttp",
                key,
                f"{point.host} has enhanced HTTP",
                "Its certificate is of the site itself, which connection points do not know.",
                "name the certificate that IIS shows as the authority of the site systems in connection-point.toml",
            )


def _groups(plan: Plan) -> Iterator[PlanFinding]:
    if not client_certificates_wanted(plan):
        return
    mine = [group for group in plan.directory.group if group.purpose is GroupPurpose.CONNECTION_POINTS]
    for index, group in enumerate(plan.directory.group):
        if group not in mine or not group.members:
            continue
        missing = {each.lower() for each in connection_point_accounts(plan)} - {each.lower() for each in group.members}
        if missing:
            yield PlanFinding(
                Severity.WARNING,
                "ConnectionPointNotInGroup",
                f"directory.group.{index}.members",
                f"{', '.join(sorted(missing)).upper()} is not named in {group.name}",
                "A connection point that cannot enrol a client certificate is refused by management points with HTTPS "
                "(403 CMGConnector_ClientCertificateRequired).",
                "add it to the members",
            )
