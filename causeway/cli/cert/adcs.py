"""``causeway cert adcs``: Active Directory Certificate Services, by files or by web enrolment."""

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
    installed,
    what_for,
)
from causeway.cli.shared.help import examples, pointer
from causeway.cli.shared.options import JsonOption
from causeway.cli.shared.output import print_json, stdout
from causeway.cli.shared.passphrase import PassphraseOption, new_passphrase, read_asking
from causeway.errors import OperatorError
from causeway.files import make_private_folder, read_state, write_atomically
from causeway.pki.adcs.certreq import CLIENT_TEMPLATE, SERVER_TEMPLATE, Enrolment, commands, inf
from causeway.pki.chain import build_chain, find_leaf
from causeway.pki.errors import CertificateFileError
from causeway.pki.folder import CertificateFolder
from causeway.pki.requests import read_request

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Active Directory Certificate Services: files and commands for certreq, or web enrolment.",
    epilog=pointer("certificates.md#from-your-own-pki"),
)
TemplateOption = Annotated[str, typer.Option("--template", help="The template's name (not its display name).")]
_TEMPLATE = "CausewayGateway"


@app.command(epilog=examples("causeway cert adcs template --client"))
def template(
    client: Annotated[bool, typer.Option("--client", help="The devices' template instead of the gateway's.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what the certificate template must have."""
    lines = CLIENT_TEMPLATE if client else SERVER_TEMPLATE
    if as_json:
        print_json(list(lines))
        return
    for number, line in enumerate(lines, 1):
        stdout.print(f"{number}. {line}", markup=False, soft_wrap=True)
    if client:
        stdout.print("Then check a sample: `causeway cert inspect --client sample.cer root.cer`", markup=False)


@app.command(epilog=examples("causeway cert adcs certreq --plan causeway-plan.toml"))
def certreq(
    folder: FolderOption = FOLDER,
    plan: PlanOption = None,
    name: NamesOption = None,
    organisation: OrganisationOption = None,
    key: KeyOption = None,
    certificate_template: TemplateOption = _TEMPLATE,
    authority: Annotated[str, typer.Option("--ca", help="SERVER\\NAME of the authority; else Windows asks.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Print the commands for Windows; writes request.inf where no request was made here."""
    enrolment = Enrolment(certificate_template, authority)
    place = CertificateFolder(folder)
    made_here = place.request.exists()
    names, kind = (None, None) if made_here else what_for(plan, name, organisation, key)
    written = None
    if names is not None and kind is not None:
        make_private_folder(folder)
        written = folder / "request.inf"
        write_atomically(written, inf(names, kind, enrolment).replace("\n", "\r\n").encode(), mode=0o644)
    steps = commands(enrolment, made_here=made_here, name=names.common_name if names else "")
    if as_json:
        print_json({"inf": written, "steps": [{"what": what, "command": command} for what, command in steps]})
        return
    if written is not None:
        stdout.print(f"{written}: copy it to a server of the domain", markup=False, soft_wrap=True)
    for number, (what, command) in enumerate(steps, 1):
        stdout.print(f"{number}. {what}:", markup=False, soft_wrap=True)
        stdout.print(f"   {command}", markup=False, soft_wrap=True)


@app.command(
    epilog=examples("causeway cert adcs web https://ca01.corp.contoso.com/certsrv --user admin@corp.contoso.com")
)
def web(
    url: Annotated[str, typer.Argument(help="The pages' address, such as https://ca01.corp.example.com/certsrv.")],
    user: Annotated[str, typer.Option("--user", "-u", help="DOMAIN\\user or user@domain.")],
    password_file: Annotated[
        Path | None, typer.Option("--password-file", help="First line: the password; else it is asked for.")
    ] = None,
    basic: Annotated[bool, typer.Option("--basic", help="Send name and password instead of Negotiate.")] = False,
    folder: FolderOption = FOLDER,
    certificate_template: TemplateOption = _TEMPLATE,
    number: Annotated[int | None, typer.Option("--number", help="Fetch a request that waited.")] = None,
    ca_file: Annotated[Path | None, typer.Option("--ca-file", help="Roots to trust for the server.")] = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hand the request of `causeway cert request` in by web enrolment, over HTTPS, and take the certificate in."""
    from causeway.pki.adcs.web import WebEnrolment  # noqa: PLC0415  # an HTTP client, which no other command needs

    place = CertificateFolder(folder)
    if not place.request.exists():
        raise OperatorError(f"{place.request}: no request is there; make one with `causeway cert request` first")
    request = read_request(read_state(place.request, "the request"), str(place.request))
    password = new_passphrase(password_file, f"{user} at {url}", "").decode("utf-8", "replace")
    pages = WebEnrolment(url, user, password, basic, ca_file)
    certificates = pages.fetch(number) if number is not None else pages.submit(request, certificate_template)
    key = read_asking([place.request_key], passphrase_file).key
    if key is None:
        raise CertificateFileError(f"{place.request_key}: holds no key; make the request anew")
    before = place.serving()
    chain = build_chain(find_leaf(certificates, key, url), certificates)
    place.install(chain, key)
    installed(place, chain, before, as_json=as_json)
