"""A fake domain controller that answers as a test wants: it speaks LDAP within TLS or not, and takes any password.

It holds no entries and keeps no rules; what a real one does is seen against Samba.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable

import sansldap

from tests.system.certificates import Certificates

BASE = "DC=corp,DC=contoso,DC=com"
Answer = Callable[[sansldap.LDAPServer, sansldap.SearchRequest], bytes]
"""What is sent for a search after the sign-in."""


def root(server: sansldap.LDAPServer, request: sansldap.LDAPMessage) -> bytes:
    """The directory's own entry."""
    values = {
        "defaultNamingContext": BASE,
        "dnsHostName": "localhost",
        "supportedCapabilities": "1.2.840.113556.1.4.800",
    }
    server.search_result_entry(
        request.message_id, "", [sansldap.PartialAttribute(name, [value.encode()]) for name, value in values.items()]
    )
    server.search_result_done(request.message_id)
    return server.data_to_send()


@contextlib.asynccontextmanager
async def fake_directory(certificates: Certificates, answer: Answer) -> AsyncIterator[int]:
    """Run it with TLS on a port of ``localhost``; gives the port."""
    pair = certificates.server("localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*pair.both)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = sansldap.LDAPServer()
        with contextlib.suppress(OSError, sansldap.ProtocolError):
            while data := await reader.read(65536):
                for request in server.receive(data):
                    if isinstance(request, sansldap.BindRequest):
                        server.bind_response(request.message_id)
                        writer.write(server.data_to_send())
                    elif isinstance(request, sansldap.SearchRequest):
                        is_root = not request.base_object
                        writer.write(root(server, request) if is_root else answer(server, request))
                await writer.drain()
        writer.close()

    async with _running(serve, context) as port:
        yield port


@contextlib.asynccontextmanager
async def fake_server(sent: bytes) -> AsyncIterator[int]:
    """Something in the clear that answers whatever comes with the same bytes, and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read(65536)
            writer.write(sent)
            await writer.drain()
        writer.close()

    async with _running(serve, None) as port:
        yield port


@contextlib.asynccontextmanager
async def _running(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object], context: ssl.SSLContext | None
) -> AsyncIterator[int]:
    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)  # type: ignore[arg-type]
    async with listening:
        yield int(listening.sockets[0].getsockname()[1])
