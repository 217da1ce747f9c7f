"""Processes of the systems: started, watched, stopped, and read from ``/proc``."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bench.errors import BenchError

_STOP_TIMEOUT_S = 5.0
_PR_SET_PDEATHSIG = 1
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def _end_with_parent() -> None:
    """Have the kernel end this process with the benchmark, however that ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One program that a system consists of, with its output in a file."""

    def __init__(
        self, name: str, arguments: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self._popen = subprocess.Popen(  # noqa: S603  # programs that the benchmark itself chose
                list(map(str, arguments)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  # the benchmark has no threads
            )

    @property
    def pids(self) -> list[int]:
        """Its own and its descendants'."""
        return descendants(self._popen.pid)

    def check(self) -> None:
        """Raise where it has ended.

        Raises:
            BenchError: with what it said last.
        """
        if self._popen.poll() is not None:
            lines = self.log.read_text(errors="replace").strip().splitlines()
            raise BenchError(f"{self.name} ended: {' / '.join(lines[-3:]) or 'it said nothing'} (log: {self.log})")

    def stop(self) -> None:
        """End it and what it started."""
        pids = self.pids
        self._popen.terminate()
        try:
            self._popen.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            for pid in pids:
                kill(pid)
            self._popen.wait()


def kill(pid: int) -> None:
    """End a process at once, if it is still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def descendants(pid: int) -> list[int]:
    """``pid`` and all processes below it."""
    found = [pid]
    for one in found:
        try:
            children = Path(f"/proc/{one}/task/{one}/children").read_text()
        except OSError:
            continue
        found += map(int, children.split())
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time that the processes have used so far.

    Raises:
        BenchError: one of them is gone.
    """
    return sum(map(_cpu_ticks, pids)) / _TICKS_PER_S


def _cpu_ticks(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError as error:
        raise BenchError(f"process {pid} of a system ended while it was measured") from error
    # The name, the second field, may hold spaces and parentheses; utime and stime are the 14th and 15th.
    fields = text[text.rindex(")") + 2 :].split()
    return int(fields[11]) + int(fields[12])


def memory_kb(pids: Iterable[int]) -> int:
    """Proportional set size: what is shared between processes counts once."""
    return sum(map(_pss_kb, pids))


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError as error:
        raise BenchError(f"process {pid} of a system ended while it was measured") from error
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
