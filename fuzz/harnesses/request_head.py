"""Request heads: one reading or none, and the one that is passed on is the one that was read."""

from causeway.http import BadRequest, RequestHead, is_identity_header, parse_request_head
from causeway.http.headers import HOP_BY_HOP, MAX_HEADERS
from causeway.tunnel.frames import MAX_PAYLOAD_BYTES
from causeway.tunnel.prelude import NONE, question_of, split_question, split_request

_REQUEST_ID = b"0123456789abcdef"
_CLIENT = b" 192.0.2.7 - "
_FRAMING = HOP_BY_HOP | {b"content-length", b"host", b"expect"}


def check(data: bytes) -> bool:
    """Read ``data`` as the gateway does, write it anew, and read that as the connection point does."""
    try:
        head = parse_request_head(data)
    except BadRequest:
        return False
    _is_one_request(head)
    for upgrade in (b"", head.upgrade) if _may_upgrade(head) else (b"",):
        _passes_on(head, upgrade)
    return True


def _is_one_request(head: RequestHead) -> None:
    assert head.target.startswith(b"/")
    assert head.path == head.target.split(b"?")[0]
    for value in (head.method, head.target, head.host, head.upgrade):
        assert not any(byte in b"\r\n\0 " for byte in value) or value is head.upgrade
    assert not any(byte in b"\r\n\0" for byte in head.upgrade)
    assert head.content_length is None or not head.chunked
    assert head.content_length is None or 0 <= head.content_length < 10**18
    assert not head.expects_continue or head.chunked or head.content_length
    lines = head.fields.split(b"\r\n")
    assert lines.pop() == b""
    assert len(lines) <= MAX_HEADERS
    for line in lines:
        name = line.split(b":", 1)[0].lower()
        assert name not in _FRAMING
        assert not is_identity_header(name)
    assert all(is_identity_header(name) for name in head.forged)


def _may_upgrade(head: RequestHead) -> bool:
    """A change of protocol passes only where it is published, and that is a plain token; never with a body."""
    return bool(head.upgrade) and b"," not in head.upgrade and not head.chunked and not head.content_length


def _passes_on(head: RequestHead, upgrade: bytes) -> None:
    payload = _REQUEST_ID + question_of(b"endpoint", _CLIENT, NONE, head, upgrade)
    assert len(payload) <= MAX_PAYLOAD_BYTES
    request_id, question = split_request(payload)
    assert request_id == _REQUEST_ID
    prelude, rewritten = split_question(question)
    assert prelude == (b"endpoint", b"192.0.2.7", b"-", b"-")
    again = parse_request_head(rewritten)
    assert again.forged == ()
    assert (again.method, again.target, again.minor, again.host) == (head.method, head.target, 1, head.host or NONE)
    assert (again.fields, again.content_length) == (head.fields, head.content_length)
    assert (again.chunked, again.expects_continue) == (head.chunked, head.expects_continue)
    if head.content_length is None:
        assert again.upgrade == upgrade
    assert not again.closes
