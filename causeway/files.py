"""Files that must survive a kill at any moment."""

import os
import tempfile
from pathlib import Path

from causeway.errors import StateError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def make_private_folder(path: Path) -> None:
    """Create a folder (and its parents) that only its owner may enter.

    Raises:
        StateError: the folder cannot be made or written to; the message names it.
    """
    try:
        path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(
            f"{path}: cannot be made: {error.strerror}; choose another folder or change its rights"
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise StateError(f"{path}: not writable; choose another folder or change its rights")


def write_atomically(path: Path, data: bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Write ``data`` aside, bring it to the disk, then rename: a reader finds the old file or the new one, never half.

    Raises:
        StateError: the folder is missing, full or not writable.
    """
    try:
        descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise StateError(
            f"{path}: cannot be written: {error.strerror}; choose another folder or change its rights"
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(path)
    except OSError as error:
        Path(aside).unlink(missing_ok=True)
        raise StateError(f"{path}: cannot be written: {error.strerror}") from error
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_state(path: Path, what: str) -> bytes:
    """Read a state file.

    Raises:
        StateError: it is missing or unreadable; the message says which file, ``what`` it holds and why.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise StateError(f"{path}: {what} cannot be read: {error.strerror}") from error
