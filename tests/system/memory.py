"""How much memory processes take at most, watched from beside them."""

import threading
from collections.abc import Mapping
from typing import Self

import psutil

_EVERY_S = 0.02


class MemoryWatch:
    """Watches processes within the block.

    Args:
        before: what each of them holds, in bytes; the block may begin later.
    """

    def __init__(self, before: Mapping[int, int]) -> None:
        self._before = dict(before)
        self._highest = dict(before)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory")

    @property
    def grown_bytes(self) -> dict[int, int]:
        """By process: from what it held before to the most that was seen."""
        return {pid: self._highest[pid] - size for pid, size in self._before.items()}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        processes = {pid: psutil.Process(pid) for pid in self._before}
        while not self._over.wait(_EVERY_S):
            for pid, process in processes.items():
                self._highest[pid] = max(self._highest[pid], process.memory_info().rss)
