"""Who may read the files of private keys."""

import shlex
import stat
from pathlib import Path

from causeway.observability.checks import CheckResult, Status

_NAME = "private keys"


def check_key_rights(*keys: Path) -> list[CheckResult]:
    """A warning for each key that everybody on this machine can read, since each could then stand in for its owner.

    A group's right to read is left alone: services get at their keys by it. A missing file is another check's.
    """
    there = [key for key in keys if key.is_file()]
    open_to_all = [key for key in there if key.stat().st_mode & stat.S_IRWXO]
    if not open_to_all:
        return [CheckResult(_NAME, ", ".join(map(str, there)), Status.PASS, "closed to other users")] if there else []
    return [
        CheckResult(
            _NAME,
            str(key),
            Status.WARN,
            "every user of this machine can use it",
            f"`chmod o= {shlex.quote(str(key))}`; if somebody may have read it, have another one issued",
        )
        for key in open_to_all
    ]
