"""``python -m fuzz``: every harness for a bounded time, one line each."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from fuzz.harnesses import NAMES

_HERE = Path(__file__).parent
CORPUS = _HERE / "corpus"
CRASHES = _HERE / "crashes"

_DICTIONARIES = {
    "request_head": "http",
    "response_head": "http",
    "chunked_body": "http",
    "publishing": "http",
    "tunnel_request": "http",
    "tunnel_handshake": "json",
    "gateway_settings": "json",
    "message": "xml",
    "message_documents": "xml",
}
_MAX_INPUT_BYTES = 4096
_MAX_RSS_MB = 512
_MAX_SECONDS_AN_INPUT = 5
_GRACE_S = 30
_WRONG_USE = 2

_COUNT = re.compile(r"^#(\d+)\t|number_of_executed_units:\s*(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one harness ended.

    Attributes:
        executions: inputs that were tried.
        exit_status: of the process; 0 where nothing was found.
        crash: the input that did it, saved; None where nothing was found.
        report: what the process said last.
    """

    harness: str
    executions: int
    exit_status: int
    crash: Path | None
    report: str


def main() -> int:
    """Run what the command line says; 1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Fuzz every reader of outside bytes.")
    parser.add_argument("--seconds", type=int, default=20, metavar="N", help="for each harness (default 20)")
    parser.add_argument("harnesses", nargs="*", metavar="harness", help=f"of {', '.join(NAMES)} (default all)")
    options = parser.parse_args()
    unknown = sorted(set(options.harnesses) - set(NAMES))
    if unknown or options.seconds < 1:
        parser.print_usage(sys.stderr)
        sys.stderr.write(f"error: no harness {', '.join(unknown)}\n" if unknown else "error: --seconds is at least 1\n")
        return _WRONG_USE
    outcomes = []
    for name in options.harnesses or NAMES:
        outcome = fuzz(name, options.seconds)
        outcomes.append(outcome)
        sys.stdout.write(f"{name:<18} {outcome.executions:>9} executions  exit {outcome.exit_status}\n")
        if outcome.exit_status:
            sys.stdout.write(f"{outcome.report}\n{name}: input saved as {outcome.crash}\n")
        sys.stdout.flush()
    return 1 if any(outcome.exit_status for outcome in outcomes) else 0


def fuzz(name: str, seconds: int) -> Outcome:
    """Run one harness. What it finds new stays in the cache, and the next run starts from there, too."""
    found = _cache() / name
    found.mkdir(parents=True, exist_ok=True)
    (CORPUS / name).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="causeway-fuzz-") as temporary:
        folder = Path(temporary, "found")
        folder.mkdir()
        arguments = [
            f"-max_total_time={seconds}",
            f"-max_len={_MAX_INPUT_BYTES}",
            f"-rss_limit_mb={_MAX_RSS_MB}",
            f"-timeout={_MAX_SECONDS_AN_INPUT}",
            "-print_final_stats=1",
        ]
        if name in _DICTIONARIES:
            arguments.append(f"-dict={_HERE / 'dictionaries' / _DICTIONARIES[name]}.dict")
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "fuzz.engine",
            name,
            folder,
            *arguments,
            found,
            CORPUS / name,
        ]
        status, output = _run(command, temporary, seconds)
        crash = _keep(name, sorted(folder.iterdir()))
    counts = [int(first or last) for first, last in _COUNT.findall(output)]
    return Outcome(name, max(counts, default=0), status, crash, _last_words(output))


def _run(command: list[str | Path], temporary: str, seconds: int) -> tuple[int, str]:
    """Exit status and output. What it leaves in its temporary folder goes with ours: it ends without cleaning."""
    try:
        done = subprocess.run(  # noqa: S603  # our own program
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=_HERE.parent,
            env={**os.environ, "TMPDIR": temporary},
            timeout=seconds + _GRACE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return 1, f"{(error.stdout or b'').decode(errors='replace')}\nit did not stop by itself"
    return done.returncode, done.stdout.decode(errors="replace")


def _keep(name: str, artefacts: list[Path]) -> Path | None:
    """Save the input that did harm; from there it goes into the corpus when the fault is mended."""
    if not artefacts:
        return None
    CRASHES.mkdir(exist_ok=True)
    kept = CRASHES / f"{name}-{artefacts[0].name}"
    shutil.copyfile(artefacts[0], kept)
    return kept


def _last_words(output: str) -> str:
    lines = [line for line in output.splitlines() if not line.startswith(("#", "INFO", "WARNING"))]
    return "\n".join(lines[-30:])


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "causeway-fuzz"
