"""What may happen between a device and a site system."""

from collections.abc import Iterator

from fuzz.data_path.script import Step, write

_HOST = b" HTTP/1.1\r\nHost: gateway.example\r\n"
_GET = b"GET /files/a" + _HOST + b"\r\n"
_SMALL = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
_NONE = b"HTTP/1.1 204 No Content\r\n\r\n"
_CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
_UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

_SCRIPTS = {
    "get": write((Step.SEND, _GET), (Step.ANSWER, _SMALL)),
    "kept": write((Step.SEND, _GET), (Step.ANSWER, _SMALL), (Step.SEND, _GET), (Step.ANSWER, _NONE)),
    "pipelined": write((Step.SEND, _GET * 3), (Step.ANSWER, _SMALL), (Step.ANSWER, _SMALL), (Step.ANSWER, _NONE)),
    "pipelined_at_once": write((Step.SEND, _GET * 2), (Step.ANSWER, _SMALL * 2), at_once=True),
    "length": write(
        (Step.SEND, b"POST /root" + _HOST + b"Content-Length: 5\r\n\r\nhe"),
        (Step.SEND, b"llo" + _GET),
        (Step.ANSWER, _NONE),
        (Step.ANSWER, _SMALL),
    ),
    "chunks": write(
        (Step.SEND, b"PUT /files/b?c" + _HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
        (Step.SEND, b"0\r\nX-Sum: 1\r\n\r\n"),
        (Step.ANSWER, _CHUNKS + b"3\r\nabc\r\n"),
        (Step.ANSWER, b"0\r\nX-Sum: 1\r\n\r\n"),
    ),
    "continue": write(
        (Step.SEND, b"POST /files" + _HOST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"),
        (Step.ANSWER, b"HTTP/1.1 100 Continue\r\n\r\n"),
        (Step.SEND, b"ok"),
        (Step.ANSWER, _SMALL),
    ),
    "head": write(
        (Step.SEND, b"HEAD /files/a" + _HOST + b"\r\n"), (Step.ANSWER, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    ),
    "http_1_0": write((Step.SEND, b"GET /files/a HTTP/1.0\r\n\r\n"), (Step.ANSWER, _CHUNKS + b"1\r\na\r\n0\r\n\r\n")),
    "till_close": write((Step.SEND, _GET), (Step.ANSWER, b"HTTP/1.1 200 OK\r\n\r\nabc"), Step.ANSWER_END),
    "websocket": write(
        (Step.SEND, b"GET /chat" + _HOST + _UPGRADE),
        (Step.ANSWER, b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\1a"),
        (Step.SEND, b"\x81\x81"),
        Step.ANSWER_END,
    ),
    "websocket_refused": write(
        (Step.SEND, b"GET /chat" + _HOST + _UPGRADE + _GET), (Step.ANSWER, _SMALL), (Step.SEND, _GET)
    ),
    "early_answer": write(
        (Step.SEND, b"POST /files" + _HOST + b"Content-Length: 50\r\n\r\nabc"), (Step.ANSWER, _SMALL), (Step.SEND, _GET)
    ),
    "site_system_gone": write((Step.SEND, _GET), (Step.ANSWER, _SMALL), (Step.SEND, _GET), Step.SITE_SYSTEM_LEAVES),
    "gone_within": write((Step.SEND, _GET), (Step.ANSWER, _SMALL[:-2]), Step.SITE_SYSTEM_LEAVES),
    "device_gone": write((Step.SEND, _GET), Step.LEAVE, (Step.ANSWER, _SMALL), Step.CONNECT, (Step.SEND, _GET)),
    "device_sends_no_more": write((Step.SEND, _GET), Step.SEND_END, (Step.ANSWER, _SMALL)),
    "unreachable": write(Step.UNREACHABLE, (Step.SEND, _GET), Step.REACHABLE, (Step.SEND, _GET), (Step.ANSWER, _NONE)),
    "tunnel_lost": write((Step.SEND, _GET), Step.TUNNEL_LOST, (Step.SEND, _GET)),
    "stalled": write(
        (Step.SEND, _GET),
        Step.DEVICE_STALLS,
        Step.TUNNEL_STALLS,
        (Step.ANSWER, b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + b"x" * 2000),
        Step.TUNNEL_FLOWS,
        (Step.ANSWER, b"x" * 1000),
        Step.DEVICE_READS,
    ),
    "bound": write((Step.SEND, b"GET /bound" + _HOST + b"\r\n"), (Step.ANSWER, _SMALL), Step.LEAVE),
    "bad_answer": write(
        (Step.SEND, _GET), (Step.ANSWER, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
    ),
    "refused_then_good": write(
        (Step.SEND, b"GET /files" + _HOST + b"X-Forwarded-For: 1\r\n\r\nGET /nothing" + _HOST + b"\r\n" + _GET),
        (Step.ANSWER, _NONE),
        (Step.ANSWER, _NONE),
    ),
}


def seeds() -> Iterator[tuple[str, str, bytes]]:
    """For the harness of the whole data path."""
    for name, script in _SCRIPTS.items():
        yield "data_path", name, script
