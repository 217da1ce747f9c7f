"""What the peer at the other end of a tunnel may say."""

from collections.abc import Iterator

from causeway.tunnel.frames import END, FrameType, encode
from causeway.tunnel.handshake import GatewayStatus, encode_message

_REQUEST = b"0123456789abcdef %b 192.0.2.9 - %b\r\n%b HTTP/1.1\r\nHost: b\r\n\r\n"
_OK = b"\1HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"

_GATEWAY = {
    "request": encode(FrameType.REQUEST | END, 4, _REQUEST % (b"files", b"-", b"GET /files/x?y")),
    "bound": encode(FrameType.REQUEST | END, 4, _REQUEST % (b"bound", b"7", b"GET /bound"))
    + encode(FrameType.RELEASE, 0, (7).to_bytes(8, "big")),
    "unpublished": encode(FrameType.REQUEST | END, 4, _REQUEST % (b"files", b"-", b"GET /root")),
    "body": encode(
        FrameType.REQUEST, 4, _REQUEST[:-2] % (b"root", b"-", b"PUT /root/") + b"Transfer-Encoding: chunked\r\n\r\n"
    )
    + encode(FrameType.DATA, 4, b"abc")
    + encode(FrameType.TRAILERS | END, 4, b"X: y\r\n"),
    "reset": encode(FrameType.RESET, 2, b"ClientGone") + encode(FrameType.CREDIT, 1, b"\0\1\0\0"),
    "status": encode(FrameType.STATUS, 0, encode_message(GatewayStatus(settings_version=1, refused="x"))),
    "ping": encode(FrameType.PING, 0) + encode(FrameType.PONG, 0),
}
_CONNECTION_POINT = {
    "answer": encode(FrameType.RESPONSE, 1, _OK) + encode(FrameType.DATA | END, 1, b"hello"),
    "chunks": encode(FrameType.RESPONSE, 1, b"\2HTTP/1.1 200 OK\r\n")
    + encode(FrameType.DATA, 1, b"hello")
    + encode(FrameType.TRAILERS | END, 1, b"X: y\r\n"),
    "continue": encode(FrameType.RESPONSE, 2, b"\0HTTP/1.1 100 Continue\r\n")
    + encode(FrameType.CREDIT, 2, b"\0\1\0\0"),
    "switch": encode(FrameType.RESPONSE, 3, b"\3HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"),
    "reset": encode(FrameType.RESET, 1, b"CMGConnector_SiteSystemTimeout"),
    "settings": encode(FrameType.SETTINGS, 0, b"e.y") + encode(FrameType.SETTINGS | END, 0, b".J"),
}


def seeds() -> Iterator[tuple[str, str, bytes]]:
    """For the harness of peers."""
    for name, frames in _GATEWAY.items():
        yield "tunnel_peer", f"gateway-{name}", b"\0" + frames
    for name, frames in _CONNECTION_POINT.items():
        yield "tunnel_peer", f"connection-point-{name}", b"\1" + frames
