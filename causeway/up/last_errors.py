"""The last things that went wrong, from what the parts write."""

import json
from collections import deque
from pathlib import Path
from typing import Any

_KEPT = 5
_EVENTS = {"refused", "request failed", "handshake failed"}
_LEVELS = {"warning", "error", "critical"}


class LastErrors:
    """Follows the parts' logs from now on.

    Attributes:
        lines: the last few, newest last, each a sentence for people.
    """

    def __init__(self, logs: Path) -> None:
        self._offsets = {path: path.stat().st_size for path in sorted(logs.glob("*.log"))}
        self.lines: deque[str] = deque(maxlen=_KEPT)

    def look(self) -> list[str]:
        """Read what is new; returns the new lines."""
        found = []
        for path, offset in self._offsets.items():
            with path.open("rb") as file:
                file.seek(offset)
                data = file.read()
            complete = data.rfind(b"\n") + 1
            self._offsets[path] = offset + complete
            found += [line for raw in data[:complete].splitlines() if (line := _sentence(raw))]
        self.lines.extend(found)
        return found


def _sentence(raw: bytes) -> str:
    try:
        event: dict[str, Any] = json.loads(raw)
    except ValueError:
        return ""
    name = event.get("event", "")
    if name not in _EVENTS and event.get("level") not in _LEVELS:
        return ""
    what = event.get("word") or event.get("reason") or ""
    where = event.get("path") or event.get("endpoint") or event.get("gateway") or event.get("peer") or ""
    request = f"request {event['request_id']}" if "request_id" in event else ""
    time = str(event.get("timestamp", ""))[11:19]
    return " ".join(part for part in (time, str(event.get("part", "")), name, str(what), str(where), request) if part)
