"""Frames, handshakes and the requests within them."""

from collections.abc import Iterator

from causeway.http import parse_request_head
from causeway.identity import ANONYMOUS, Identity, Kind
from causeway.tunnel.frames import END, FrameType, encode
from causeway.tunnel.handshake import ConnectionPointHello, GatewayHello, GatewayStatus, encode_message
from causeway.tunnel.prelude import NONE, question_of

_POINT = ConnectionPointHello(connection_point="cp-1", software="causeway/0.1.0", max_streams=100)
_GATEWAY = GatewayHello(instance="gw-1", worker=0, workers=2, software="causeway/0.1.0", settings_version=7)
_STATUS = GatewayStatus(settings_version=7, refused="GatewaySettingsOlder")
_DEVICE = Identity(Kind.CERTIFICATE, "ab" * 32, "CN=PC 1,O=Contoso é")
_REQUEST_ID = b"0123456789ab00000001"


def _request(identity: Identity, binding: bytes, head: bytes) -> bytes:
    client = b" 2001:db8::7 %b " % identity.encode()
    return _REQUEST_ID + question_of(b"MP$1/a", client, binding, parse_request_head(head))


_REQUESTS = {
    "anonymous": _request(ANONYMOUS, NONE, b"GET /x HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n"),
    "device": _request(_DEVICE, b"17", b"CCM_POST /x?y HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"),
    "chunks": _request(_DEVICE, NONE, b"PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
}
_FRAMES = {
    "hello": encode(FrameType.HELLO, 0, encode_message(_POINT)),
    "settings": encode(FrameType.SETTINGS | END, 0, b"e.y.J"),
    "ping_pong": encode(FrameType.PING, 0) + encode(FrameType.PONG, 0),
    "request": encode(FrameType.REQUEST | END, 1, _REQUESTS["anonymous"]),
    "exchange": encode(FrameType.REQUEST, 1, _REQUESTS["device"])
    + encode(FrameType.DATA, 1, b"he")
    + encode(FrameType.DATA | END, 1, b"llo")
    + encode(FrameType.CREDIT, 1, b"\0\1\0\0"),
    "answer": encode(FrameType.RESPONSE, 1, b"\1HTTP/1.1 200 OK\r\nContent-Length: 5\r\n")
    + encode(FrameType.DATA | END, 1, b"hello")
    + encode(FrameType.TRAILERS | END, 2, b"X: y\r\n"),
    "whole_answer": encode(FrameType.RESPONSE | END, 1, b"\1\0\x24HTTP/1.1 200 OK\r\nContent-Length: 5\r\nhello"),
    "ends": encode(FrameType.RESET, 3, b"ClientGone") + encode(FrameType.DRAIN, 0) + encode(FrameType.RENEW, 0),
    "release": encode(FrameType.RELEASE, 0, (17).to_bytes(8, "big")),
    "two_pieces": encode(FrameType.DATA, 1, b"") + encode(FrameType.DATA, 1, b"x" * 300),
    "unfinished": encode(FrameType.PING, 0) + encode(FrameType.DATA, 1, b"x" * 30)[:20],
}


def seeds() -> Iterator[tuple[str, str, bytes]]:
    """For the harnesses of ``tunnel/``."""
    for name, frames in _FRAMES.items():
        for cut in (0, 1, 9):
            yield "tunnel_frames", f"{name}-{cut}", bytes((cut,)) + frames
    for name, payload in _REQUESTS.items():
        yield "tunnel_request", name, payload
    messages: tuple[ConnectionPointHello | GatewayHello | GatewayStatus, ...] = (_POINT, _GATEWAY, _STATUS)
    for kind, message in enumerate(messages):
        yield "tunnel_handshake", type(message).__name__, bytes((kind,)) + encode_message(message)
