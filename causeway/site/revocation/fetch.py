"""Bytes of a revocation list from a file or a URL, bounded in size and time."""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path

import httpx

from causeway import __version__
from causeway.pki.revocation_list import MAX_LIST_BYTES, RevocationListInvalid
from causeway.site.config import RevocationConfig
from causeway.site.revocation.errors import RevocationListUnreachable
from causeway.transport.httpx_proxy import httpx_proxy

_MOST_REDIRECTS = 3


@dataclass(slots=True)
class Validators:
    """What a server said of the list that it gave last, so that it need not give the same again."""

    etag: str = ""
    last_modified: str = ""


def is_url(source: str) -> bool:
    """Whether a source is a URL; otherwise it is a file."""
    return source.startswith(("http://", "https://"))


def read_file(path: Path) -> bytes:
    """A list from a file.

    Raises:
        RevocationListUnreachable: it cannot be read.
        RevocationListInvalid: it is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LIST_BYTES + 1)
    except OSError as error:
        raise RevocationListUnreachable(f"it cannot be read: {error.strerror}") from error
    return _bounded(data)


async def fetch(url: str, config: RevocationConfig, validators: Validators) -> bytes | None:
    """A list from a URL; None where it is the one that came last. Updates ``validators``.

    Raises:
        RevocationListUnreachable: there is no answer in time, or none of status 200.
        RevocationListInvalid: it is too large.
        StateError: the file with the proxy's password cannot be read.
    """
    timeout_s = config.timeout_s
    # As it is: what comes compressed could become any size.
    headers = {"User-Agent": f"causeway/{__version__}", "Accept-Encoding": "identity"}
    if validators.etag:
        headers["If-None-Match"] = validators.etag
    if validators.last_modified:
        headers["If-Modified-Since"] = validators.last_modified
    try:
        async with (
            asyncio.timeout(timeout_s),
            httpx.AsyncClient(
                verify=ssl.create_default_context(),
                trust_env=False,
                proxy=httpx_proxy(config.proxy, config.proxy_user, config.proxy_password_file),
                timeout=timeout_s,
                follow_redirects=True,
                max_redirects=_MOST_REDIRECTS,
                headers=headers,
            ) as client,
            client.stream("GET", url) as response,
        ):
            if response.status_code == httpx.codes.NOT_MODIFIED:
                return None
            if response.status_code != httpx.codes.OK:
                raise RevocationListUnreachable(f"the answer is {response.status_code} {response.reason_phrase[:100]}")
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise RevocationListUnreachable("the answer is compressed, which nobody asked for")
            data = bytearray()
            async for piece in response.aiter_raw():
                data += piece
                if len(data) > MAX_LIST_BYTES:
                    break
            validators.etag = response.headers.get("etag", "")[:1000]
            validators.last_modified = response.headers.get("last-modified", "")[:100]
    except TimeoutError as error:
        raise RevocationListUnreachable(f"it did not come within {timeout_s:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise RevocationListUnreachable(str(error)[:200] or type(error).__name__) from error
    return _bounded(bytes(data))


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_LIST_BYTES:
        raise RevocationListInvalid(f"it has more than {MAX_LIST_BYTES} bytes")
    return data
