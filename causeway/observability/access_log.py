"""One line a request, for hops that serve thousands a second: lines are gathered and written together."""

import asyncio
import json
import os
import select
import time

_FLUSH_S = 0.25
_MAX_LINES = 512
_PATH_CHARACTERS = 512


class AccessLog:
    """Writes JSON lines to a descriptor, at most a quarter of a second late.

    Args:
        part: the part of the system, as in all other events.
        descriptor: where to write; standard error, as all other events.
        enabled: False drops every line.
    """

    def __init__(self, part: str, *, enabled: bool = True, descriptor: int = 2) -> None:
        self._prefix = f'{{"event":"request","part":"{part}","timestamp":'
        self._descriptor = descriptor
        self._lines: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._second = 0
        self._stamp = ""
        self._writable = select.poll()
        self._writable.register(descriptor, select.POLLOUT)
        self.enabled = enabled

    def write(
        self,
        request_id: bytes,
        method: bytes,
        path: bytes,
        endpoint: bytes,
        status: int,
        word: str,
        seconds: float,
        bytes_in: int,
        bytes_out: int,
        client: bytes,
    ) -> None:
        """Note a request. ``path`` is without the query, which may hold what is nobody's business."""
        if not self.enabled:
            return
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        word_field = f'"word":"{word}",' if word else ""
        self._lines.append(
            f'{self._prefix}"{self._stamp}","request_id":"{request_id.decode()}","method":"{method.decode()}",'
            f'"path":{json.dumps(path[:_PATH_CHARACTERS].decode("latin-1"))},"endpoint":"{endpoint.decode()}","status":{status},{word_field}'
            f'"ms":{seconds * 1000:.2f},"bytes_in":{bytes_in},"bytes_out":{bytes_out},"client":"{client.decode()}"}}\n'
        )
        if len(self._lines) >= _MAX_LINES:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_S, self.flush)

    def flush(self) -> None:
        """Write what is gathered; lines are lost rather than the service stopped where nobody reads them."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        piece = b""
        for line in lines:
            data = line.encode()
            if len(piece) + len(data) > select.PIPE_BUF:
                if not self._write(piece):
                    return
                piece = b""
            piece += data
        self._write(piece)

    def _write(self, lines: bytes) -> bool:
        """Write whole lines, no more than a pipe takes at once: workers share it, and lines must not get mixed."""
        try:
            if not self._writable.poll(0):
                return False
            os.write(self._descriptor, lines)
        except OSError:
            return False
        return True
