"""Heads, bodies and paths."""

from collections.abc import Iterator

from causeway.http import encode_chunk, last_chunk

_HOST = b"Host: gateway.example\r\n"

_REQUESTS = {
    "get": b"GET /SMS_MP/.sms_aut?MPLIST HTTP/1.1\r\n" + _HOST,
    "policy": b"GET /SMS_MP/.sms_pol?{1b62f1d2-9a0c-4b5e-a6f1-000000000001}.1_00 HTTP/1.1\r\n" + _HOST,
    "message": b"CCM_POST /ccm_system/request HTTP/1.1\r\n"
    + _HOST
    + b'Content-Length: 5\r\nContent-Type: multipart/mixed; boundary="aAbBcCdDv1234567890VxXyYzZ"\r\n',
    "chunks": b"POST /x HTTP/1.1\r\n" + _HOST + b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\nTrailer: X\r\n",
    "http_1_0": b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n",
    "absolute": b"GET https://gateway.example/x?y HTTP/1.1\r\n" + _HOST,
    "no_path": b"GET http://gateway.example HTTP/1.1\r\n" + _HOST,
    "upgrade": b"GET /chat HTTP/1.1\r\n" + _HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
    "hop_by_hop": b"GET / HTTP/1.1\r\n"
    + _HOST
    + b"Connection: close, x-hop\r\nX-Hop: 1\r\nTE: trailers\r\nX-Keep: 2\r\n",
    "forged": b"GET / HTTP/1.1\r\n" + _HOST + b"X-Forwarded-For: 192.0.2.1\r\nX_Real_IP: a\r\nContent_Length: 5\r\n",
    "address": b"PROPFIND / HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\nDepth: 1\r\n",
    "many_lines": b"GET / HTTP/1.1\r\n" + _HOST + b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(99)),
    "empty_values": b"OPTIONS / HTTP/1.1\r\n" + _HOST + b"X:\r\nY: \t \r\nZ:\xe9\r\n",
}
_ANSWERS = {
    "length": (0, b"200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n"),
    "chunks": (0, b"200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n"),
    "till_close": (0, b"200 OK\r\nConnection: close\r\n"),
    "head": (1, b"200 OK\r\nContent-Length: 5\r\n"),
    "no_content": (2, b"204 No Content\r\nContent-Length: 0\r\n"),
    "not_modified": (0, b'304 Not Modified\r\nETag: "x"\r\nContent-Length: 5\r\n'),
    "continue": (2, b"100 Continue\r\n"),
    "no_reason": (0, b"200\r\nContent-Length: 0\r\n"),
    "word": (0, b"403 CMGConnector_Unauthorized\r\nContent-Length: 5\r\nContent-Length: 5\r\n"),
    "latin": (0, b"500 Erreur \xe9\r\nX-Forwarded-For: 1\r\nConnection: x-a\r\nX-A: 1\r\n"),
    "switching": (0, b"101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"),
}
_BODIES = {
    "empty": last_chunk(),
    "one": encode_chunk(b"hello") + last_chunk(),
    "several": b"".join(map(encode_chunk, (b"a", b"bc" * 20, b"\r\n0\r\n\r\n")))
    + last_chunk(b"X-Sum: 1\r\nETag: x\r\n"),
    "extension": b'5 ; a="b"\r\nhello\r\n000;x\r\n\r\nGET / HTTP/1.1\r\n',
    "dropped_trailers": last_chunk(b"Content-Length: 5\r\nX-Forwarded-For: 1\r\nX: y\r\n"),
    "upper": b"0A\r\n0123456789\r\n" + last_chunk(),
}
_TARGETS = {
    "file": b"/repository/a/b.cab?version=1",
    "folder": b"/REPOSITORY/",
    "bare": b"/bare",
    "within": b"/repository/special/x",
    "management_point": b"/CCM_Proxy_MutualAuth/72057594037927937/SMS_MP/.sms_aut?MPLIST",
    "encoded": b"/repository/%7Bguid%7D/%41%252e/x;y=z",
    "odd": b"/A.B~C!D$E{F}/...",
    "own": b"/CCM_Proxy_ServerAuth/ServiceMetadata",
}


def seeds() -> Iterator[tuple[str, str, bytes]]:
    """For the harnesses of ``http/`` and of publishing."""
    for name, head in _REQUESTS.items():
        yield "request_head", name, head + b"\r\n"
    for name, (method, head) in _ANSWERS.items():
        version = b"HTTP/1.0 " if name == "till_close" else b"HTTP/1.1 "
        yield "response_head", name, bytes((method,)) + version + head + b"\r\n"
    for name, body in _BODIES.items():
        for cut in (0, 1, 7):
            yield "chunked_body", f"{name}-{cut}", bytes((cut,)) + body
    for name, target in _TARGETS.items():
        yield "publishing", name, target
