"""A connection to a domain controller: a thin adapter between sockets and LDAP's messages."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

import sansldap

from causeway.directory import refusals
from causeway.directory.errors import DirectoryAnswer, DirectoryRefused, DirectoryUnreachable, DirectoryUntrusted
from causeway.directory.kerberos import MECHANISM, Kerberos, Ticket
from causeway.directory.messages import Done, Entry, Messages, Reply
from causeway.directory.sealing import Sealing
from causeway.directory.values import Transport

PORTS = {Transport.LDAPS: 636, Transport.STARTTLS: 389, Transport.LDAP: 389}
PAGE = 500
"""Entries a page; Active Directory gives 1,000 at most (MaxPageSize)."""

_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Server:
    """A domain controller.

    Attributes:
        host: its full name; the certificate and Kerberos must know it by that.
        port: None for the transport's own.
    """

    host: str
    port: int | None = None

    def port_of(self, transport: Transport) -> int:
        """The port for a transport."""
        return self.port or PORTS[transport]


class Connection:
    """One connection; made by ``connect``."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader, self._writer = reader, writer
        self._messages = Messages()
        self._sealing: Sealing | None = None
        self._replies: list[Reply] = []

    @property
    def certificate(self) -> bytes | None:
        """The server's certificate, DER; None without TLS."""
        tls: ssl.SSLObject | None = self._writer.get_extra_info("ssl_object")
        return None if tls is None else tls.getpeercert(binary_form=True)

    @property
    def encrypted(self) -> bool:
        """Whether nobody on the way reads along."""
        return self._sealing is not None or self.certificate is not None

    async def start_tls(self, trust: ssl.SSLContext) -> None:
        """Go over to TLS.

        Raises:
            DirectoryRefused: the server has none.
            DirectoryUntrusted: its certificate cannot be verified.
        """
        done = await self._operation(self._messages.start_tls())
        if done.code != refusals.SUCCESS:
            raise refusals.refusal(done, "StartTLS")
        if self._replies or self._messages.holds_bytes:
            raise DirectoryAnswer("more came in the clear than the answer to StartTLS")
        # A reader anew: what somebody put in the old one behind the answer never counts as said under TLS.
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        with _tls_errors(self._server):
            transport = await loop.start_tls(self._writer.transport, protocol, trust, server_hostname=self._server.host)
        if transport is None:
            raise DirectoryUnreachable("the connection broke within the TLS handshake")
        protocol.connection_made(transport)
        self._reader, self._writer = reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def sign_in_with_password(self, user: str, password: str) -> None:
        """Sign in by name and password, which nobody on the way can read.

        Raises:
            DirectoryRefused: the connection has no TLS, or the directory refuses.
        """
        if self.certificate is None:
            raise DirectoryRefused("a password is not sent without TLS; use --directory-transport ldaps or starttls")
        if not user or not password:  # RFC 4513, 5.1.2: that would succeed as nobody
            raise DirectoryRefused("name or password is empty; give both")
        done = await self._operation(self._messages.bind_simple(user, password))
        if done.code != refusals.SUCCESS:
            raise refusals.refusal(done, "the password")

    async def sign_in_with_kerberos(self, ticket: Ticket) -> None:
        """Sign in with a ticket; without TLS, everything from then on is sealed.

        Raises:
            NoCredentials: there is no ticket.
            DirectoryRefused: Kerberos or the directory refuses.
        """
        kerberos = Kerberos(self._server.host, ticket, self.certificate)
        done = await self._sasl(await kerberos.step(b""))
        while not kerberos.complete:
            done = await self._sasl(await kerberos.step(done.token))
        if not done.token:  # the server has the last token, and now makes its offer
            done = await self._sasl(b"")
        answer, layer = kerberos.choose(done.token)
        done = await self._operation(self._messages.bind_sasl(MECHANISM, answer))
        if done.code != refusals.SUCCESS:
            raise refusals.refusal(done, "Kerberos")
        self._sealing = layer

    async def _sasl(self, token: bytes) -> Done:
        done = await self._operation(self._messages.bind_sasl(MECHANISM, token))
        if done.code != refusals.SASL_BIND_IN_PROGRESS:
            raise refusals.refusal(done, "Kerberos")
        return done

    async def entry(
        self, dn: str, attributes: Sequence[str], wanted: sansldap.LDAPFilter | None = None
    ) -> Entry | None:
        """The entry called ``dn``, if it matches; None where there is none."""
        wanted = wanted or sansldap.FilterPresent("objectClass")
        entries: list[Entry] = []
        done = await self._operation(self._messages.search(dn, sansldap.SearchScope.BASE, wanted, attributes), entries)
        if done.code == refusals.NO_SUCH_OBJECT:
            return None
        if done.code != refusals.SUCCESS:
            raise refusals.refusal(done, "a question")
        return entries[0] if entries else None

    async def search(
        self, base: str, wanted: sansldap.LDAPFilter, attributes: Sequence[str], *, most: int, page: int = PAGE
    ) -> tuple[list[Entry], bool]:
        """Every entry below ``base`` that matches, page by page.

        Args:
            base: where to look.
            wanted: what matches.
            attributes: what to read of each.
            most: no more than so many entries are read.
            page: entries a page.

        Returns:
            The entries, and whether they are all.
        """
        entries: list[Entry] = []
        cookie = b""
        while True:
            asked = self._messages.search(base, sansldap.SearchScope.SUBTREE, wanted, attributes, page=(page, cookie))
            before = len(entries)
            done = await self._operation(asked, entries, most=most + page)
            if done.code != refusals.SUCCESS:
                raise refusals.refusal(done, "a question")
            cookie = done.cookie
            if not cookie or len(entries) >= most:
                return entries[:most], not cookie and len(entries) <= most
            if len(entries) == before:
                raise DirectoryAnswer("it gives empty pages without end")

    async def _operation(self, data: bytes, entries: list[Entry] | None = None, *, most: int = 1) -> Done:
        """Ask, and wait for the end of the answer; entries on the way go into ``entries``."""
        try:
            self._writer.write(self._sealing.send(data) if self._sealing else data)
            await self._writer.drain()
            while True:
                while self._replies:
                    reply = self._replies.pop(0)
                    if isinstance(reply, Done):
                        return reply
                    if entries is None or len(entries) >= most:
                        raise DirectoryAnswer("it answers with entries that were not asked for")
                    entries.append(reply)
                came = await self._reader.read(_CHUNK)
                if not came:
                    raise DirectoryUnreachable("it hung up before it had answered")
                self._replies += self._messages.receive(self._sealing.receive(came) if self._sealing else came)
        except OSError as error:
            raise DirectoryUnreachable(f"the connection broke: {error.strerror or error}") from error

    def close(self) -> None:
        """Hang up at once: nothing is on its way that anybody waits for."""
        self._writer.transport.abort()


