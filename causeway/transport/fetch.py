"""A bounded answer over HTTP from an address that somebody else chose, such as that of a revocation list."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from causeway import __version__

_MOST_REDIRECTS = 3
_REASON_CHARACTERS = 200


class FetchFailed(ConnectionError):
    """There is no answer, or none that counts; it says why.

    Attributes:
        status: of HTTP's answer, the server's or the proxy's; 0 where there was none.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class FetchedTooMuch(FetchFailed):
    """The answer is larger than it may be."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer.

    Attributes:
        data: None where the server says that nothing has changed.
        headers: of the answer.
    """

    data: bytes | None
    headers: Mapping[str, str]


async def fetch(
    url: str,
    *,
    most_bytes: int,
    timeout_s: float,
    proxy: httpx.Proxy | None = None,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Fetched:
    """Get a URL, or post to it. A few redirections are followed, but not with what is posted.

    Args:
        url: HTTP, or HTTPS, whose certificate this machine's roots must vouch for.
        most_bytes: of the answer's content, which must not be compressed: that could become any size.
        timeout_s: for everything together.
        proxy: on the way.
        headers: besides our own; with conditions, "not modified" counts as an answer.
        content: what is posted.

    Raises:
        FetchedTooMuch: the answer is too large.
        FetchFailed: everything else that is not an answer of status 200.
    """
    own = {"User-Agent": f"causeway/{__version__}", "Accept-Encoding": "identity"}
    try:
        async with (
            asyncio.timeout(timeout_s),
            httpx.AsyncClient(
                verify=ssl.create_default_context(),
                trust_env=False,
                proxy=proxy,
                timeout=timeout_s,
                follow_redirects=content is None,
                max_redirects=_MOST_REDIRECTS,
                headers={**own, **(headers or {})},
            ) as client,
            client.stream("GET" if content is None else "POST", url, content=content) as response,
        ):
            if response.status_code == httpx.codes.NOT_MODIFIED and headers:
                return Fetched(None, response.headers)
            if response.status_code != httpx.codes.OK:
                why = f"the answer is {response.status_code} {response.reason_phrase[:100]}"
                raise FetchFailed(why, response.status_code)
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise FetchFailed("the answer is compressed, which nobody asked for")
            data = bytearray()
            async for piece in response.aiter_raw():
                data += piece
                if len(data) > most_bytes:
                    raise FetchedTooMuch(f"it has more than {most_bytes} bytes")
            return Fetched(bytes(data), response.headers)
    except FetchFailed:
        raise
    except TimeoutError as error:
        raise FetchFailed(f"no answer within {timeout_s:g} s") from error
    except httpx.ProxyError as error:  # "407 Proxy Authentication Required", where it was asked for a tunnel
        status = str(error)[:3]
        reason = f"the proxy refused: {str(error)[:_REASON_CHARACTERS]}"
        raise FetchFailed(reason, int(status) if status.isdecimal() else 0) from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise FetchFailed(str(error)[:_REASON_CHARACTERS] or type(error).__name__) from error
