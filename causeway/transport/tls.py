"""A server-side TLS transport without memory buffers.

asyncio's own TLS passes every byte through two memory buffers and keeps them for each idle connection. Clients of a
gateway open a connection per message and sit idle by the thousand, so here OpenSSL reads and writes the socket itself,
through the public ``ssl.SSLSocket`` on a non-blocking socket, and the loop only says when it is ready.
"""

import asyncio
import contextlib
import os
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

from causeway.transport.protocols import PlainProtocol

_READ_BYTES: Final = 16 * 1024  # a TLS record holds no more, and a read gives no more than one
_READS_PER_TURN: Final = 16
_JOIN_BYTES: Final = 64 * 1024
_HIGH_WATER_BYTES: Final = 64 * 1024
LINGER_S: Final = 2.0

_AGAIN: Final[tuple[type[ssl.SSLError], ...]] = (ssl.SSLWantReadError, ssl.SSLWantWriteError)

HandshakeDone = Callable[["TlsServerTransport", Exception | None], None]


class TlsServerTransport:
    """One accepted connection, once started. It is to its protocol what ``asyncio.Transport`` would be.

    The protocol's ``connection_made`` is called when the handshake is done.

    Args:
        loop: the running loop.
        tls: an accepted, non-blocking socket, wrapped for a server and without a handshake yet; the transport owns it
            from here on.
        protocol: gets the plain bytes.
        handshake_done: called once, with None or with what the handshake failed with (the connection is closed then).
    """

    __slots__ = (
        "_buffered",
        "_closing",
        "_descriptor",
        "_handshake_done",
        "_high",
        "_linger",
        "_lingering",
        "_loop",
        "_out",
        "_paused",
        "_peer",
        "_protocol",
        "_reading",
        "_tls",
        "_writing",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        tls: ssl.SSLSocket,
        protocol: PlainProtocol,
        peer: Any,
        handshake_done: HandshakeDone,
    ) -> None:
        self._loop = loop
        self._protocol: PlainProtocol | None = protocol
        self._peer = peer
        self._handshake_done: HandshakeDone | None = handshake_done
        self._out: deque[bytes | memoryview] = deque()
        self._buffered = 0
        self._high = _HIGH_WATER_BYTES
        self._paused = False  # the protocol was told to pause writing
        self._closing = False
        self._lingering = False
        self._linger: asyncio.TimerHandle | None = None
        self._tls = tls
        self._descriptor = tls.fileno()
        self._reading = False
        self._writing = False

    # The handshake.

    def start(self) -> None:
        """Shake hands. The client speaks first, and mostly has spoken by the time it is accepted: no need to wait."""
        self._reading = True
        self._loop.add_reader(self._descriptor, self._readable)
        self._handshake()

    def _handshake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._stop_writing()
            return
        except ssl.SSLWantWriteError:
            if not self._writing:
                self._writing = True
                self._loop.add_writer(self._descriptor, self._handshake)
            return
        except (OSError, ValueError) as error:
            self.fail_handshake(error)
            return
        self._stop_writing()
        done, self._handshake_done = self._handshake_done, None
        if done is not None and self._protocol is not None:
            done(self, None)
            self._protocol.connection_made(self)
            if self._descriptor >= 0 and self._reading:
                self._readable()

    def fail_handshake(self, error: Exception) -> None:
        """End a handshake that failed or took too long. The alert that says why has been sent by OpenSSL."""
        done, self._handshake_done = self._handshake_done, None
        self._protocol = None
        self._release(None)
        if done is not None:
            done(self, error)

    # Reading.

    def _readable(self) -> None:
        if self._handshake_done is not None:
            self._handshake()
        elif self._lingering:
            self._discard()
        else:
            self._read()

    def _read(self) -> None:
        protocol = self._protocol
        for _ in range(_READS_PER_TURN):
            try:
                data = self._tls.read(_READ_BYTES)
            except _AGAIN:
                return
            except (OSError, ValueError) as error:
                self._release(error)
                return
            if not data:
                self._end_of_input()
                return
            if protocol is not None:
                try:
                    protocol.data_received(data)
                except Exception as error:
                    context = {"message": "a protocol failed", "exception": error, "transport": self}
                    self._loop.call_exception_handler(context)
                    self._release(error)
            if self._descriptor < 0 or self._closing or not self._reading:
                return
            if len(data) < _READ_BYTES:
                return  # the record is used up; to ask for another one would mostly say that there is none yet
        if self._tls.pending():
            # OpenSSL holds bytes of a record that was read already; the socket may never become readable for them.
            self._loop.call_soon(self._read_pending)

    def _read_pending(self) -> None:
        if self._descriptor >= 0 and self._reading:
            self._readable()

    def _end_of_input(self) -> None:
        """The peer has said that it sends no more, or has closed: only the first leaves the protocol a choice.

        The socket is watched on, since a close mostly follows.
        """
        keep_open = self._protocol is not None and not self._peer_closed() and self._protocol.eof_received()
        if not keep_open and self._descriptor >= 0:
            self.close()

    def _peer_closed(self) -> bool:
        try:
            socket.socket.recv(self._tls, 1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True  # with bytes behind its close_notify, too, which nobody will ever read

    def pause_reading(self) -> None:
        """Read no more until told otherwise."""
        if self._reading and self._descriptor >= 0:
            self._reading = False
            self._loop.remove_reader(self._descriptor)

    def resume_reading(self) -> None:
        """Read on."""
        if not self._reading and self._descriptor >= 0 and not self._closing:
            self._reading = True
            self._loop.add_reader(self._descriptor, self._readable)
            if self._tls.pending():
                self._loop.call_soon(self._read_pending)

    def notice_reset(self) -> None:
        """End where the peer has reset the connection and nobody was told; to be called from time to time.

        libuv stops watching a socket with an error once it has told of it, and that once may have been spent on data
        that came before the reset; while reading is paused, nothing is told at all.
        """
        if self._descriptor >= 0 and (code := self._tls.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
            self._release(OSError(code, os.strerror(code)))

    def is_reading(self) -> bool:
        """Whether bytes are read as they come."""
        return self._reading and self._descriptor >= 0

    # Writing.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write at once what the socket takes, and the rest when it is ready."""
        if self._descriptor < 0 or self._closing or not data:
            return
        if self._out:
            self._out.append(bytes(data))
            self._buffered += len(data)
        else:
            written = self._write_some(data)
            if written < 0 or written == len(data):
                return
            rest = memoryview(data)[written:]
            self._out.append(rest)
            self._buffered = len(rest)
            self._want_write()
        if self._buffered > self._high and not self._paused and self._protocol is not None:
            self._paused = True
            self._protocol.pause_writing()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Write several pieces, as one where they are small."""
        pieces = list(list_of_data)
        if sum(map(len, pieces)) <= _JOIN_BYTES:
            self.write(b"".join(pieces))
        else:
            for piece in pieces:
                self.write(piece)

    def _write_some(self, data: bytes | bytearray | memoryview) -> int:
        """How many bytes went out; -1 where the connection broke."""
        written, size = 0, len(data)
        try:
            written = self._tls.write(data)
            while written < size:
                written += self._tls.write(memoryview(data)[written:])
        except _AGAIN:
            pass
        except (OSError, ValueError) as error:
            self._release(error)
            return -1
        return written

    def _writable(self) -> None:
        while self._out:
            data = self._out[0]
            # A write that OpenSSL could not finish is tried again with the same bytes, as it demands.
            written = self._write_some(data)
            if written < 0:
                return
            self._buffered -= written
            if written < len(data):
                self._out[0] = memoryview(data)[written:]
                break
            self._out.popleft()
        if not self._out:
            self._stop_writing()
            if self._closing:
                self._finish()
                return
        if self._paused and self._buffered <= self._high >> 1 and self._protocol is not None:
            self._paused = False
            self._protocol.resume_writing()

    def _want_write(self) -> None:
        if not self._writing:
            self._writing = True
            self._loop.add_writer(self._descriptor, self._writable)

    def _stop_writing(self) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._descriptor)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:  # noqa: ARG002
        """Set above how many bytes the protocol is paused; it is resumed at half of them."""
        self._high = _HIGH_WATER_BYTES if high is None else high

    def get_write_buffer_size(self) -> int:
        """Bytes that wait for the socket."""
        return self._buffered

    # The end.

    def is_closing(self) -> bool:
        """Whether the connection is closed or about to be."""
        return self._closing or self._descriptor < 0

    def close(self) -> None:
        """Close once everything is written."""
        if self._closing or self._descriptor < 0:
            return
        self._closing = True
        if not self._out:
            self._finish()
        elif not self._lingering:
            self.pause_reading()

    def close_lingering(self) -> None:
        """Close once everything is written, and read away for a moment what the peer still sends.

        A socket closed with unread input resets the connection, and the peer may lose the answer it was sent.
        """
        if not self._closing and self._descriptor >= 0:
            self.resume_reading()
            self._lingering = True
            self.close()

    def _finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._tls.unwrap()  # sends close_notify; the peer's own is not waited for
        if self._descriptor < 0:
            return
        if not self._lingering:
            self._release(None)
            return
        self._linger = self._loop.call_later(LINGER_S, self.abort)
        with contextlib.suppress(OSError):
            self._tls.shutdown(socket.SHUT_WR)

    def _discard(self) -> None:
        """Read away raw bytes: after close_notify OpenSSL takes no more."""
        try:
            while data := socket.socket.recv(self._tls, _READ_BYTES):
                del data
        except BlockingIOError:
            return
        except OSError as error:
            self._release(error)
            return
        if self._out:
            self.pause_reading()  # the peer sends no more, but may still read
        else:
            self._release(None)

    def abort(self) -> None:
        """Close at once."""
        self._release(None)

    def _release(self, error: Exception | None) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor < 0:
            return
        if self._linger is not None:
            self._linger.cancel()
        if self._reading:
            self._reading = False
            self._loop.remove_reader(descriptor)
        if self._writing:
            self._writing = False
            self._loop.remove_writer(descriptor)
        self._out.clear()
        self._buffered = 0
        self._closing = True
        self._tls.close()
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            self._loop.call_soon(protocol.connection_lost, error)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``ssl_object``, ``peername`` or ``socket``."""
        if name == "peername":
            return self._peer
        if name in ("ssl_object", "socket"):
            return self._tls
        return default
