"""A connection point as frames: one tunnel to a gateway's worker, spoken by hand, in good order or not."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

from causeway.tunnel.frames import END, FrameType, encode
from causeway.tunnel.handshake import ALPN, ConnectionPointHello, encode_message
from fuzz.frames import FrameDecoder
from tests.system.certificates import Pair

Frame = tuple[int, bool, int, bytes]


class TunnelPeer:
    """One tunnel. ``receive`` gives frames as they come and fails where the gateway has closed."""

    def __init__(self, port: int, root: Path, pair: Pair | None, *, alpn: str | None = ALPN) -> None:
        context = ssl.create_default_context(cafile=root)
        if alpn is not None:
            context.set_alpn_protocols([alpn])
        if pair is not None:
            context.load_cert_chain(*pair.both)
        raw = socket.create_connection(("127.0.0.1", port), timeout=30)
        try:
            self.socket = context.wrap_socket(raw, server_hostname="localhost")
        except BaseException:
            raw.close()
            raise
        self._frames: list[Frame] = []
        self._decoder = FrameDecoder(lambda *frame: self._frames.append(frame))

    def __enter__(self) -> "TunnelPeer":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, kind: int, stream: int = 0, payload: bytes = b"", *, end: bool = False) -> None:
        self.send_bytes(encode(kind | END if end else kind, stream, payload))

    def send_bytes(self, data: bytes) -> None:
        self.socket.sendall(data)

    def hello(self, name: str = "peer", *, max_streams: int = 100) -> Frame:
        """Say HELLO and wait for the gateway's."""
        hello = ConnectionPointHello(connection_point=name, software="test/1", max_streams=max_streams)
        self.send(FrameType.HELLO, 0, encode_message(hello))
        return self.receive(FrameType.HELLO)

    def offer(self, document: bytes) -> None:
        """Bring gateway settings."""
        size = 60_000
        for start in range(0, len(document), size):
            self.send(FrameType.SETTINGS, 0, document[start : start + size], end=start + size >= len(document))

    def receive(self, kind: FrameType | None = None) -> Frame:
        """The next frame, or the next of this kind."""
        while True:
            while self._frames:
                frame = self._frames.pop(0)
                if kind is None or frame[0] == kind:
                    return frame
            room = self._decoder.buffer()
            count = self.socket.recv_into(room)
            assert count, "the gateway closed the tunnel"
            self._decoder.received(count)

    def wait_for_end(self) -> None:
        """Read away what comes until the gateway closes."""
        try:
            while self.socket.recv(65536):
                pass
        except (ConnectionError, ssl.SSLError):
            pass


Connect = Callable[..., TunnelPeer]
