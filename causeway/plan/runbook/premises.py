"""Steps of the certificate, DNS, the directory and the network, which both kinds of gateway share."""

from dataclasses import replace
from pathlib import Path

from causeway.plan.certificate import certificate_need
from causeway.plan.document import Plan
from causeway.plan.firewall import tunnel_ports
from causeway.plan.groups import client_certificates_wanted, groups
from causeway.plan.names import cname_record, deployment_name
from causeway.plan.runbook.directory_commands import add_members, members_of, new_group
from causeway.plan.runbook.step import Command, Shell, Step, Who, console, ps, sh
from causeway.plan.values import CertificateSource, DnsHosting, GroupPurpose, Target

FOLDER = "certificate"
"""Where the certificate's files are, as ``causeway cert`` keeps them by itself."""


def sound(file: Path) -> Step:
    """The plan itself."""
    return Step(
        "plan",
        "See that nothing in the plan contradicts",
        Who.PLANNER,
        "What is found here costs a minute, and later a day.",
        (sh("causeway", "plan", "show", str(file), "--explain"),),
        (sh("causeway", "plan", "show", str(file)),),
    )


def directory_groups(plan: Plan, file: Path) -> tuple[Step, ...]:
    """The groups and their members."""
    wanted = groups(plan)
    if not wanted:
        return ()
    commands, done = [], []
    for group in wanted:
        commands.append(new_group(group))
        if group.members:
            commands.append(add_members(group.name, group.members))
        done.append(members_of(group.name))
    done.append(
        replace(
            sh("causeway", "check", "--plan", str(file), "--only", "directory"),
            note="with a ticket of `kinit`; docs/checks.md says how with a password or a keytab",
        )
    )
    return (
        Step(
            "groups",
            "Make the groups of the Active Directory",
            Who.DIRECTORY,
            "They say who may enrol which certificate. A computer learns of a new group when it starts again.",
            tuple(commands),
            tuple(done),
            ("plan",),
        ),
    )


def client_certificates(plan: Plan) -> tuple[Step, ...]:
    """Client certificates, for devices and connection points."""
    if not client_certificates_wanted(plan):
        return ()
    enrolling = [each.name for each in groups(plan) if each.purpose is GroupPurpose.CONNECTION_POINTS]
    return (
        Step(
            "client-certificates",
            "Let devices and connection points enrol client certificates",
            Who.PKI,
            "A device shows it to the gateway, a connection point to management points with HTTPS. Every root and "
            "intermediate of the chain must be known to the gateway: a missing one is a 401 to every client.",
            (
                sh("causeway", "cert", "adcs", "template", "--client"),
                console(
                    "Certification Authority: Certificate Templates, Manage, duplicate Workstation Authentication",
                    f"Security: Enroll and Autoenroll for {', '.join(['your devices', *enrolling])}",
                ),
            ),
            (sh("causeway", "cert", "inspect", "--client", "sample.cer", "root.cer"),),
            ("plan", *(("groups",) if groups(plan) else ())),
        ),
    )


def server_certificate(plan: Plan, file: Path) -> tuple[Step, ...]:
    """The server certificate, from a public authority or the own PKI, and for Microsoft's gateway its PFX."""
    found = [_public(plan, file) if plan.certificate.source is CertificateSource.PUBLIC_CA else _own(plan, file)]
    if plan.target is Target.CONFIGMGR:
        found.append(
            Step(
                "certificate-pfx",
                "Export the certificate for the wizard",
                Who.PLANNER,
                "The wizard reads a PFX with the private key. Start the console as administrator: otherwise it says "
                "that the password is wrong.",
                (sh("causeway", "cert", "export", "gateway.pfx", "--folder", FOLDER),),
                (sh("causeway", "cert", "inspect", "gateway.pfx", "--plan", str(file)),),
                ("certificate",),
            )
        )
    return tuple(found)


def obtain_certificate(plan: Plan, file: Path) -> Command:
    """What gets the server certificate, or begins to."""
    if plan.certificate.source is CertificateSource.PUBLIC_CA:
        return sh(
            "causeway", "cert", "acme", "--plan", str(file), "--folder", FOLDER, "--email",
            "<address for warnings>", "--agree", note="either by ACME",
        )  # fmt: skip
    return sh("causeway", "cert", "request", "--plan", str(file), "--folder", FOLDER)


