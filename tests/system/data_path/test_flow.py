"""Large bodies in flat memory, and readers and writers that do not keep up without anybody else noticing."""

import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.data_path.client import Client
from tests.system.data_path.path import DataPath, endpoint
from tests.system.memory import MemoryWatch
from tests.system.nginx import nginx
from tests.system.origin import Exchange
from tests.system.processes import free_ports, wait_until

MIB = 1024 * 1024
LARGE = 256 * MIB
FLAT = 32 * MIB
"""What a process may grow by while it passes on bodies of any size: buffers and credit, not the bodies."""
LONGEST_WAIT_S = 5.0
"""For a small answer, on a machine that has other things to do. Who is stalled stands still for far longer."""


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataPath]:
    """A path of one worker, so that all clients share one tunnel; ``/files`` is a real nginx."""
    folder = tmp_path_factory.mktemp("single")
    files = folder / "files"
    files.mkdir()
    with (files / "large").open("wb") as file:
        file.truncate(LARGE)
    port = free_ports()
    path = DataPath(folder, workers=1, gateway={"limits": {"head_timeout_s": 60.0}})
    with nginx(folder / "nginx", files, port), path.running():
        path.publish_also(endpoint("files", "/files", f"http://127.0.0.1:{port}"))
        with path.connect() as client:
            client.ask("GET", "/files/")  # warm
        yield path


