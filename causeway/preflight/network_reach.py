"""The way to one endpoint, stage by stage, as a program would go it: DNS, TCP or the web proxy, TLS, HTTP."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace

import certifi
import h11
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.observability.checks import Status
from causeway.pki.errors import HostUnreachable
from causeway.pki.live import look_over
from causeway.preflight import network_words as words
from causeway.preflight.network_words import Answer, Trouble, Wanted
from causeway.transport.proxy import WebProxy, connect_through

_MOST_ADDRESSES = 8
_MOST_HEAD_BYTES = 64 * 1024
_AGENT = "causeway-check"

Address = tuple[socket.AddressFamily, str]


class Stopped(Exception):
    """The way ends at a stage; see ``trouble``."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.why)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe.

    Attributes:
        machine: the roots of this machine, and those of one's own.
        public: public authorities only.
    """

    machine: ssl.SSLContext = field(repr=False)
    public: ssl.SSLContext = field(repr=False)


@dataclass(frozen=True, slots=True)
class Way:
    """Where to go.

    Attributes:
        host: DNS name.
        port: TCP.
        certificate: what is expected of it; None where there is no TLS.
        http: whether HTTP is spoken there.
        proxy: through which to go; None for the direct way.
    """

    host: str
    port: int
    certificate: Wanted | None
    http: bool
    proxy: WebProxy | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """The end of the way, and what was seen on it.

    Attributes:
        through: an address or the proxy.
        tls: version and issuer; empty without TLS.
        answer: of HTTP; None where it is not spoken, or where the other side wants a client certificate first.
        remarks: what is not as it should be, though the way goes on.
    """

    through: str
    tls: str = ""
    answer: Answer | None = None
    remarks: tuple[Trouble, ...] = ()

    def __str__(self) -> str:
        said = f"HTTP {self.answer}" if self.answer else ""
        return ", ".join(part for part in (self.through, self.tls, said) if part)


def trust(authorities: Iterable[x509.Certificate]) -> Trust:
    """Roots of this machine, and public authorities; ``authorities`` are one's own."""
    machine = ssl.create_default_context()
    for each in authorities:
        machine.load_verify_locations(cadata=each.public_bytes(Encoding.DER))
    public = ssl.create_default_context(cafile=certifi.where())
    for context in (machine, public):
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    return Trust(machine, public)


