"""What the parts log, followed as it grows."""

import json
from pathlib import Path
from typing import Any

_REQUEST = b'{"event":"request"'
_BAD_LEVELS = {"error", "critical"}


class FollowedLog:
    """Reads only what is new.

    Attributes:
        workers: the number of the worker, by its process.
        complaints: errors, and what is no event at all, such as a traceback.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self.workers: dict[int, int] = {}
        self.complaints: list[str] = []

    def read(self) -> None:
        """Take what has been logged since the last time."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        complete = data.rfind(b"\n") + 1
        self._offset += complete
        for line in data[:complete].splitlines():
            if not line.startswith(_REQUEST):
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            event: dict[str, Any] = json.loads(line)
        except ValueError:
            self.complaints.append(line.decode("utf-8", "replace"))
            return
        if event.get("event") == "serving":
            self.workers[event["pid"]] = event["worker"]
        if event.get("level") in _BAD_LEVELS:
            self.complaints.append(line.decode("utf-8", "replace"))
