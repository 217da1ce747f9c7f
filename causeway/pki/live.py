"""What a server shows in its handshake: the certificates as sent, and whom it would accept as a client.

The handshake verifies nothing, because what is to be looked at may be wrong; nothing else is ever sent over it.
"""

import asyncio
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from OpenSSL import SSL
from OpenSSL.crypto import X509Name

from causeway.pki.errors import HostUnreachable
from causeway.transport.reasons import why

_MOST_CERTIFICATES = 20
_REQUEST = b"certificate request"
"""In the names that OpenSSL gives its states: there is no other way to learn that a certificate was asked for."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What came.

    Attributes:
        certificates: as the server sent them, its own first.
        protocol: such as ``TLSv1.3``.
        client_authorities: names (RFC 4514) of the authorities whose client certificates it asks for; empty where it
            asks for none, or for any.
        asks_for_certificate: it asked for a client certificate in this handshake. A server may do so later, too, once
            it has seen the path.
    """

    certificates: tuple[x509.Certificate, ...]
    protocol: str
    client_authorities: tuple[str, ...]
    asks_for_certificate: bool = False


async def look_at(host: str, port: int, *, server_name: str | None = None, timeout_s: float = 10.0) -> Shown:
    """Shake hands with ``host`` and hang up.

    Args:
        host: DNS name or IP address to connect to.
        port: TCP port.
        server_name: the name asked for (SNI), where it is another than ``host``.
        timeout_s: for the whole.

    Raises:
        HostUnreachable: it did not answer, or does not speak TLS.
    """

    def look() -> Shown:
        deadline = time.monotonic() + timeout_s
        with socket.create_connection((host, port), timeout=timeout_s) as sock:
            return _look_over(sock, server_name or host, deadline)

    return await _told(look, f"{host}:{port}")


async def look_over(sock: socket.socket, *, server_name: str, timeout_s: float = 10.0) -> Shown:
    """The same over a connection that is there, such as one through a web proxy; it is closed afterwards.

    Args:
        sock: connected; it does not block, or has a time-out.
        server_name: the name asked for (SNI), and named in errors.
        timeout_s: for the whole.

    Raises:
        HostUnreachable: as for ``look_at``.
    """

    def look() -> Shown:
        with sock:
            return _look_over(sock, server_name, time.monotonic() + timeout_s)

    return await _told(look, server_name)


async def _told(look: Callable[[], Shown], target: str) -> Shown:
    try:
        shown = await asyncio.to_thread(look)
    except (OSError, UnicodeError, ValueError) as error:
        raise HostUnreachable(f"{target}: {why(error)}") from error
    except SSL.Error as error:
        raise HostUnreachable(f"{target}: the TLS handshake failed: {_reason(error)}") from error
    if not shown.certificates:
        raise HostUnreachable(f"{target}: showed no certificate")
    return shown


def _look_over(sock: socket.socket, server_name: str, deadline: float) -> Shown:
    context, states = SSL.Context(SSL.TLS_CLIENT_METHOD), set[bytes]()
    context.set_info_callback(lambda connection, _where, _code: states.add(connection.get_state_string()))
    connection = SSL.Connection(context, sock)
    connection.set_connect_state()
    connection.set_tlsext_host_name(server_name.encode("idna"))
    _shake_hands(connection, sock, deadline)
    chain = connection.get_peer_cert_chain(as_cryptography=True) or []
    return Shown(
        tuple(chain[:_MOST_CERTIFICATES]),
        connection.get_protocol_version_name(),
        tuple(_name(name) for name in connection.get_client_ca_list()),
        any(_REQUEST in state for state in states),
    )


def _shake_hands(connection: SSL.Connection, sock: socket.socket, deadline: float) -> None:
    # A socket with a time-out does not block, and OpenSSL is not told of the time-out: the waiting is ours.
    waiting = select.poll()
    waiting.register(sock, select.POLLIN)
    while True:
        try:
            connection.do_handshake()
        except (SSL.WantReadError, SSL.WantWriteError):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no end of the TLS handshake in time") from None
            waiting.poll(left * 1000)
        else:
            return


def _name(name: X509Name) -> str:
    parts = reversed(name.get_components())
    return ",".join(f"{key.decode()}={value.decode('utf-8', 'replace')}" for key, value in parts)


def _reason(error: SSL.Error) -> str:
    details = error.args[0] if error.args else None
    if isinstance(details, list) and details:
        return str(details[-1][-1])
    return str(error) or "the other side hung up"
