"""Who is who among the processes, what memory they hold, and how many descriptors."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil

from soak.logs import FollowedLog
from tests.system.data_path.path import DataPath


@dataclass(slots=True)
class Life:
    """One process as it was seen each second.

    Attributes:
        role: such as ``gateway worker 1``.
        samples: second and resident bytes.
    """

    role: str
    pid: int
    samples: list[tuple[float, int]] = field(default_factory=list)


class Watch:
    """Looks at every process of a data path that is ready.

    Attributes:
        lives: by process, those that have ended, too.
    """

    def __init__(self, path: DataPath) -> None:
        self._gateway = psutil.Process(path.gateway.pid)
        self._log = FollowedLog(path.gateway.log)
        self._logs = [self._log, *(FollowedLog(point.log) for point in path.points.values())]
        self._roles = {self._gateway.pid: "gateway supervisor"}
        self._roles |= {point.pid: "connection point" for point in path.points.values()}
        self._log.read()
        for child in self._gateway.children():
            if child.pid not in self._log.workers:
                self._roles[child.pid] = "gateway admin"
        self.lives: dict[int, Life] = {}

    def look(self, second: float) -> None:
        """Sample the memory of all, and read what they logged."""
        for log in self._logs:
            log.read()
        for process, role in self._processes():
            life = self.lives.setdefault(process.pid, Life(role, process.pid))
            life.samples.append((second, process.memory_info().rss))

    @property
    def complaints(self) -> list[str]:
        """What the parts logged as an error."""
        return [line for log in self._logs for line in log.complaints]

    def workers(self) -> list[int]:
        """The worker processes that are there, those that drain included."""
        return [process.pid for process, role in self._processes() if role.startswith("gateway worker")]

    def latest(self) -> list[tuple[str, int]]:
        """Role and resident bytes of those that are there."""
        return [(role, self.lives[process.pid].samples[-1][1]) for process, role in self._processes()]

    def descriptors(self) -> dict[str, int]:
        """Open descriptors by role; the most where two processes have one role, as while a worker is replaced."""
        found: dict[str, int] = {}
        for process, role in self._processes():
            found[role] = max(found.get(role, 0), process.num_fds())
        return found

    def _processes(self) -> Iterator[tuple[psutil.Process, str]]:
        """Those that are there; a worker has a role once it has said that it serves."""
        for pid in [*self._roles, *self._log.workers]:
            try:
                process = psutil.Process(pid)
                with process.oneshot():
                    if process.status() != psutil.STATUS_ZOMBIE:
                        yield process, self._roles.get(pid) or f"gateway worker {self._log.workers[pid]}"
            except psutil.NoSuchProcess:
                continue
