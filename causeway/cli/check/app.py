"""``causeway check``: whether the world is as the plan needs it. Each group's options are in a file of its name."""

from collections.abc import Callable
from typing import Annotated

import typer

from causeway.azure.sign_in import CredentialSource
from causeway.cli.check import azure as azure_checks
from causeway.cli.check import certificate as certificate_checks
from causeway.cli.check import directory as directory_checks
from causeway.cli.check import dns as dns_checks
from causeway.cli.check import entra as entra_checks
from causeway.cli.check import network as network_checks
from causeway.cli.check import progress
from causeway.cli.check import site as site_checks
from causeway.cli.check.followed_plan import FollowedPlan
from causeway.cli.check.proxy import ProxyPasswordFile, ProxyUser, web_proxy
from causeway.cli.check.watch import watch
from causeway.cli.shared.azure_options import CredentialOption
from causeway.cli.shared.entra_options import ClientApp, ServerApp
from causeway.cli.shared.help import examples
from causeway.cli.shared.options import PlanOption, TimeoutOption
from causeway.cli.shared.output import print_checks
from causeway.plan.document import FILE, Plan, read_plan
from causeway.preflight import names
from causeway.preflight.probe import Group, Probe

app = typer.Typer(add_completion=False)


@app.command(epilog=examples("causeway check --only dns --only certificate", "causeway check --watch --until-pass"))
def check(
    plan_file: PlanOption = FILE,
    only: Annotated[list[Group] | None, typer.Option("--only", help="Only this group. May repeat.")] = None,
    certificate: certificate_checks.CertificateFiles = None,
    server: certificate_checks.Server = None,
    ca: certificate_checks.Authorities = None,
    passphrase_file: certificate_checks.PassphraseFile = None,
    client_trust: certificate_checks.ClientTrust = None,
    client_sample: certificate_checks.ClientSample = None,
    resolver: dns_checks.Resolvers = None,
    authoritative: dns_checks.Authoritative = None,
    source: network_checks.Source = None,
    proxy_user: ProxyUser = None,
    proxy_password_file: ProxyPasswordFile = None,
    site_client_certificate: site_checks.ClientCertificateFile = None,
    site_client_key: site_checks.ClientKeyFile = None,
    site_client_passphrase_file: site_checks.ClientPassphraseFile = None,
    administration_service: site_checks.AdministrationService = None,
    site_user: site_checks.User = None,
    site_password_file: site_checks.PasswordFile = None,
    site_kerberos: site_checks.Kerberos = False,
    site_token_file: site_checks.TokenFile = None,
    directory_server: directory_checks.Servers = None,
    directory_transport: directory_checks.TransportOption = None,
    directory_user: directory_checks.User = "",
    directory_password_file: directory_checks.PasswordFile = None,
    directory_keytab: directory_checks.Keytab = None,
    credential: CredentialOption = CredentialSource.ANY,
    server_app: ServerApp = None,
    client_app: ClientApp = None,
    timeout_s: TimeoutOption = 30.0,
    watching: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    interval_s: Annotated[float, typer.Option("--interval", min=0.1, help="Seconds between two looks.")] = 10.0,
    until_pass: Annotated[bool, typer.Option("--until-pass", help="Watch until nothing fails any more.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value; one a look, on a line.")] = False,
) -> None:
    """Look whether the world is as a plan needs it, group by group; docs/checks.md explains every check.

    Exit code 0 where nothing failed, 1 where something did, 2 where the command was used wrongly.
    """

    def probes_of(plan: Plan) -> tuple[Probe, ...]:
        proxy = web_proxy(plan, proxy_user, proxy_password_file)
        groups: dict[Group, Callable[[], tuple[Probe, ...]]] = {
            Group.NAMES: lambda: (*names.probes(plan), *azure_checks.names_probes(plan, credential)),
            Group.AZURE: lambda: azure_checks.probes(plan, plan_file, credential),
            Group.CERTIFICATE: lambda: (
                certificate_checks.probes(plan, plan_file, certificate, server, ca, passphrase_file, proxy, timeout_s)
                + certificate_checks.client_probes(plan, plan_file, client_trust, client_sample)
            ),
            Group.DNS: lambda: dns_checks.probes(plan, plan_file, resolver, authoritative, timeout_s),
            Group.NETWORK: lambda: network_checks.probes(plan, source, proxy, ca, timeout_s),
            Group.DIRECTORY: lambda: directory_checks.probes(
                plan,
                directory_server,
                directory_transport,
                directory_user,
                directory_password_file,
                directory_keytab,
                ca,
                timeout_s,
            ),
            Group.SITE: lambda: site_checks.probes(
                plan,
                ca,
                site_client_certificate,
                site_client_key,
                site_client_passphrase_file,
                administration_service,
                site_checks.sign_in(site_user, site_password_file, site_kerberos, site_token_file),
                timeout_s,
            ),
            Group.ENTRA: lambda: entra_checks.probes(plan, plan_file, credential, server_app, client_app, timeout_s),
        }
        return tuple(probe for group, probes in groups.items() if not only or group in only for probe in probes())

    if watching or until_pass:
        how = {"timeout_s": timeout_s, "interval_s": interval_s}
        followed = FollowedPlan(plan_file, probes_of)
        raise typer.Exit(watch(followed.probes, **how, until_pass=until_pass, as_json=as_json))
    wanted = probes_of(read_plan(plan_file))
    raise typer.Exit(print_checks(progress.run(wanted, timeout_s=timeout_s), as_json=as_json))
