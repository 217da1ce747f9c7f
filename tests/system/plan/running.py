"""``causeway plan`` as a process, with and without a terminal."""

import os
import pty
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

CAUSEWAY = (sys.executable, "-m", "causeway.cli")
CONTOSO = (
    "--organisation=Contoso",
    "--service-name=gateway.contoso.com",
    "--connection-point=cp01.corp.contoso.com",
    "--connection-point=cp02.corp.contoso.com",
    "--management-point=mp01.corp.contoso.com",
    "--software-update-point=sup01.corp.contoso.com",
    "--site-host=cm01.corp.contoso.com",
    "--site-code=PS1",
    "--tenant-id=11111111-2222-3333-4444-555555555555",
    "--subscription-id=66666666-7777-8888-9999-000000000000",
    "--clients=5000",
)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Ours, with a cache of its own and without colours."""
    return {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "NO_COLOR": "1", **more}


def plan(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run ``causeway plan`` in ``folder``, without a terminal."""
    return subprocess.run(
        [*CAUSEWAY, "plan", *arguments],
        cwd=folder,
        env=environment(folder, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def at_a_terminal(folder: Path, arguments: Sequence[str], answers: Mapping[str, Sequence[str]]) -> tuple[int, str]:
    """Run ``causeway plan`` at a terminal; what it asks is answered from ``answers``, else with its default.

    Args:
        folder: where it runs.
        arguments: after ``causeway plan``.
        answers: by the text of the question, one after the other.

    Returns:
        The exit code and everything that was shown.
    """
    left = {question: list(given) for question, given in answers.items()}
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*CAUSEWAY, "plan", *arguments],
        cwd=folder,
        env=environment(folder, TERM="dumb", COLUMNS="200"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown, unanswered = "", ""
    try:
        while True:
            try:
                chunk = os.read(ours, 4096).decode(errors="replace")
            except OSError:  # how Linux says that the other end is closed
                break
            if not chunk:
                break
            shown += chunk
            unanswered += chunk
            if unanswered.endswith(": "):
                asked = next((question for question in left if f"  {question}" in unanswered.splitlines()[-1]), None)
                answer = left[asked].pop(0) if asked and left[asked] else ""
                os.write(ours, f"{answer}\n".encode())
                unanswered = ""
        return process.wait(timeout=60), shown
    finally:
        os.close(ours)
        if process.poll() is None:
            process.kill()
            process.wait()
