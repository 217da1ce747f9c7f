"""HTTP exchanges with a gateway or a management point: bytes out as they are, one answer back or one error."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import httpx

from causeway import __version__
from causeway.device.config import DeviceConfig, ServerUrl, tls_context
from causeway.device.errors import AnswerMalformedError, AnswerRefusedError, UnreachableError, UntrustedServerError
from causeway.errors import ConfigurationError
from causeway.transport.reasons import why

MAX_ANSWER_BYTES = 32 * 1024 * 1024
REQUEST_ID_HEADER = "X-Request-Id"
_OK = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """A 200's content type and body, and the gateway's name for the request (empty when there was no gateway)."""

    content_type: str
    body: bytes
    request_id: str


class Credential(Protocol):
    """Shows who the device is, in headers."""

    async def headers(self) -> Mapping[str, str]:
        """The headers of the next request.

        Raises:
            DeviceError: there is nothing to show.
        """

    async def after_refusal(self, error: AnswerRefusedError) -> bool:
        """Whether a request that was refused is worth a second try, with other headers."""


class Transport:
    """Sends requests below the configured URL. Use as an asynchronous context manager.

    Args:
        config: the device.
        server: where its requests go.
        transport: httpx's transport, for tests; None connects with TLS.

    Attributes:
        credential: what shows who the device is in each request; None where TLS does, or nothing has to.
    """

    def __init__(
        self, config: DeviceConfig, server: ServerUrl, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.credential: Credential | None = None
        self._server = server
        self._timeout_s = config.timeout_s
        self._headers = {"User-Agent": f"causeway-device/{__version__}", "Accept-Encoding": "identity"}
        if not config.keep_connections:
            self._headers["Connection"] = "close"
        try:
            self._client = httpx.AsyncClient(
                verify=tls_context(config) if transport is None else True,
                transport=transport,
                proxy=config.proxy,
                # Neither another proxy nor a .netrc may come in from the environment of the process.
                trust_env=False,
                timeout=None,  # noqa: S113 - the whole exchange has one limit, below
                limits=httpx.Limits(max_connections=1, max_keepalive_connections=int(config.keep_connections)),
            )
        except ValueError as error:
            raise ConfigurationError(f"proxy {config.proxy!r} cannot be used: {error}") from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        plain: bool = False,
    ) -> Answer:
        """Send one request and return its answer.

        Args:
            method: such as ``GET`` or ``CCM_POST``.
            target: path and query below the configured prefix; they travel byte for byte, braces included.
            headers: what the request has beside the usual.
            content: the body.
            plain: without the credential.

        Raises:
            AnswerRefusedError: another status than 200.
            UnreachableError, UntrustedServerError, AnswerMalformedError: there was no whole answer.
        """
        credential = None if plain else self.credential
        if credential is None:
            return await self._exchange(method, target, headers or {}, content)
        try:
            return await self._exchange(method, target, {**(headers or {}), **await credential.headers()}, content)
        except AnswerRefusedError as error:
            if not await credential.after_refusal(error):
                raise
        return await self._exchange(method, target, {**(headers or {}), **await credential.headers()}, content)

    async def _exchange(self, method: str, target: str, headers: Mapping[str, str], content: bytes) -> Answer:
        request = self._client.build_request(
            method,
            self._server.origin + "/",
            headers={**self._headers, **headers},
            content=content or None,
            extensions={"target": (self._server.prefix + target).encode("ascii")},
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.send(request, stream=True)
                try:
                    body = await _read(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise UnreachableError(f"{self._server.origin}: no whole answer within {self._timeout_s:g} s") from None
        except httpx.RemoteProtocolError as error:
            raise AnswerMalformedError(f"{self._server.origin}: no valid HTTP answer: {error}") from None
        except httpx.TransportError as error:
            raise _explained(self._server.origin, error) from None
        request_id = response.headers.get(REQUEST_ID_HEADER, "")
        if response.status_code != _OK:
            raise AnswerRefusedError(response.status_code, response.reason_phrase, request_id)
        return Answer(response.headers.get("Content-Type", ""), body, request_id)


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise AnswerMalformedError(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)


def _explained(origin: str, error: httpx.TransportError) -> UnreachableError | UntrustedServerError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return UntrustedServerError(
                f"{origin}: the server's certificate is not trusted: {cause.verify_message.rstrip('.')}; give the "
                "authority that issued it, and the name that it is for"
            )
        cause = cause.__cause__ or cause.__context__
    return UnreachableError(f"{origin}: {why(error)}; see that the address is right, and whether a web proxy is needed")
