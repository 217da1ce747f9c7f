"""The TLS transport over a TLS socket that a test plays: what it reads, writes, waits for and lets go."""

import errno
import ssl
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from causeway.transport import TlsServerTransport, tls
from causeway.transport.tls import LINGER_S
from tests.unit.tunnel.manual import ManualLoop

FULL = bytes(tls._READ_BYTES)
"""A record that cannot hold more."""


class Loop(ManualLoop):
    """A loop with readiness."""

    def __init__(self) -> None:
        super().__init__()
        self.reader: Callable[[], None] | None = None
        self.writer: Callable[[], None] | None = None
        self.errors: list[dict[str, Any]] = []

    def add_reader(self, _descriptor: int, callback: Callable[[], None]) -> None:
        self.reader = callback

    def remove_reader(self, _descriptor: int) -> None:
        self.reader = None

    def add_writer(self, _descriptor: int, callback: Callable[[], None]) -> None:
        self.writer = callback

    def remove_writer(self, _descriptor: int) -> None:
        self.writer = None

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.errors.append(context)

    def readable(self) -> None:
        assert self.reader is not None
        self.reader()
        self.turn()

    def writable(self) -> None:
        assert self.writer is not None
        self.writer()
        self.turn()


class PlayedTls:
    """A TLS socket: the test says what comes, and how much fits."""

    def __init__(self) -> None:
        self.handshake: deque[Exception] = deque()
        self.incoming: deque[bytes | Exception] = deque()
        self.raw_incoming: deque[bytes] = deque()
        self.room = 1 << 30
        self.written = b""
        self.calls: list[str] = []
        self.decrypted = 0
        self.error = 0

    def getsockopt(self, _level: int, _option: int) -> int:
        return self.error

    def fileno(self) -> int:
        return 7

    def do_handshake(self) -> None:
        if self.handshake:
            raise self.handshake.popleft()

    def read(self, _size: int) -> bytes:
        assert "close" not in self.calls
        if not self.incoming:
            raise ssl.SSLWantReadError
        first = self.incoming.popleft()
        if isinstance(first, Exception):
            raise first
        return first

    def write(self, data: bytes) -> int:
        assert "unwrap" not in self.calls
        count = min(self.room, len(data))
        if not count:
            raise ssl.SSLWantWriteError
        self.room -= count
        self.written += bytes(data[:count])
        return count

    def pending(self) -> int:
        return self.decrypted

    def unwrap(self) -> None:
        self.calls.append("unwrap")
        raise ssl.SSLWantReadError

    def shutdown(self, _how: int) -> None:
        self.calls.append("shutdown")

    def close(self) -> None:
        self.calls.append("close")

    def recv(self, _size: int, flags: int = 0) -> bytes:
        if not self.raw_incoming:
            raise BlockingIOError
        return self.raw_incoming[0] if flags else self.raw_incoming.popleft()


class Protocol:
    def __init__(self) -> None:
        self.events: list[Any] = []
        self.react: Callable[[bytes], None] = lambda data: None
        self.keep_open = False

    def connection_made(self, transport: TlsServerTransport) -> None:
        self.events.append("made")

    def data_received(self, data: bytes) -> None:
        self.events.append(data)
        self.react(data)

    def eof_received(self) -> bool:
        self.events.append("end")
        return self.keep_open

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append(("lost", exc))


class Connection:
    """A transport with everything around it played."""

    def __init__(self, *handshake: Exception) -> None:
        self.loop = Loop()
        self.tls = PlayedTls()
        self.tls.handshake.extend(handshake)
        self.protocol = Protocol()
        self.done: list[Exception | None] = []
        self.transport = TlsServerTransport(
            self.loop,  # type: ignore[arg-type]
            self.tls,  # type: ignore[arg-type]
            self.protocol,
            ("192.0.2.1", 5),
            lambda _, error: self.done.append(error),
        )
        self.transport.start()
        if not handshake:
            self.protocol.events.clear()

    @property
    def events(self) -> list[Any]:
        return self.protocol.events


