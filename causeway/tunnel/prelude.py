"""The line before the head of a request in a REQUEST frame: what the gateway has decided about it.

::

    endpoint SP request-id SP peer-address SP identity SP binding CRLF

``identity`` is ``-`` for an anonymous client; ``binding`` is ``-`` or the number of the client's connection, where the
endpoint wants one client to keep one connection to the site system.
"""

import re
from typing import NamedTuple

from causeway.http import RequestHead
from causeway.tunnel.errors import TunnelError

NONE = b"-"

_PRELUDE = re.compile(
    rb"([A-Za-z0-9][A-Za-z0-9._$/\-]{0,99}) ([0-9a-f]{16,40}) ([0-9A-Fa-f:.]{2,45})"
    rb" ([\x21-\x7e]{1,1024}) (-|[0-9]{1,20})\r\n"
)


class Prelude(NamedTuple):
    """What the gateway says of a request.

    Attributes:
        endpoint: the name of the published endpoint.
        request_id: lower-case hexadecimal.
        peer: the client's address.
        identity: see ``identity.Identity.encode``; ``-`` for none.
        binding: the number of the client's connection, or ``-``.
    """

    endpoint: bytes
    request_id: bytes
    peer: bytes
    identity: bytes
    binding: bytes


def request_payload(
    endpoint: bytes, request_id: bytes, client: bytes, binding: bytes, head: RequestHead, upgrade: bytes = b""
) -> bytes:
    """The payload of a REQUEST frame: the prelude, then the head written anew from what was understood of it.

    Args:
        endpoint: the published endpoint's name.
        request_id: lower-case hexadecimal.
        client: ``SP peer-address SP identity SP``, made once a connection.
        binding: the number of the client's connection, or ``-``.
        head: as the gateway read it.
        upgrade: the change of protocol that passes, or empty.
    """
    return b"".join(
        (
            *(endpoint, b" ", request_id, client, binding, b"\r\n"),
            *(head.method, b" ", head.target, b" HTTP/1.1\r\nHost: ", head.host or NONE, b"\r\n"),
            *(upgrade_fields(upgrade), head.tail),
        )
    )


def upgrade_fields(upgrade: bytes) -> bytes:
    """The header lines that ask for a change of protocol, or agree to it; none where ``upgrade`` is empty."""
    return b"Connection: Upgrade\r\nUpgrade: %b\r\n" % upgrade if upgrade else b""


def split_request(payload: bytes) -> tuple[Prelude, bytes]:
    """The prelude and the request head behind it.

    Raises:
        TunnelError: there is no well-formed prelude.
    """
    match = _PRELUDE.match(payload)
    if match is None:
        raise TunnelError("a request without a well-formed prelude")
    return Prelude._make(match.groups()), payload[match.end() :]
