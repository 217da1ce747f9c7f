"""Where the workers' sockets are while a gateway runs.

In the system's temporary folder and not beside the state, since the path of a socket may have no more than 107 bytes. A
gateway that was killed leaves its folder behind, and the next one to start takes it away: a folder is its owner's as
long as somebody holds the lock on it, which is the supervisor and every process that it has forked.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import structlog

log = structlog.get_logger()

_PREFIX = "causeway-gateway-"


@contextlib.contextmanager
def runtime_folder() -> Iterator[Path]:
    """A folder for this process and its children alone; gone at the end of the block."""
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked_folder() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        # Another one that just starts may take it for one that was left behind before it is locked.
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock).st_nlink:
                return folder, lock
            os.close(lock)


def remove_left_behind() -> None:
    """Take away the folders of gateways of this user that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            # Whatever others put there under that name is theirs.
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            if os.fstat(lock).st_uid == os.geteuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
                log.info("removed what a killed gateway left behind", folder=str(folder))
        except BlockingIOError:
            pass  # its owner lives
        finally:
            os.close(lock)