@pytest.fixture(autouse=True)
def played_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read past OpenSSL comes from the played socket, too."""
    raw = SimpleNamespace(recv=lambda played, size, flags=0: played.recv(size, flags))
    monkeypatch.setattr(tls, "socket", SimpleNamespace(socket=raw, MSG_PEEK=2, SHUT_WR=1, SOL_SOCKET=1, SO_ERROR=4))


def test_a_handshake_goes_on_until_it_is_done() -> None:
    connection = Connection(ssl.SSLWantReadError(), ssl.SSLWantReadError())
    assert connection.events == []
    connection.loop.readable()
    assert connection.events == []
    connection.tls.incoming.append(b"early")
    connection.loop.readable()
    assert connection.done == [None]
    assert connection.events == ["made", b"early"]


def test_a_handshake_waits_for_the_socket_only_while_it_has_to_write() -> None:
    connection = Connection(ssl.SSLWantWriteError(), ssl.SSLWantReadError())
    connection.loop.writable()
    assert connection.loop.writer is None  # else it would be called for ever, since the socket is writable
    connection.loop.readable()
    assert connection.events == ["made"]


@pytest.mark.parametrize("error", [ssl.SSLError("bad"), ConnectionResetError(), ValueError("closed")])
def test_a_failed_handshake_is_told_once_and_releases_everything(error: Exception) -> None:
    connection = Connection(error)
    assert connection.done == [error]
    assert (connection.loop.reader, connection.tls.calls, connection.events) == (None, ["close"], [])
    connection.transport.fail_handshake(TimeoutError())
    assert connection.done == [error]


def test_what_comes_is_handed_on_until_there_is_no_more() -> None:
    connection = Connection()
    connection.tls.incoming.extend([FULL, FULL, b"c"])
    connection.loop.readable()
    assert connection.events == [FULL, FULL, b"c"]


def test_after_a_record_that_is_not_full_the_loop_is_asked_for_more() -> None:
    connection = Connection()
    connection.tls.incoming.extend([b"a", b"b"])
    connection.loop.readable()
    assert connection.events == [b"a"]
    connection.loop.readable()  # the socket is still readable, and the loop goes by that
    assert connection.events == [b"a", b"b"]


def test_bytes_that_openssl_holds_are_read_without_the_socket_saying_so() -> None:
    connection = Connection()
    connection.tls.incoming.extend([FULL] * 40)
    connection.tls.decrypted = 1
    assert connection.loop.reader is not None
    connection.loop.reader()
    assert len(connection.events) == 16  # others have their turn
    connection.loop.turn()
    assert len(connection.events) == 40


def test_a_paused_reader_gets_nothing_more_until_it_reads_on() -> None:
    connection = Connection()
    connection.protocol.react = lambda data: connection.transport.pause_reading()
    connection.tls.incoming.extend([b"a", b"b"])
    connection.loop.readable()
    assert connection.events == [b"a"]
    assert connection.loop.reader is None
    connection.tls.decrypted = 1
    connection.transport.resume_reading()
    connection.loop.turn()
    assert connection.events == [b"a", b"b"]


@pytest.mark.parametrize("lingering", [True, False])
def test_nothing_is_handed_on_once_the_connection_is_closed(lingering: bool) -> None:
    connection = Connection()
    close = connection.transport.close_lingering if lingering else connection.transport.close
    connection.protocol.react = lambda data: close()
    connection.tls.incoming.extend([b"refused", b"GET /smuggled HTTP/1.1\r\n\r\n"])
    connection.loop.readable()
    if connection.loop.reader is not None:
        connection.loop.readable()
    assert connection.events == ([b"refused"] if lingering else [b"refused", ("lost", None)])


def test_the_end_of_input_closes_unless_the_protocol_keeps_it_open() -> None:
    connection = Connection()
    connection.tls.incoming.append(b"")
    connection.loop.readable()
    assert connection.events == ["end", ("lost", None)]
    connection = Connection()
    connection.protocol.keep_open = True
    connection.tls.incoming.append(b"")
    connection.loop.readable()
    assert connection.events == ["end"]
    connection.transport.write(b"still here")
    assert connection.tls.written == b"still here"
    connection.tls.incoming.append(b"")
    connection.tls.raw_incoming.append(b"")  # and now it has closed
    connection.loop.readable()
    assert connection.events == ["end", ("lost", None)]


@pytest.mark.parametrize("raw", [b"", b"bytes behind the end"])
def test_a_peer_that_has_closed_leaves_the_protocol_no_choice(raw: bytes) -> None:
    connection = Connection()
    connection.protocol.keep_open = True
    connection.tls.incoming.append(b"")
    connection.tls.raw_incoming.append(raw)
    connection.loop.readable()
    assert connection.events == [("lost", None)]


def test_a_broken_connection_is_told_with_its_error() -> None:
    connection = Connection()
    error = ConnectionResetError()
    connection.tls.incoming.append(error)
    connection.loop.readable()
    assert connection.events == [("lost", error)]
    assert connection.tls.calls == ["close"]


def test_a_reset_that_the_loop_did_not_tell_of_is_noticed_when_asked_for() -> None:
    connection = Connection()
    connection.transport.pause_reading()
    connection.transport.notice_reset()
    assert connection.events == []
    connection.tls.error = errno.ECONNRESET
    connection.transport.notice_reset()
    connection.loop.turn()
    ((lost, error),) = connection.events
    assert lost == "lost"
    assert isinstance(error, ConnectionResetError)


def test_a_protocol_that_fails_loses_its_connection_and_is_reported() -> None:
    connection = Connection()

    def fail(_data: bytes) -> None:
        raise RuntimeError("a fault")

    connection.protocol.react = fail
    connection.tls.incoming.extend([b"a", b"b"])
    connection.loop.readable()
    assert [type(event) for event in connection.events] == [bytes, tuple]
    assert [str(context["exception"]) for context in connection.loop.errors] == ["a fault"]
    assert connection.tls.calls == ["close"]


def test_what_does_not_fit_is_written_when_it_does() -> None:
    connection = Connection()
    connection.tls.room = 3
    connection.transport.write(b"hello")
    connection.transport.write(b" world")
    assert (connection.tls.written, connection.transport.get_write_buffer_size()) == (b"hel", 8)
    connection.tls.room = 4
    connection.loop.writable()
    assert (connection.tls.written, connection.transport.get_write_buffer_size()) == (b"hello w", 4)
    connection.tls.room = 100
    connection.loop.writable()
    assert (connection.tls.written, connection.transport.get_write_buffer_size()) == (b"hello world", 0)
    assert connection.loop.writer is None


def test_a_slow_reader_pauses_the_protocol_and_a_fast_one_resumes_it() -> None:
    connection = Connection()
    connection.transport.set_write_buffer_limits(high=100)
    connection.tls.room = 0
    connection.transport.write(bytes(100))
    assert connection.events == []
    connection.transport.write(b"x")
    assert connection.events == ["pause"]
    connection.tls.room = 40
    connection.loop.writable()
    assert connection.events == ["pause"]
    connection.tls.room = 30
    connection.loop.writable()
    assert connection.events == ["pause", "resume"]


def test_many_small_pieces_are_one_write_and_large_ones_are_not_copied_together() -> None:
    connection = Connection()
    connection.transport.writelines([b"a", b"b", b"c"])
    assert connection.tls.written == b"abc"
    connection.transport.writelines([bytes(60_000), bytes(60_000)])
    assert len(connection.tls.written) == 120_003


def test_a_write_that_breaks_the_connection_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Connection()

    def broken(_data: bytes) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(connection.tls, "write", broken)
    connection.transport.write(b"x")
    connection.transport.write(b"y")
    connection.loop.turn()
    assert isinstance(connection.events[0][1], BrokenPipeError)
    assert len(connection.events) == 1


def test_a_connection_closes_when_everything_is_written() -> None:
    connection = Connection()
    connection.tls.room = 0
    connection.transport.write(b"last words")
    connection.transport.close()
    assert connection.tls.calls == []
    connection.transport.write(b"too late")
    connection.tls.room = 100
    connection.loop.writable()
    assert connection.tls.written == b"last words"
    assert connection.tls.calls == ["unwrap", "close"]
    assert connection.events == [("lost", None)]


def test_a_lingering_connection_reads_away_what_comes_and_then_goes() -> None:
    connection = Connection()
    connection.transport.close_lingering()
    assert connection.tls.calls == ["unwrap", "shutdown"]
    connection.tls.raw_incoming.extend([b"rest of a body", b"more"])
    connection.loop.readable()
    assert connection.events == []
    connection.tls.raw_incoming.append(b"")
    connection.loop.readable()
    assert connection.events == [("lost", None)]


def test_a_lingering_connection_is_not_waited_for_for_long() -> None:
    connection = Connection()
    connection.transport.close_lingering()
    connection.loop.advance(LINGER_S - 0.1)
    assert connection.events == []
    connection.loop.advance(0.2)
    assert connection.events == [("lost", None)]


def test_the_time_to_linger_begins_when_everything_is_written() -> None:
    connection = Connection()
    connection.tls.room = 0
    connection.transport.write(b"a long answer")
    connection.transport.close_lingering()
    connection.loop.advance(10 * LINGER_S)
    assert connection.events == []
    connection.tls.raw_incoming.append(b"")  # the client has said everything, and still reads
    connection.loop.readable()
    assert connection.events == []
    connection.tls.room = 100
    connection.loop.writable()
    assert connection.tls.written == b"a long answer"
    connection.loop.advance(LINGER_S + 0.1)
    assert connection.events == [("lost", None)]


def test_an_abort_forgets_what_was_not_written() -> None:
    connection = Connection()
    connection.tls.room = 0
    connection.transport.write(b"x")
    connection.transport.abort()
    connection.loop.turn()
    assert connection.events == [("lost", None)]
    assert (connection.loop.reader, connection.loop.writer, connection.tls.calls) == (None, None, ["close"])
    assert connection.transport.is_closing()
    connection.transport.abort()
    connection.transport.close()
    connection.transport.resume_reading()
    connection.loop.turn()
    assert connection.events == [("lost", None)]


def test_it_tells_who_is_there() -> None:
    transport = Connection().transport
    assert transport.get_extra_info("peername") == ("192.0.2.1", 5)
    assert transport.get_extra_info("ssl_object") is transport.get_extra_info("socket")
    assert transport.get_extra_info("cipher", "none") == "none"
