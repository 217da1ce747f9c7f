"""``causeway cert issue`` and ``acme``: certificates that need nobody's hands."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from causeway.cli.cert.options import (
    FOLDER,
    FolderOption,
    KeyOption,
    NamesOption,
    OrganisationOption,
    PlanOption,
    ask,
    installed,
    report,
    run_deploy_hook,
    what_for,
)
from causeway.cli.shared.options import JsonOption
from causeway.errors import OperatorError
from causeway.pki.folder import CertificateFolder
from causeway.pki.keys import CertificateKey
from causeway.pki.recipe import LETS_ENCRYPT, AcmeSection, DnsMethod, Recipe, Source, write_recipe
from causeway.pki.requests import ServerNames, new_key
from causeway.plan.certificate import public_refusal
from causeway.plan.values import KeyType


def issue(
    authority: Annotated[Path, typer.Option("--authority", "-a", help="The folder of Causeway's own authority.")],
    folder: FolderOption = FOLDER,
    plan: PlanOption = None,
    name: NamesOption = None,
    organisation: OrganisationOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Issue it by Causeway's own authority: for labs, and where every device has that root."""
    names, kind = what_for(plan, name, organisation, key)
    recipe = _recipe(Source.AUTHORITY, names, kind, authority=authority.absolute())
    obtain(CertificateFolder(folder), recipe, new_key(kind), as_json=as_json)


def acme(
    folder: FolderOption = FOLDER,
    plan: PlanOption = None,
    name: NamesOption = None,
    organisation: OrganisationOption = None,
    key: KeyOption = None,
    directory: Annotated[str, typer.Option("--directory", help="The authority's ACME directory.")] = LETS_ENCRYPT,
    email: Annotated[str | None, typer.Option("--email", help="Where the authority writes to.")] = None,
    agree: Annotated[bool, typer.Option("--agree", help="Agree to the authority's terms of service.")] = False,
    dns_hook: Annotated[
        str | None, typer.Option("--dns-hook", help="A command, called with present|clean-up NAME VALUE.")
    ] = None,
    dns_provider: Annotated[
        str | None,
        typer.Option("--dns-provider", help="A DNS service of dns-lexicon; credentials from LEXICON_… variables."),
    ] = None,
    dns_zone: Annotated[
        str, typer.Option("--dns-zone", help="The zone there, where it is a part of your domain that stands alone.")
    ] = "",
    dns_server: Annotated[
        list[str] | None, typer.Option("--dns-server", help="Ask this server for the record. May repeat.")
    ] = None,
    propagation_s: Annotated[float, typer.Option("--propagation", help="Seconds to wait for the record.")] = 300.0,
    account_key: Annotated[Path, typer.Option("--account-key", help="The account's key; made where missing.")] = Path(
        "acme-account.key"
    ),
    eab_key_id: Annotated[str | None, typer.Option("--eab-key-id", help="The external account's key id.")] = None,
    eab_mac_key_file: Annotated[Path | None, typer.Option("--eab-mac-key-file", help="And its MAC key's file.")] = None,
    ca_file: Annotated[
        Path | None, typer.Option("--ca-file", help="Roots to trust for the authority's server.")
    ] = None,
    deploy_hook: Annotated[str | None, typer.Option("--deploy-hook", help="A command to run afterwards.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Have it from a public authority by ACME; a TXT record in the domain's zone proves that the name is yours."""
    names, kind = what_for(plan, name, organisation, key)
    for one in names.all_names:
        if (refusal := public_refusal(one)) is not None:
            raise OperatorError(f"{one}: no public authority can issue it: {refusal}")
    if dns_hook and dns_provider:
        raise OperatorError("--dns-hook and --dns-provider each make the record; give one of them")
    method = DnsMethod.HOOK if dns_hook else DnsMethod.LEXICON if dns_provider else DnsMethod.MANUAL
    order = AcmeSection(
        directory=directory,
        account_key=account_key.absolute(),
        email=email,
        agree=agree,
        external_account=eab_key_id,
        external_account_key_file=eab_mac_key_file.absolute() if eab_mac_key_file else None,
        ca_file=ca_file.absolute() if ca_file else None,
        dns=method,
        hook=tuple(shlex.split(dns_hook or "")),
        provider=dns_provider or "",
        zone=dns_zone,
        servers=tuple(dns_server or ()),
        propagation_s=propagation_s,
    )
    # A public authority knows domains and not organisations: its subject holds no more than the name.
    names = ServerNames(names.common_name, "", names.alternative_names)
    recipe = _recipe(Source.ACME, names, kind, acme=order, deploy_hook=tuple(shlex.split(deploy_hook or "")))
    obtain(CertificateFolder(folder), recipe, new_key(kind), as_json=as_json)


def obtain(place: CertificateFolder, recipe: Recipe, key: CertificateKey, *, as_json: bool) -> None:
    """Carry the recipe out, have the certificate serve, and keep the recipe.

    Raises:
        CausewayError: it did not come to that.
    """
    from causeway.pki.issue import issue as carry_out  # noqa: PLC0415  # ACME, slow to load

    before = place.serving()
    try:
        chain = carry_out(recipe, key, ask=ask, report=report)
    except ValueError as error:
        raise OperatorError(f"{', '.join(recipe.names.all_names)}: not names of a certificate: {error}") from error
    place.install(chain, key)
    write_recipe(place.recipe, recipe)
    run_deploy_hook(recipe.deploy_hook, place)
    installed(place, chain, before, as_json=as_json)


def _recipe(
    source: Source,
    names: ServerNames,
    kind: KeyType,
    *,
    authority: Path | None = None,
    acme: AcmeSection | None = None,
    deploy_hook: tuple[str, ...] = (),
) -> Recipe:
    return Recipe(
        source=source,
        common_name=names.common_name,
        organisation=names.organisation,
        alternative_names=names.alternative_names,
        key=kind,
        authority=authority,
        acme=acme or AcmeSection(),
        deploy_hook=deploy_hook,
    )