@contextlib.contextmanager
def memory_stays_flat(path: DataPath, *, within: int = FLAT) -> Iterator[None]:
    """Fail where a process of the data path grows by more than ``within`` bytes at any time in the block."""
    parts = (path.gateway, *path.points.values())
    before = {pid: size for part in parts for pid, size in part.resident_bytes().items()}
    with MemoryWatch(before) as memory:
        yield
    grown = {pid: growth // MIB for pid, growth in memory.grown_bytes.items()}
    assert all(growth * MIB <= within for growth in grown.values()), f"grown by MiB: {grown}"


def read_away(client: Client, size: int) -> int:
    count = 0
    while count < size and (data := client.read(min(MIB, size - count))):
        count += len(data)
    return count


def test_a_large_download_leaves_memory_flat(single: DataPath) -> None:
    with memory_stays_flat(single), single.connect() as client:
        client.start("GET", "/files/large")
        assert client.head().header("Content-Length") == str(LARGE)
        assert read_away(client, LARGE) == LARGE
        assert client.ask("GET", "/app/x").status == 200


def test_a_large_download_to_a_slow_reader_leaves_memory_flat(single: DataPath) -> None:
    with memory_stays_flat(single), single.connect() as client:
        client.start("GET", "/files/large")
        assert client.head().status == 200
        held = "causeway_connection_point_streams_held"
        wait_until(lambda: single.points["cp1"].metric(held) == 1, what="the download to be held back")
        assert read_away(client, 64 * MIB) == 64 * MIB


def count_body(exchange: Exchange) -> None:
    count = 0
    size = int(exchange.request.header("Content-Length") or 0)
    while count < size:
        count += len(exchange.read(MIB))
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%d" % (len(str(count)), count))


def test_a_large_upload_leaves_memory_flat(single: DataPath) -> None:
    single.origin.on("/count", count_body)
    piece = bytes(MIB)
    with memory_stays_flat(single), single.connect() as client:
        client.start("PUT", "/app/count", f"Content-Length: {LARGE}")
        for _ in range(LARGE // MIB):
            client.send(piece)
        assert client.answer().body == str(LARGE).encode()
        assert client.ask("GET", "/app/x").status == 200


def test_a_large_upload_in_chunks_leaves_memory_flat(single: DataPath) -> None:
    def handler(exchange: Exchange) -> None:
        count = 0
        while data := exchange.read(MIB):
            count += len(data)
            if data.endswith(b"0\r\n\r\n"):
                break
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    single.origin.on("/chunks-up", handler)
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with memory_stays_flat(single), single.connect() as client:
        client.start("PUT", "/app/chunks-up", "Transfer-Encoding: chunked")
        for _ in range(1024):
            client.send(chunk)
        client.send(b"0\r\n\r\n")
        assert client.answer().status == 200


def longest_wait_s(path: DataPath, requests: int = 100) -> float:
    """The longest that another client waits for one of many small answers."""
    longest = 0.0
    with path.connect() as client:
        for number in range(requests):
            started = time.monotonic()
            assert client.ask("GET", f"/app/{number}").status == 200
            longest = max(longest, time.monotonic() - started)
    return longest


def test_a_reader_that_stalls_stalls_nobody_else(single: DataPath) -> None:
    point = single.points["cp1"]
    with memory_stays_flat(single, within=2 * FLAT), contextlib.ExitStack() as stack:
        stalled = [stack.enter_context(single.connect()) for _ in range(8)]
        for client in stalled:
            client.start("GET", "/files/large")
        wait_until(lambda: point.metric("causeway_connection_point_streams_held") == 8, what="eight streams held")
        assert longest_wait_s(single) < LONGEST_WAIT_S
        assert single.gateway.metric("causeway_gateway_streams") == 8
    wait_until(lambda: point.metric("causeway_connection_point_streams_held") == 0, what="no stream held")
    wait_until(lambda: single.gateway.metric("causeway_gateway_streams") == 0, what="no stream left")


def test_a_stalled_reader_gets_everything_when_it_reads_again(single: DataPath) -> None:
    size = 48 * MIB
    pattern = bytes(range(256)) * (size // 256)
    single.origin.on("/pattern", lambda exchange: exchange.answer(pattern))
    with single.connect() as client:
        client.start("GET", "/app/pattern")
        assert client.head().status == 200
        held = "causeway_connection_point_streams_held"
        wait_until(lambda: single.points["cp1"].metric(held) == 1, what="the answer to be held back")
        assert client.read(size) == pattern


def test_a_site_system_that_does_not_read_stalls_nobody_else(single: DataPath) -> None:
    release = threading.Event()

    def handler(exchange: Exchange) -> None:
        assert release.wait(60)
        count_body(exchange)

    single.origin.on("/later", handler)
    with memory_stays_flat(single), single.connect() as client:
        client.start("PUT", "/app/later", f"Content-Length: {64 * MIB}")
        sender = threading.Thread(target=client.send, args=(bytes(64 * MIB),))
        sender.start()
        held = "causeway_gateway_streams_held"
        wait_until(lambda: single.gateway.metric(held) == 1, what="the upload to be held back")
        assert longest_wait_s(single) < LONGEST_WAIT_S
        release.set()
        sender.join(60)
        assert client.answer().body == str(64 * MIB).encode()
    assert single.gateway.metric(held) == 0


@pytest.mark.parametrize("target", ["/app/sixty", "/unpublished", "/CCM_Proxy_ServerAuth/ServiceMetadata"])
def test_a_client_that_asks_on_and_on_and_reads_nothing_costs_bounded_memory(single: DataPath, target: str) -> None:
    single.origin.on("/sixty", lambda exchange: exchange.answer(bytes(60_000)))
    request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    asked = 0
    with single.connect(window_bytes=8192) as client, memory_stays_flat(single):
        client.socket.settimeout(2.0)
        with contextlib.suppress(TimeoutError):
            for asked in itertools.count(1):
                client.send(request * 100)
                assert asked < 20_000, "the gateway reads without end"
        client.socket.settimeout(60.0)
        status = 404 if target == "/unpublished" else 200
        for _ in range(500):
            assert client.answer().status == status
    assert asked


def test_several_connection_points_share_the_load(tmp_path: Path) -> None:
    path = DataPath(tmp_path, workers=1, points=("cp1", "cp2", "cp3"))
    with path.running():
        wait_until(lambda: path.gateway.metric("causeway_gateway_tunnels") == 3, what="three tunnels")
        with path.connect() as client:
            for number in range(90):
                assert client.ask("GET", f"/app/{number}").status == 200
        served = [
            part.metric("causeway_connection_point_requests_total", endpoint="app", status="200")
            for part in path.points.values()
        ]
        assert sum(served) == 90
        assert min(served) >= 25