def certificate_checked(file: Path) -> Command:
    """What looks at its files."""
    files = [word for name in ("server.pem", "server.key") for word in ("--certificate", f"{FOLDER}/current/{name}")]
    return sh("causeway", "check", "--plan", str(file), "--only", "certificate", *files)


def _public(plan: Plan, file: Path) -> Step:
    return Step(
        "certificate",
        f"Get the server certificate for {certificate_need(plan).common_name} from a public authority",
        Who.PLANNER,
        "By ACME, with a record in your DNS as proof, so that it renews itself; or by a request that you hand in "
        "where you buy certificates.",
        (
            obtain_certificate(plan, file),
            sh("causeway", "cert", "request", "--plan", str(file), "--folder", FOLDER, note="or by a request"),
            sh("causeway", "cert", "import", "<answer of the authority>", "--folder", FOLDER),
        ),
        (certificate_checked(file),),
        ("plan",),
    )


def _own(plan: Plan, file: Path) -> Step:
    return Step(
        "certificate",
        f"Get the server certificate for {certificate_need(plan).common_name} from your PKI",
        Who.PKI,
        "The key stays with who requests it. Every device must have the root, and the revocation list should be "
        "reachable from the internet.",
        (
            sh("causeway", "cert", "adcs", "template"),
            obtain_certificate(plan, file),
            sh("causeway", "cert", "adcs", "certreq", "--folder", FOLDER),
            sh("causeway", "cert", "import", "<answer of the authority>", "--folder", FOLDER),
        ),
        (certificate_checked(file),),
        ("plan", *(("groups",) if groups(plan) else ())),
    )


def dns(plan: Plan, file: Path, after: str) -> tuple[Step, ...]:
    """The CNAME record; nothing where the service name is the Azure name."""
    record = cname_record(plan)
    if record is None:
        return ()
    match plan.dns.hosting:
        case DnsHosting.AZURE_DNS:
            command = sh(
                "az", "network", "dns", "record-set", "cname", "set-record", "--resource-group",
                plan.dns.resource_group or "<resource group of the zone>", "--zone-name", record.zone,
                "--record-set-name", record.label, "--cname", record.target, "--ttl", str(record.ttl_s),
            )  # fmt: skip
        case DnsHosting.WINDOWS_DNS:
            command = ps(
                "Add-DnsServerResourceRecordCName -ZoneName {zone} -Name {label} -HostNameAlias {target} -TimeToLive "
                f"([TimeSpan]::FromSeconds({record.ttl_s}))",
                zone=record.zone,
                label=record.label,
                target=f"{record.target}.",
            )
        case DnsHosting.OTHER:
            command = Command(Shell.ZONE, f"{record.label} {record.ttl_s} IN CNAME {record.target}.")
    return (
        Step(
            "dns",
            f"Lead {record.name} to {deployment_name(plan)}",
            Who.DNS,
            f"In the public zone {record.zone}; where the same zone is kept inside, too, in that one as well, or "
            "devices on the premises do not find the gateway.",
            (command,),
            (
                sh("dig", "+short", "CNAME", record.name),
                sh("causeway", "check", "--plan", str(file), "--only", "dns"),
            ),
            (after,),
        ),
    )


def firewall(plan: Plan, file: Path) -> Step:
    """The firewall rules."""
    return Step(
        "firewall",
        "Open the way out",
        Who.NETWORK,
        "All rules go out, none comes in. Connections to the gateway must not be opened by TLS inspection.",
        (sh("causeway", "plan", "firewall", str(file), "--format", "csv", "--out", "firewall.csv"),),
        _reached(plan),
        ("plan",),
    )


def _reached(plan: Plan) -> tuple[Command, ...]:
    host, port = deployment_name(plan), tunnel_ports(plan)[0]
    note = f"on {', '.join(each.host for each in plan.connection_point)}, once the gateway is there"
    if plan.target is Target.CONFIGMGR:
        return (replace(ps(f"Test-NetConnection -ComputerName {{host}} -Port {port}", host=host), note=note),)
    return (sh("openssl", "s_client", "-brief", "-connect", f"{host}:{port}", note=note),)