@contextlib.asynccontextmanager
async def connect(server: Server, transport: Transport, trust: ssl.SSLContext) -> AsyncIterator[Connection]:
    """Connect, with TLS where the transport has it; hangs up at the end.

    Raises:
        DirectoryUnreachable: it does not answer.
        DirectoryUntrusted: its certificate cannot be verified.
        DirectoryRefused: it has no TLS.
    """
    port = server.port_of(transport)
    tls = {"ssl": trust, "server_hostname": server.host} if transport is Transport.LDAPS else {}
    with _tls_errors(server):
        reader, writer = await asyncio.open_connection(server.host, port, **tls)  # type: ignore[arg-type]
    connection = Connection(server, reader, writer)
    try:
        if transport is Transport.STARTTLS:
            await connection.start_tls(trust)
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def _tls_errors(server: Server) -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise DirectoryUntrusted(
            f"its certificate is not trusted: {error.verify_message}; name the root of your PKI with --ca FILE, and "
            f"have the certificate be for {server.host}"
        ) from error
    except ssl.SSLError as error:
        raise DirectoryUnreachable(f"the TLS handshake failed: {error.reason or error}") from error
    except (OSError, UnicodeError) as error:
        raise DirectoryUnreachable(getattr(error, "strerror", None) or str(error)) from error
