"""``causeway cert renew``: the same certificate again, before its time is over."""

import datetime as dt
from typing import Annotated

import typer

from causeway.cli.cert.obtain import obtain
from causeway.cli.cert.options import FOLDER, FolderOption
from causeway.cli.cert.request import make_request
from causeway.cli.shared.options import JsonOption
from causeway.cli.shared.output import print_json, stdout
from causeway.cli.shared.passphrase import PassphraseOption, new_passphrase
from causeway.errors import OperatorError
from causeway.pki.bundle import read_bundle
from causeway.pki.folder import CertificateFolder
from causeway.pki.recipe import Source, read_recipe
from causeway.pki.requests import new_key


def renew(
    folder: FolderOption = FOLDER,
    keep_key: Annotated[
        bool, typer.Option("--keep-key/--new-key", help="Go on with the same key, or make a new one.")
    ] = False,
    if_due: Annotated[
        bool, typer.Option("--if-due", help="Only where its time is nearly over: for a daily timer.")
    ] = False,
    passphrase_file: PassphraseOption = None,
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="Of a new request: leave its key to its file's rights.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Renew as recipe.toml says: at once by ACME or the own authority, by a new request elsewhere. Names stay."""
    from causeway.pki.issue import due  # noqa: PLC0415  # ACME, slow to load

    place = CertificateFolder(folder)
    recipe = read_recipe(place.recipe)
    serving = place.serving()
    if serving is None:
        raise OperatorError(f"{place.certificate}: there is none to renew; see `causeway cert --help`")
    if if_due:
        is_due, why = due(recipe, serving, now=dt.datetime.now(dt.UTC))
        if not is_due:
            if as_json:
                print_json({"due": False, "why": why})
            else:
                stdout.print(f"{place.certificate}: {why}", markup=False, soft_wrap=True)
            return
    key = read_bundle(place.key).key if keep_key else new_key(recipe.key)
    if key is None:
        raise OperatorError(f"{place.key}: holds no private key; renew with --new-key")
    if recipe.source is not Source.REQUEST:
        obtain(place, recipe, key, as_json=as_json)
        return
    if place.request.exists():
        raise OperatorError(
            f"{place.request}: waits for its answer already; take that in with `causeway cert import`, or remove it"
        )
    passphrase = None
    if not no_passphrase:
        passphrase = new_passphrase(passphrase_file, str(place.request_key), " or --no-passphrase")
    make_request(place, recipe.names, key, passphrase)
    if as_json:
        print_json({"due": True, "request": place.request})
        return
    stdout.print(
        f"{place.request}: hand it to the authority, then `causeway cert import ANSWER --folder {folder}`, which says "
        "what is different",
        markup=False,
        soft_wrap=True,
    )
