"""Passphrases on the command line: from a file or from the terminal, never from an argument."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from causeway.files import read_state
from causeway.pki.bundle import Bundle, read_bundles
from causeway.pki.errors import PassphraseError

PassphraseOption = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="A file whose first line is the passphrase; else it is asked for."),
]


def from_file(path: Path | None) -> bytes | None:
    """The first line of ``path``; None where there is no file.

    Raises:
        StateError: it cannot be read.
        PassphraseError: it is empty.
    """
    if path is None:
        return None
    lines = read_state(path, "the passphrase").splitlines()
    if not lines or not lines[0]:
        raise PassphraseError(f"{path}: empty; its first line is the passphrase")
    return lines[0]


def new_passphrase(path: Path | None, what: str, without: str) -> bytes:
    """A passphrase for something new: from ``path``, or typed twice.

    Args:
        path: of ``--passphrase-file``.
        what: it protects.
        without: what to do where nobody can type.

    Raises:
        PassphraseError: there is no terminal to ask.
    """
    given = from_file(path)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise PassphraseError(f"{what} needs a passphrase: give --passphrase-file{without}")
    return str(typer.prompt(f"Passphrase for {what}", hide_input=True, confirmation_prompt=True, err=True)).encode()


def read_asking(paths: Sequence[Path], passphrase_file: Path | None) -> Bundle:
    """What certificate files hold together; where one needs a passphrase that is not in the file, it is typed.

    Raises:
        StateError: a file is missing or unreadable.
        CertificateFileError: one of them holds neither a certificate nor a key.
        PassphraseError: a passphrase is wrong, or there is no terminal to ask.
    """
    passphrase = from_file(passphrase_file)
    try:
        return read_bundles(paths, passphrase)
    except PassphraseError:
        if passphrase is not None or not sys.stdin.isatty():
            raise
        name = ", ".join(map(str, paths))
        typed = str(typer.prompt(f"Passphrase of {name}", hide_input=True, err=True))
        return read_bundles(paths, typed.encode())
