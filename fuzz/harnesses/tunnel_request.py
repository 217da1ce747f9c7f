"""The payload of a REQUEST frame: prelude and head, as a connection point reads what a gateway says."""

from causeway.http import BadRequest, parse_request_head
from causeway.identity import Identity
from causeway.tunnel.errors import TunnelError
from causeway.tunnel.prelude import question_of, split_question, split_request


def check(data: bytes) -> bool:
    """Read ``data`` whole; what is accepted is written by the gateway's own code and read again."""
    try:
        _, question = split_request(data)
        prelude, head_bytes = split_question(question)
    except TunnelError:
        return False
    try:
        identity = Identity.decode(prelude.identity)
    except ValueError:
        return False
    told = identity.headers(prelude.peer.decode("ascii"))
    assert told.endswith(b"\r\n")
    assert told.count(b"\r\n") == told.count(b"\n") == told.count(b"\r") == len(told.split(b"\r\n")) - 1
    assert all(line.startswith((b"X-Forwarded-", b"X-Causeway-")) for line in told.split(b"\r\n")[:-1])
    try:
        head = parse_request_head(head_bytes)
    except BadRequest:
        return False
    client = b" %b %b " % (prelude.peer, prelude.identity)
    again, rewritten = split_question(question_of(prelude.endpoint, client, prelude.binding, head))
    assert again == prelude
    assert parse_request_head(rewritten)[:2] == head[:2]
    return True
