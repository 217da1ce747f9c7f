"""Negotiate over HTTPS (RFC 4559): Kerberos where there is a ticket, NTLM otherwise, bound to the TLS channel."""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Any

import httpx
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from causeway.errors import OperatorError

_MAX_REFUSAL_BYTES = 256 * 1024
_WEAK = frozenset({"md5", "sha1"})


class SignInFailed(OperatorError):
    """Nothing could be shown to a server that asks for Negotiate: no ticket, no password, or an answer of no sense.

    The message ends with the remedy.
    """

    word = "SignIn"


class Negotiate(httpx.Auth):
    """Proves who asks, for a client with one connection: what Negotiate proves holds for its connection alone.

    Args:
        user: ``DOMAIN\\user`` or ``user@domain``; None for whoever has the Kerberos ticket.
        password: theirs; None where there is a ticket.

    Raises:
        OperatorError: the extra that brings it is not installed.
    """

    def __init__(self, user: str | None, password: str | None) -> None:
        try:
            import spnego  # noqa: F401, PLC0415  # an extra
        except ImportError as error:
            raise OperatorError(
                'Negotiate is not installed: `pip install "causeway[directory]"`, or `make extras` in a clone'
            ) from error
        self._user, self._password = user, password

    def __repr__(self) -> str:
        return f"Negotiate({self._user!r}, ***)"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Answer 401, for as long as the two sides have something to say.

        Raises:
            SignInFailed: there is nothing to show, or the server's part makes no sense.
        """
        answer = yield request
        if answer.status_code != httpx.codes.UNAUTHORIZED or "negotiate" not in _offer(answer).lower():
            return
        _bound(answer)
        context = self._context(request, answer)
        token = self._step(context, None)
        while token is not None:
            request.headers["Authorization"] = f"Negotiate {base64.b64encode(token).decode()}"
            answer = yield request
            offered = _offer(answer).partition("Negotiate ")[2].split(",")[0].strip()
            # A last token beside another status proves the server once more; TLS has done so already.
            if answer.status_code != httpx.codes.UNAUTHORIZED or context.complete or not offered:
                return
            _bound(answer)
            token = self._step(context, offered)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """The same; a step may ask a domain controller, so each is made in a thread."""
        flow = self.auth_flow(request)
        asked = await asyncio.to_thread(next, flow, None)
        while asked is not None:
            answer = yield asked
            asked = await asyncio.to_thread(_send, flow, answer)

    def _context(self, request: httpx.Request, answer: httpx.Response) -> Any:
        import spnego  # noqa: PLC0415  # an extra
        from spnego.channel_bindings import GssChannelBindings  # noqa: PLC0415

        tls = answer.extensions["network_stream"].get_extra_info("ssl_object")
        bindings = GssChannelBindings(application_data=b"tls-server-end-point:" + _fingerprint(tls.getpeercert(True)))
        try:
            return spnego.client(
                self._user, self._password, hostname=request.url.host, service="HTTP", channel_bindings=bindings
            )
        except Exception as error:  # nor one for a ticket that is not there
            raise SignInFailed(f"there is nothing to sign in with: {_first_line(error)}; {self._remedy}") from None

    def _step(self, context: Any, offered: str | None) -> bytes | None:
        try:
            token: bytes | None = context.step(None if offered is None else base64.b64decode(offered))
        except Exception as error:  # nor one for a server's token that is none
            raise SignInFailed(f"signing in came to no end: {_first_line(error)}; {self._remedy}") from None
        return token

    @property
    def _remedy(self) -> str:
        if self._password is not None:
            return "see whether user and password are right"
        return (
            "get a Kerberos ticket with `kinit`, which is used with "
            '`pip install "causeway[directory,kerberos]"`; or name a user'
        )


class _Bounded(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that ends the sign-in where it is longer than any refusal is: httpx reads it before it asks again."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._left = _MAX_REFUSAL_BYTES

    def _counted(self, chunk: bytes) -> bytes:
        self._left -= len(chunk)
        if self._left < 0:
            raise SignInFailed(f"a refusal of more than {_MAX_REFUSAL_BYTES} bytes came; see what answers there")
        return chunk

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            yield self._counted(chunk)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield self._counted(chunk)

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


def _bound(answer: httpx.Response) -> None:
    if not answer.is_stream_consumed:
        answer.stream = _Bounded(answer.stream)


def _send(flow: Generator[httpx.Request, httpx.Response, None], answer: httpx.Response) -> httpx.Request | None:
    try:
        return flow.send(answer)
    except StopIteration:
        return None


def _offer(answer: httpx.Response) -> str:
    return str(answer.headers.get("WWW-Authenticate", ""))


def _fingerprint(certificate: bytes) -> bytes:
    """By the hash of the certificate's own signature, SHA-256 where that is a weak one or none (RFC 5929, 4.1)."""
    try:
        own = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        own = None
    digest = hashes.Hash(hashes.SHA256() if own is None or own.name in _WEAK else own)
    digest.update(certificate)
    return digest.finalize()


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
