"""One harness under atheris, in a process of its own: libFuzzer ends the process when it is done."""

import hashlib
import logging
import os
import sys
import traceback
from pathlib import Path

import atheris
import structlog

from fuzz.harnesses import load

FOUND = 77
"""The exit status where an input did harm; libFuzzer has others for inputs that take too long or too much memory."""


def main() -> None:
    """Fuzz a harness: its name, the folder for harmful inputs, then libFuzzer's own command line."""
    name, folder = sys.argv.pop(1), Path(sys.argv.pop(1))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with atheris.instrument_imports(include=["causeway", "fuzz.harnesses"]):
        check = load(name)

    def one(data: bytes) -> None:
        try:
            check(data)
        except BaseException:
            # Here and at once, not by way of libFuzzer: its timer may end the process before it has saved the input.
            (folder / f"crash-{hashlib.sha256(data).hexdigest()[:16]}").write_bytes(data)
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(FOUND)

    atheris.Setup([*sys.argv, f"-artifact_prefix={folder}/"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
