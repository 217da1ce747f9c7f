"""What a REQUEST frame says: the request's id, then the question.

::

    request-id SP endpoint SP peer-address SP identity SP binding CRLF head

The line is the *prelude*, what the gateway has decided about the request. ``identity`` is ``-`` for an anonymous
client; ``binding`` is ``-`` or the number of the client's connection, where the endpoint wants one client to keep one
connection to the site system. Everything behind the id follows from the client and the head alone, so both ends can
remember what they made of it: the same question is the same bytes.
"""

import re
from typing import Final, NamedTuple

from causeway.http import RequestHead
from causeway.tunnel.errors import TunnelError

NONE: Final = b"-"

_REQUEST_ID: Final = re.compile(rb"[0-9a-f]{16,40}")
_PRELUDE: Final = re.compile(
    rb" ([A-Za-z0-9][A-Za-z0-9._$/\-]{0,99}) ([0-9A-Fa-f:.]{2,45}) ([\x21-\x7e]{1,1024}) (-|[0-9]{1,20})\r\n"
)


class Prelude(NamedTuple):
    """What the gateway says of a request.

    Attributes:
        endpoint: the name of the published endpoint.
        peer: the client's address.
        identity: see ``identity.Identity.encode``; ``-`` for none.
        binding: the number of the client's connection, or ``-``.
    """

    endpoint: bytes
    peer: bytes
    identity: bytes
    binding: bytes


def question_of(endpoint: bytes, client: bytes, binding: bytes, head: RequestHead, upgrade: bytes = b"") -> bytes:
    """What stands behind the id in a REQUEST frame: the rest of the prelude, then the head as it was understood.

    Args:
        endpoint: the published endpoint's name.
        client: ``SP peer-address SP identity SP``, made once a connection.
        binding: the number of the client's connection, or ``-``.
        head: as the gateway read it.
        upgrade: the change of protocol that passes, or empty.
    """
    return b"".join(
        (
            *(b" ", endpoint, client, binding, b"\r\n"),
            *(head.method, b" ", head.target, b" HTTP/1.1\r\nHost: ", head.host or NONE, b"\r\n"),
            *(upgrade_fields(upgrade), head.tail),
        )
    )


def upgrade_fields(upgrade: bytes) -> bytes:
    """The header lines that ask for a change of protocol, or agree to it; none where ``upgrade`` is empty."""
    return b"Connection: Upgrade\r\nUpgrade: %b\r\n" % upgrade if upgrade else b""


def split_request(payload: bytes) -> tuple[bytes, bytes]:
    """The request's id and the question.

    Raises:
        TunnelError: there is no well-formed id.
    """
    match = _REQUEST_ID.match(payload)
    if match is None:
        raise TunnelError("a request without a well-formed id")
    end = match.end()
    return payload[:end], payload[end:]


def split_question(question: bytes) -> tuple[Prelude, bytes]:
    """The prelude and the request head behind it.

    Raises:
        TunnelError: there is no well-formed prelude.
    """
    match = _PRELUDE.match(question)
    if match is None:
        raise TunnelError("a request without a well-formed prelude")
    return Prelude._make(match.groups()), question[match.end() :]
