"""``causeway check``: whether the world is as the plan needs it. Each group's options are in ``check_<group>``."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from causeway.azure.sign_in import CredentialSource
from causeway.cli import (
    check_azure,
    check_certificate,
    check_directory,
    check_dns,
    check_entra,
    check_network,
    check_progress,
    check_site,
)
from causeway.cli.azure_options import CredentialOption
from causeway.cli.check_watch import watch
from causeway.cli.entra_options import ClientApp, ServerApp
from causeway.cli.output import print_checks
from causeway.plan.document import FILE, read_plan
from causeway.preflight import names
from causeway.preflight.probe import Group, Probe

app = typer.Typer(add_completion=False)


@app.command()
def check(
    plan_file: Annotated[Path, typer.Option("--plan", "-p", help="The plan.", show_default=str(FILE))] = FILE,
    only: Annotated[list[Group] | None, typer.Option("--only", help="Only this group. May repeat.")] = None,
    certificate: check_certificate.CertificateFiles = None,
    server: check_certificate.Server = None,
    ca: check_certificate.Authorities = None,
    passphrase_file: check_certificate.PassphraseFile = None,
    client_trust: check_certificate.ClientTrust = None,
    client_sample: check_certificate.ClientSample = None,
    resolver: check_dns.Resolvers = None,
    authoritative: check_dns.Authoritative = None,
    source: check_network.Source = None,
    proxy_user: check_network.ProxyUser = None,
    proxy_password_file: check_network.ProxyPasswordFile = None,
    site_client_certificate: check_site.ClientCertificateFile = None,
    site_client_key: check_site.ClientKeyFile = None,
    site_client_passphrase_file: check_site.ClientPassphraseFile = None,
    administration_service: check_site.AdministrationService = None,
    site_user: check_site.User = None,
    site_password_file: check_site.PasswordFile = None,
    site_kerberos: check_site.Kerberos = False,
    site_token_file: check_site.TokenFile = None,
    directory_server: check_directory.Servers = None,
    directory_transport: check_directory.TransportOption = None,
    directory_user: check_directory.User = "",
    directory_password_file: check_directory.PasswordFile = None,
    directory_keytab: check_directory.Keytab = None,
    credential: CredentialOption = CredentialSource.ANY,
    server_app: ServerApp = None,
    client_app: ClientApp = None,
    timeout_s: Annotated[float, typer.Option("--timeout", min=0.1, help="For everything, in seconds.")] = 30.0,
    watching: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    interval_s: Annotated[float, typer.Option("--interval", min=0.1, help="Between two looks, in seconds.")] = 10.0,
    until_pass: Annotated[bool, typer.Option("--until-pass", help="Watch until nothing fails any more.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object; of each look, on one line.")] = False,
) -> None:
    """Look whether the world is as a plan needs it, group by group; docs/checks.md explains every check.

    Exit code 0 where nothing failed, 1 where something did, 2 where the command was used wrongly.
    """
    plan = read_plan(plan_file)
    groups: dict[Group, Callable[[], tuple[Probe, ...]]] = {
        Group.NAMES: lambda: (*names.probes(plan), *check_azure.names_probes(plan, credential)),
        Group.AZURE: lambda: check_azure.probes(plan, plan_file, credential),
        Group.CERTIFICATE: lambda: (
            check_certificate.probes(plan, plan_file, certificate, server, ca, passphrase_file, timeout_s)
            + check_certificate.client_probes(client_trust, client_sample)
        ),
        Group.DNS: lambda: check_dns.probes(plan, plan_file, resolver, authoritative, timeout_s),
        Group.NETWORK: lambda: check_network.probes(plan, source, proxy_user, proxy_password_file, ca, timeout_s),
        Group.DIRECTORY: lambda: check_directory.probes(
            plan,
            directory_server,
            directory_transport,
            directory_user,
            directory_password_file,
            directory_keytab,
            ca,
            timeout_s,
        ),
        Group.SITE: lambda: check_site.probes(
            plan,
            ca,
            site_client_certificate,
            site_client_key,
            site_client_passphrase_file,
            administration_service,
            check_site.sign_in(site_user, site_password_file, site_kerberos, site_token_file),
            timeout_s,
        ),
        Group.ENTRA: lambda: check_entra.probes(plan, plan_file, credential, server_app, client_app, timeout_s),
    }
    wanted = [probe for group, probes in groups.items() if not only or group in only for probe in probes()]
    if watching or until_pass:
        how = {"timeout_s": timeout_s, "interval_s": interval_s}
        raise typer.Exit(watch(wanted, **how, until_pass=until_pass, as_json=as_json))
    raise typer.Exit(print_checks(check_progress.run(wanted, timeout_s=timeout_s), as_json=as_json))
