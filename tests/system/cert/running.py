"""``causeway cert`` as a process."""

import os
import subprocess
import sys
from pathlib import Path


def cert(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; nobody is there to type."""
    return subprocess.run(
        [sys.executable, "-m", "causeway.cli", "cert", *map(str, arguments)],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", **environment},
    )


def openssl(*arguments: str | Path, cwd: Path) -> str:
    """Run openssl."""
    done = subprocess.run(["openssl", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr
