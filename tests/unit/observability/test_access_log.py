"""One JSON line a request, gathered, never in pieces, and never in the way."""

import asyncio
import fcntl
import json
import os
import select
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.observability.access_log import AccessLog


class Pipe:
    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)

    def read(self) -> bytes:
        data = b""
        try:
            while piece := os.read(self.reader, 1 << 20):
                data += piece
        except BlockingIOError:
            pass
        return data

    def close(self) -> None:
        os.close(self.reader)
        os.close(self.writer)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


def note(log: AccessLog, **changes: Any) -> None:
    fields: dict[str, Any] = {
        "request_id": b"00ff",
        "method": b"GET",
        "path": b"/x",
        "endpoint": b"app",
        "status": 200,
        "word": "",
        "seconds": 0.00125,
        "bytes_in": 1,
        "bytes_out": 2,
        "client": b"::1",
    }
    log.write(**(fields | changes))


async def test_a_line_has_every_field(pipe: Pipe) -> None:
    log = AccessLog("gateway", descriptor=pipe.writer)
    note(log)
    note(log, status=404, word="CMGService_NotPublished")
    assert pipe.read() == b""
    log.flush()
    first, second = map(json.loads, pipe.read().splitlines())
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "request",
        "part": "gateway",
        "request_id": "00ff",
        "method": "GET",
        "path": "/x",
        "endpoint": "app",
        "status": 200,
        "ms": 1.25,
        "bytes_in": 1,
        "bytes_out": 2,
        "client": "::1",
    }
    assert (second["status"], second["word"]) == (404, "CMGService_NotPublished")


async def test_lines_are_written_without_being_asked(pipe: Pipe) -> None:
    log = AccessLog("gateway", descriptor=pipe.writer)
    note(log)
    readable = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.reader, readable.set)
    await asyncio.wait_for(readable.wait(), 10)
    asyncio.get_running_loop().remove_reader(pipe.reader)
    assert pipe.read().count(b"\n") == 1


async def test_a_disabled_log_writes_nothing(pipe: Pipe) -> None:
    log = AccessLog("gateway", descriptor=pipe.writer, enabled=False)
    note(log)
    log.flush()
    assert pipe.read() == b""


@given(st.binary(max_size=300), st.sampled_from((b"GET", b"CCM_POST", b"!#$%&'*+-.^_`|~")))
def test_any_path_is_one_line_of_json(path: bytes, method: bytes) -> None:
    pipe = Pipe()
    try:
        log = AccessLog("gateway", descriptor=pipe.writer)
        log._timer = _NoTimer()  # type: ignore[assignment]  # as though one were running
        note(log, path=path, method=method)
        log.flush()
        (line,) = pipe.read().splitlines()
        assert json.loads(line)["path"].encode("latin-1") == path
    finally:
        pipe.close()


class _NoTimer:
    def cancel(self) -> None:
        """There is nothing to cancel."""


async def test_a_path_of_any_length_makes_a_line_of_bounded_length(pipe: Pipe) -> None:
    log = AccessLog("gateway", descriptor=pipe.writer)
    note(log, path=b"\x00" * 30_000)
    log.flush()
    assert len(pipe.read()) <= select.PIPE_BUF


async def test_every_write_is_of_whole_lines_that_a_pipe_takes_at_once(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []

    def write(_descriptor: int, data: bytes) -> int:
        written.append(data)
        return len(data)

    monkeypatch.setattr(os, "write", write)
    log = AccessLog("gateway", descriptor=pipe.writer)
    for number in range(512):
        note(log, path=b"/%d" % number)
    assert all(len(data) <= select.PIPE_BUF and data.endswith(b"\n") for data in written)
    assert [json.loads(line)["path"] for line in b"".join(written).splitlines()] == [f"/{n}" for n in range(512)]


async def test_a_reader_that_does_not_read_loses_lines_and_stops_nothing(pipe: Pipe) -> None:
    fcntl.fcntl(pipe.writer, fcntl.F_SETPIPE_SZ, 65536)
    log = AccessLog("gateway", descriptor=pipe.writer)
    for _ in range(5000):
        note(log)
    log.flush()
    lines = pipe.read().splitlines()
    assert 0 < len(lines) < 5000
    assert all(json.loads(line) for line in lines)


async def test_a_reader_that_is_gone_stops_nothing() -> None:
    pipe = Pipe()
    log = AccessLog("gateway", descriptor=pipe.writer)
    os.close(pipe.reader)
    note(log)
    log.flush()
    os.close(pipe.writer)
    note(log)
    log.flush()
