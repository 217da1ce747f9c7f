"""The clients' process, and what it says."""

import json
import subprocess
import sys
import threading
from collections import Counter
from typing import Self

from tests.system.data_path.path import DataPath

_END_TIMEOUT_S = 90.0
_DEVICES = 3


class Clients:
    """Come and go within the block.

    Attributes:
        visits: by habit.
        answered: requests.
        failures: each a line.
    """

    def __init__(self, path: DataPath) -> None:
        asked = {
            "port": path.port,
            "root": str(path.certificates.root),
            "devices": [path.certificates.client(f"PC{number}").both for number in range(1, _DEVICES + 1)],
        }
        self._command = [sys.executable, "-m", "soak.churn", json.dumps(asked)]
        self._ended = False
        self.visits: Counter[str] = Counter()
        self.answered = 0
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603  # our own program
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True, name="clients")
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def stop(self) -> None:
        """Let the visits under way come to their end."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._reader.join(_END_TIMEOUT_S)
        if not self._ended:
            self.failures.append("the clients' process did not come to its end")

    def _read(self) -> None:
        for line in self._process.stdout or ():
            report = json.loads(line)
            self.visits = Counter(report["visits"])
            self.answered = report["answered"]
            self.failures = report["failures"]
            self._ended = report["ended"]
