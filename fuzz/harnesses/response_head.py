"""Response heads of site systems: one reading or none, and what is left of them reads the same again."""

from causeway.http import BadResponse, Framing, is_identity_header, parse_response_head
from causeway.http.headers import HOP_BY_HOP

METHODS = (b"GET", b"HEAD", b"CCM_POST")


def check(data: bytes) -> bool:
    """Read ``data`` as the answer to a request whose method is chosen by the first byte."""
    method = METHODS[data[0] % len(METHODS)] if data else METHODS[0]
    try:
        read = parse_response_head(data[1:], method)
    except BadResponse:
        return False
    status_line, _, fields = read.head.partition(b"\r\n")
    assert status_line.startswith(b"HTTP/1.1 %d " % read.status)
    assert data[1:].split(b"\r\n")[0][len(b"HTTP/1.1 200 ") :] == status_line[len(b"HTTP/1.1 200 ") :]
    names = [line.partition(b":")[0].lower() for line in fields.split(b"\r\n")[:-1]]
    assert not HOP_BY_HOP.intersection(names)
    assert not any(map(is_identity_header, names))
    assert names.count(b"content-length") <= 1
    _promises_one_end(read.status, method, read.framing, read.content_length)
    again = parse_response_head(read.head + b"\r\n", method)
    assert (again.status, again.head) == (read.status, read.head)
    if read.framing in (Framing.NONE, Framing.LENGTH):
        assert (again.framing, again.content_length) in ((read.framing, read.content_length), (Framing.CLOSE, 0))
    else:
        # Chunks and the end of the connection are told beside the head, not in it.
        assert again.framing is Framing.CLOSE
    return True


def _promises_one_end(status: int, method: bytes, framing: Framing, length: int) -> None:
    assert 100 <= status <= 599
    assert (framing is Framing.LENGTH) == (length > 0)
    if method == b"HEAD" or status < 200 or status in (204, 304):
        assert framing is Framing.NONE
