"""``causeway cert export``: the certificate in the forms that other programs take."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from causeway.cli.cert.options import FOLDER, FolderOption
from causeway.cli.shared.output import stdout
from causeway.cli.shared.passphrase import PassphraseOption, new_passphrase
from causeway.errors import OperatorError
from causeway.files import write_atomically
from causeway.pki.bundle import read_bundle
from causeway.pki.export import PfxEncryption, key_pem, pem_chain, pfx
from causeway.pki.folder import CertificateFolder


class Form(StrEnum):
    """What is written."""

    PFX = "pfx"
    PEM = "pem"
    CHAIN = "chain"


def export(
    out: Annotated[Path, typer.Argument(help="The file to write.")],
    folder: FolderOption = FOLDER,
    form: Annotated[
        Form, typer.Option("--form", help="pfx, pem (certificate, chain and encrypted key), chain (no key).")
    ] = Form.PFX,
    encryption: Annotated[
        PfxEncryption, typer.Option("--encryption", help="Of a PFX: legacy is for Windows before Server 2019.")
    ] = PfxEncryption.MODERN,
    passphrase_file: PassphraseOption = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that exists.")] = False,
) -> None:
    """Export the certificate with its whole chain, and its key under a passphrase."""
    if out.exists() and not force:
        raise OperatorError(f"{out}: exists already; choose another name or --force")
    place = CertificateFolder(folder)
    chain = place.serving()
    if chain is None:
        raise OperatorError(f"{place.certificate}: there is none yet; see `causeway cert --help` for ways to get one")
    if form is Form.CHAIN:
        write_atomically(out, pem_chain(chain.certificates), mode=0o644)
    else:
        key = read_bundle(place.key).key
        if key is None:
            raise OperatorError(f"{place.key}: holds no private key; take the certificate in again")
        passphrase = new_passphrase(passphrase_file, str(out), "")
        data = (
            pfx(chain, key, passphrase, encryption, name=out.stem)
            if form is Form.PFX
            else pem_chain(chain.certificates) + key_pem(key, passphrase)
        )
        write_atomically(out, data)
    stdout.print(f"{out}: {len(chain.certificates)} certificates", markup=False, soft_wrap=True)
