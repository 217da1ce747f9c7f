"""``causeway cert request`` and ``import``: hand a request to any authority, and take in what it gives."""

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
    run_deploy_hook,
    what_for,
)
from causeway.cli.shared.options import JsonOption
from causeway.cli.shared.output import print_json, stdout
from causeway.cli.shared.passphrase import PassphraseOption, new_passphrase, read_asking
from causeway.errors import OperatorError
from causeway.pki.bundle import Bundle
from causeway.pki.chain import belongs_to, build_chain, find_leaf
from causeway.pki.errors import CertificateFileError
from causeway.pki.folder import CertificateFolder
from causeway.pki.keys import CertificateKey
from causeway.pki.recipe import Recipe, Source, read_recipe, write_recipe
from causeway.pki.requests import ServerNames, new_key, new_request


def request(
    folder: FolderOption = FOLDER,
    plan: PlanOption = None,
    name: NamesOption = None,
    organisation: OrganisationOption = None,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="Leave the key's protection to its file's rights.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Give a request up that was not answered.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a key and a request for it: `request.key` stays here, `request.csr` goes to the authority."""
    names, kind = what_for(plan, name, organisation, key)
    place = CertificateFolder(folder)
    if place.request_key.exists() and not replace:
        raise OperatorError(
            f"{place.request}: waits for its answer already; take that in with `causeway cert import`, or --replace it"
        )
    passphrase = None
    if not no_passphrase:
        passphrase = new_passphrase(passphrase_file, f"{place.request_key}", " or --no-passphrase")
    make_request(place, names, new_key(kind), passphrase)
    write_recipe(
        place.recipe,
        Recipe(
            source=Source.REQUEST,
            common_name=names.common_name,
            organisation=names.organisation,
            alternative_names=names.alternative_names,
            key=kind,
        ),
    )
    if as_json:
        print_json({"request": place.request, "key": place.request_key, "names": names.all_names})
        return
    stdout.print(
        f"{place.request}: hand it to the authority, then `causeway cert import ANSWER --folder {folder}`",
        markup=False,
        soft_wrap=True,
    )


def make_request(place: CertificateFolder, names: ServerNames, key: CertificateKey, passphrase: bytes | None) -> None:
    """Keep a request for ``names`` with ``key``.

    Raises:
        OperatorError: a name is none that a certificate can hold.
    """
    try:
        made = new_request(names, key)
    except ValueError as error:
        raise OperatorError(f"{', '.join(names.all_names)}: not names of a certificate: {error}") from error
    place.write_request(made, key, passphrase)


def take_in(
    files: Annotated[list[Path], typer.Argument(help="What the authority gave: PEM, DER, PFX or PKCS #7; any number.")],
    folder: FolderOption = FOLDER,
    key: Annotated[
        Path | None, typer.Option("--key", help="The key's file, where it is neither among FILES nor the request's.")
    ] = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a certificate in: its chain is completed and put in order, its key found, and both put where they serve."""
    place = CertificateFolder(folder)
    bundle = read_asking(files, passphrase_file)
    before = place.serving()
    private = bundle.key or _key(key, place, bundle, passphrase_file)
    leaf = find_leaf(bundle.certificates, private, ", ".join(map(str, files)))
    chain = build_chain(leaf, bundle.certificates)
    place.install(chain, private)
    if place.recipe.exists():
        run_deploy_hook(read_recipe(place.recipe).deploy_hook, place)
    installed(place, chain, before, as_json=as_json)


def _key(key: Path | None, place: CertificateFolder, bundle: Bundle, passphrase_file: Path | None) -> CertificateKey:
    """The key that belongs to one of the certificates: the named one's, the request's, or the one that serves now."""
    candidates = [key] if key is not None else [path for path in (place.request_key, place.key) if path.exists()]
    for path in candidates:
        found = read_asking([path], passphrase_file).key
        if found is not None and any(belongs_to(one, found) for one in bundle.certificates):
            return found
    if not candidates:
        raise CertificateFileError("there is no key: name its file with --key, or the request's folder with --folder")
    raise CertificateFileError(
        f"{', '.join(map(str, candidates))}: not the certificate's key; name the right one with --key"
    )
