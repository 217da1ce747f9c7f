"""Questions to the site's servers by HTTP: verified, bounded in bytes, never redirected, and answered in any case."""

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from causeway import __version__
from causeway.errors import StateError
from causeway.pki.bundle import read_bundles
from causeway.preflight.text import shortened

MAX_ANSWER_BYTES = 1024 * 1024
_HEADERS = {"User-Agent": f"causeway/{__version__}", "Accept-Encoding": "identity", "Connection": "close"}


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What is shown where a server asks for a client certificate.

    Attributes:
        file: PEM; it may hold the key, too.
        key: the key's file, where it is another one.
        passphrase: of the key.
    """

    file: Path
    key: Path | None = None
    passphrase: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: 0 where there was no answer.
        reason: as the server wrote it.
        body: no more than ``MAX_ANSWER_BYTES``.
        trouble: why there was no answer.
        untrusted: there was none because the server's certificate could not be verified.
    """

    status: int = 0
    reason: str = ""
    body: bytes = b""
    trouble: str = ""
    untrusted: bool = False

    @property
    def line(self) -> str:
        """Status and reason, for people."""
        return f"{self.status} {shortened(self.reason)}".strip()


Ask = Callable[[str, bool], Awaitable[Answer]]
"""Asks for a URL; whether the client certificate is at hand for it, where the server wants one."""


@lru_cache(maxsize=8)  # there may be dozens of servers, and reading a machine's roots takes its time
def tls_context(authorities: tuple[Path, ...], shown: ClientCertificate | None = None) -> ssl.SSLContext:
    """Trusts this machine's roots and ``authorities``; shows ``shown``, also where a server asks late for it.

    Raises:
        OperatorError: a file cannot be used.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # IIS decides by the path whether it wants a certificate, and in TLS 1.3 asks after the handshake.
    context.post_handshake_auth = True
    roots = read_bundles(authorities).certificates
    if roots:
        context.load_verify_locations(cadata="".join(map(_pem, roots)))
    if shown is not None:
        try:
            context.load_cert_chain(shown.file, shown.key, lambda: shown.passphrase or b"")
        except (OSError, ssl.SSLError, ValueError) as error:
            why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
            raise StateError(
                f"{shown.file}: the client certificate cannot be used: {why}; name a certificate in PEM with "
                "--site-client-certificate, its key with --site-client-key, and the key's passphrase with "
                "--site-client-passphrase-file"
            ) from error
    return context


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks for HTTPS and HTTP URLs; whoever calls bounds the time.

    Attributes:
        authorities: files of roots of one's own, or of intermediates.
        certificate: shown where a server wants one and the call says so.
    """

    authorities: tuple[Path, ...] = ()
    certificate: ClientCertificate | None = None

    async def __call__(self, url: str, show: bool) -> Answer:
        """The answer.

        Raises:
            OperatorError: a file cannot be used.
        """
        shown = self.certificate if show else None
        context = None if url.startswith("http:") else await asyncio.to_thread(tls_context, self.authorities, shown)
        async with open_client(context) as client:
            return await fetch(client, url)


@contextlib.asynccontextmanager
async def open_client(
    context: ssl.SSLContext | None, auth: httpx.Auth | None = None, *, keep: bool = False
) -> AsyncIterator[httpx.AsyncClient]:
    """A client with one connection that takes nothing from the environment.

    Args:
        context: verifies; None only for what is asked without TLS.
        auth: shows who asks.
        keep: the connection serves for several questions.
    """
    async with httpx.AsyncClient(
        # Without TLS it verifies nothing because it connects to nobody: a context that trusts no root.
        verify=context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        auth=auth,
        trust_env=False,
        follow_redirects=False,
        timeout=None,  # noqa: S113  # bounded for all of it together
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=int(keep)),
        headers={name: value for name, value in _HEADERS.items() if not (keep and name == "Connection")},
    ) as client:
        yield client


async def fetch(
    client: httpx.AsyncClient,
    url: str,
    *,
    max_bytes: int = MAX_ANSWER_BYTES,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Ask for ``url``."""
    try:
        async with client.stream("GET", url, headers=headers) as response:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                return Answer(trouble="an encoding came that was not asked for")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > max_bytes:
                    return Answer(trouble=f"more than {max_bytes} bytes came")
            return Answer(response.status_code, response.reason_phrase, bytes(body))
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError, ValueError) as error:
        return _trouble(error)


async def within(seconds: float, asked: Awaitable[Answer]) -> Answer:
    """The answer, or that there was none in time, so that what else was seen is told all the same."""
    try:
        async with asyncio.timeout(seconds):
            return await asked
    except TimeoutError:
        return Answer(trouble=f"no answer within {seconds:g} s")


def _trouble(error: Exception) -> Answer:
    cause: BaseException | None = error
    why = str(error)
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = shortened(cause.verify_message.rstrip(".") or str(cause))
            return Answer(trouble=f"its certificate is not trusted: {why}", untrusted=True)
        if isinstance(cause, ssl.SSLError):
            return Answer(trouble=shortened((cause.reason or str(cause)).replace("_", " ").lower()))
        if isinstance(cause, OSError) and cause.errno:  # the libraries above only say that there was no connection
            why = os.strerror(cause.errno) if cause.errno > 0 else cause.strerror or str(cause)
        cause = cause.__cause__ or cause.__context__
    return Answer(trouble=shortened(why or type(error).__name__))


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
