"""One line a request, for hops that serve thousands a second: lines are gathered and written together."""

import asyncio
import json
import os
import re
import select
import stat
import sys
import time
from typing import Final

from causeway.recent import Recent

_FLUSH_S: Final = 0.25
_MAX_LINES: Final = 512
_PATH_CHARACTERS: Final = 512
_NUMBERS: Final = [b"%d" % number for number in range(2048)]  # to format them one by one costs a tenth of a request
_HUNDREDTHS: Final = [b"%02d" % number for number in range(100)]
_NEEDS_ESCAPES: Final = re.compile(rb'["\\\x00-\x1f\x7f-\xff]')


class AccessLog:
    """Writes JSON lines to a descriptor, at most a quarter of a second late.

    Args:
        part: the part of the system, as in all other events.
        descriptor: where to write; standard error, as all other events.
        enabled: False drops every line.
    """

    def __init__(self, part: str, *, enabled: bool = True, descriptor: int = 2) -> None:
        self._part = part
        self._descriptor = descriptor
        self._lines: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._start = b""  # of the lines of this batch
        self._shown_paths: Recent[bytes] = Recent(most=1024, most_bytes=256)
        # Workers share the descriptor, and only so much goes into a pipe at once and unmixed; a file takes any batch.
        self._most_bytes = sys.maxsize if stat.S_ISREG(os.fstat(descriptor).st_mode) else select.PIPE_BUF
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
        lines = self._lines
        if not lines:
            self._begin()
        hundredths = int(seconds * 100_000 + 0.5)  # of a millisecond
        # Flat: compiled code would gather starred parts in a list first.
        pieces = (
            self._start,
            request_id,
            b'","method":"',
            method,
            b'","path":"',
            self._shown_paths.get(path) or self._shown(path),
            b'","endpoint":"',
            endpoint,
            b'","status":',
            _number(status),
            b',"word":"%b"' % word.encode() if word else b"",
            b',"ms":',
            _number(hundredths // 100),
            b".",
            _HUNDREDTHS[hundredths % 100],
            b',"bytes_in":',
            _number(bytes_in),
            b',"bytes_out":',
            _number(bytes_out),
            b',"client":"',
            client,
            b'"}\n',
        )
        lines.append(b"".join(pieces))
        if len(lines) >= _MAX_LINES:
            self.flush()

    def _begin(self) -> None:
        """Before the first line of a batch, all of which have its time."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._start = f'{{"event":"request","part":"{self._part}","timestamp":"{stamp}","request_id":"'.encode()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_S, self.flush)

    def _shown(self, path: bytes) -> bytes:
        shown = path[:_PATH_CHARACTERS]
        if _NEEDS_ESCAPES.search(shown):
            shown = json.dumps(shown.decode("latin-1"))[1:-1].encode()
        self._shown_paths.keep(path, shown)
        return shown

    def flush(self) -> None:
        """Write what is gathered; lines are lost rather than the service stopped where nobody reads them."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        first = size = 0
        for number, line in enumerate(lines):
            size += len(line)
            if size > self._most_bytes:
                if not self._write(b"".join(lines[first:number])):
                    return
                first, size = number, len(line)
        self._write(b"".join(lines[first:]))

    def _write(self, lines: bytes) -> bool:
        """Write whole lines."""
        try:
            if not self._writable.poll(0):
                return False
            os.write(self._descriptor, lines)
        except OSError:
            return False
        return True


def _number(value: int) -> bytes:
    return _NUMBERS[value] if 0 <= value < len(_NUMBERS) else b"%d" % value