async def find(host: str, limit_s: float) -> tuple[Address, ...]:
    """The addresses of a name, asked as programs ask: /etc/hosts, then DNS.

    Raises:
        Stopped: there are none, or no answer.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Address]] = loop.create_future()

    def put(found: list[Address] | OSError) -> None:
        if answer.done():
            return
        if isinstance(found, OSError):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def ask() -> None:
        found: list[Address] | OSError
        try:
            infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found = [(family, str(address[0])) for family, _, _, _, address in infos]
        except UnicodeError:
            found = socket.gaierror(socket.EAI_NONAME, "no DNS name")
        except OSError as error:
            found = error
        with contextlib.suppress(RuntimeError):  # nobody waits any more
            loop.call_soon_threadsafe(put, found)

    # A thread of its own: a resolver that does not answer must not hold up the end of the program.
    threading.Thread(target=ask, daemon=True, name=f"resolve {host}").start()
    try:
        async with _limit(words.DNS, limit_s, "This machine's resolver does not answer: see /etc/resolv.conf."):
            found = await answer
    except OSError as error:
        raise Stopped(words.dns_trouble(error.errno or 0, error.strerror or words.first_line(error))) from error
    addresses = tuple(dict.fromkeys(found))[:_MOST_ADDRESSES]
    blocked = [address for _, address in addresses if address in {"0.0.0.0", "::"}]  # noqa: S104  # an answer
    if blocked:
        why = f"leads to {blocked[0]}: a DNS filter blocks the name"
        raise Stopped(Trouble(words.DNS, why, f"Let {host} through at the filter."))
    return addresses


async def reach(way: Way, addresses: Sequence[Address], roots: Trust, limit_s: float) -> Reached:
    """Go all the way.

    Args:
        way: where to.
        addresses: of the host; of no use through a proxy.
        roots: whom to believe.
        limit_s: for each stage.

    Raises:
        Stopped: at the stage that failed.
        StateError: the proxy's password cannot be read.
    """
    if way.certificate is None:
        sock, through = await _connect(way, addresses, limit_s)
        reader, writer = await asyncio.open_connection(sock=sock)
        async with _closing(writer):
            answer = await _ask(reader, writer, way.host, limit_s)
        return _judged(way, Reached(through, answer=answer), genuine=False)
    wanted = way.certificate
    public = wanted.public and await _is_public(way, wanted, addresses, roots, limit_s)
    sock, through = await _connect(way, addresses, limit_s)
    try:
        reader, writer = await _shake_hands(wanted, sock, roots.machine, limit_s)
    except ssl.SSLCertVerificationError as error:
        shown = await _shown(way, wanted, addresses, limit_s)
        raise Stopped(words.certificate_trouble(error, shown, wanted, public=public)) from error
    async with _closing(writer):
        tls = writer.get_extra_info("ssl_object")
        leaf = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))
        inspected = wanted.public and not public
        remarks = (words.inspection_trouble((leaf,), wanted, trusted=True),) if inspected else ()
        answer = await _ask(reader, writer, way.host, limit_s) if way.http else None
        seen = f"{tls.version()}, certificate of {words.issuer((leaf,))}"
        return _judged(way, Reached(through, seen, answer, remarks), genuine=not inspected)


async def _connect(way: Way, addresses: Sequence[Address], limit_s: float) -> tuple[socket.socket, str]:
    """A connected socket, and what it leads through."""
    proxy = way.proxy
    if proxy is not None:
        try:
            async with _limit(words.PROXY, limit_s, f"See whether {proxy} is reached, and lets {way.host} through."):
                return await connect_through(proxy, way.host, way.port), f"through {proxy}"
        except OSError as error:
            raise Stopped(words.proxy_trouble(proxy, error, way.host)) from error
    action = "A firewall on the way drops it: let it through."
    attempts = [asyncio.create_task(_dial(*address, way.port)) for address in addresses]
    failures: list[OSError] = []
    won: tuple[socket.socket, str] | None = None
    try:
        async with _limit(words.TCP, limit_s, action):
            for done in asyncio.as_completed(attempts):
                try:
                    won = await done
                except OSError as error:
                    failures.append(error)
                else:
                    return won
    finally:
        for attempt in attempts:
            attempt.cancel()
        for ended in await asyncio.gather(*attempts, return_exceptions=True):
            if isinstance(ended, tuple) and ended is not won:
                ended[0].close()
    raise Stopped(words.tcp_trouble(failures[0] if failures else OSError("no address")))


async def _dial(family: socket.AddressFamily, address: str, port: int) -> tuple[socket.socket, str]:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock, address


async def _shake_hands(
    wanted: Wanted, sock: socket.socket, context: ssl.SSLContext, limit_s: float
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """TLS over the socket.

    Raises:
        SSLCertVerificationError: the certificate is not good.
        Stopped: anything else.
    """
    try:
        async with _limit(words.TLS, limit_s, "The server or a filter on the way holds the handshake up."):
            return await asyncio.open_connection(sock=sock, ssl=context, server_hostname=wanted.name)
    except ssl.SSLCertVerificationError:
        raise
    except OSError as error:
        raise Stopped(words.handshake_trouble(error)) from error


async def _is_public(way: Way, wanted: Wanted, addresses: Sequence[Address], roots: Trust, limit_s: float) -> bool:
    """Whether a public authority issued the certificate, good or not."""
    sock, _ = await _connect(way, addresses, limit_s)
    try:
        _, writer = await _shake_hands(wanted, sock, roots.public, limit_s)
    except ssl.SSLCertVerificationError as error:
        return error.verify_code not in words.UNKNOWN_ISSUER
    writer.transport.abort()
    return True


async def _shown(
    way: Way, wanted: Wanted, addresses: Sequence[Address], limit_s: float
) -> tuple[x509.Certificate, ...]:
    """The certificates as they are shown, to name them; none where that cannot be."""
    with contextlib.suppress(Stopped, HostUnreachable):
        sock, _ = await _connect(way, addresses, limit_s)
        return (await look_over(sock, server_name=wanted.name, timeout_s=limit_s)).certificates
    return ()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, limit_s: float) -> Answer | None:
    """Any answer to a HEAD request; None where the other side wants a client certificate first."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD_BYTES)
    request = h11.Request(
        method="HEAD", target="/", headers=[("Host", host), ("User-Agent", _AGENT), ("Connection", "close")]
    )
    silent = "The server or a filter on the way does not answer: see the server's log."
    try:
        async with _limit(words.HTTP, limit_s, silent):
            writer.write(connection.send(request) or b"")
            await writer.drain()
            while True:
                event = connection.next_event()
                if isinstance(event, h11.Response):
                    return _answer(event)
                if event is h11.NEED_DATA:
                    connection.receive_data(await reader.read(_MOST_HEAD_BYTES))
                elif not isinstance(event, h11.InformationalResponse):
                    raise Stopped(words.http_trouble("hung up without an answer"))
    except h11.RemoteProtocolError as error:
        raise Stopped(words.http_trouble(f"does not speak HTTP: {words.first_line(error)}")) from error
    except OSError as error:
        if words.wants_client_certificate(error):
            return None
        raise Stopped(words.http_trouble(f"the connection was cut: {words.first_line(error)}")) from error


def _answer(response: h11.Response) -> Answer:
    headers = {name: value.decode("latin-1") for name, value in response.headers}
    reason = response.reason.decode("latin-1")
    return Answer(response.status_code, reason, headers.get(b"location", ""), headers.get(b"server", ""))


def _judged(way: Way, reached: Reached, *, genuine: bool) -> Reached:
    """Raises Stopped where the answer is not the endpoint's own."""
    if reached.answer is None:
        return reached
    trouble = words.answer_trouble(way.host, reached.answer, genuine=genuine, inspected=bool(reached.remarks))
    if trouble is None:
        return reached
    if trouble.status is Status.FAIL:
        raise Stopped(trouble)
    return replace(reached, remarks=(*reached.remarks, trouble))


@contextlib.asynccontextmanager
async def _limit(check: str, limit_s: float, action: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError as error:
        raise Stopped(Trouble(check, f"no answer within {limit_s:g} s", action)) from error


@contextlib.asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Hang up without a word: some never answer the end of TLS."""
    try:
        yield
    finally:
        writer.transport.abort()
