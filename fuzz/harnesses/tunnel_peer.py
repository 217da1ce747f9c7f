"""A peer at the other end of a tunnel that says what it likes: it may lose its tunnel, and can do no other harm.

A gateway that is taken over reaches only what is published; a connection point that is cannot hurt a worker.
"""

from urllib.parse import urlsplit

from fuzz.data_path import ENDPOINTS, DataPath
from fuzz.harnesses.data_path import only_what_was_meant, running

REQUESTS = (
    b"GET /files/a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /root/b HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhello",
    b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
)
"""What is under way while the peer speaks, on streams 1, 2 and 3."""

GATEWAY, CONNECTION_POINT = 0, 1
_PUBLISHED = [(urlsplit(endpoint.upstream), {m.encode() for m in endpoint.methods}) for endpoint in ENDPOINTS]


def check(data: bytes) -> bool:
    """The first byte says who speaks, the rest is said; true where the tunnel stands afterwards."""
    loop, path = running()
    speaker = data[0] % 2 if data else GATEWAY
    return loop.run_until_complete(_listen(path, speaker, data[1:]))


async def _listen(path: DataPath, speaker: int, said: bytes) -> bool:
    await path.open()
    for request in REQUESTS:
        path.connect().send(request)
    await path.settle()
    if speaker == CONNECTION_POINT:
        path.speak_as_connection_point(said)
    else:
        path.speak_as_gateway(said)
    await path.settle()
    for system in path.site_systems:
        system.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    await path.settle()
    for system in path.site_systems:
        only_what_was_meant(system)
        for head in system.begun:
            _is_published(head)
    kept = path.tunnel_stands
    path.lose_tunnel()
    await path.clear()
    return kept


def _is_published(head: bytes) -> None:
    request_line, host, *_ = head.split(b"\r\n")
    method, target, _ = request_line.split(b" ")
    path = target.split(b"?")[0]
    assert head.lower().count(b"\r\nx-forwarded-for:") == 1
    assert any(
        host == b"Host: " + url.netloc.encode()
        and method in methods
        and (path + b"/").startswith(url.path.encode() + b"/")
        for url, methods in _PUBLISHED
    ), head
