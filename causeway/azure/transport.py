"""How the SDK's clients reach Azure: one HTTP session for all, bounded in time, retries and bytes."""

import logging
from typing import Any

import aiohttp
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import AsyncRetryPolicy
from azure.core.pipeline.transport import AioHttpTransport

from causeway import __version__

MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""All sizes of virtual machines of a region, the longest answer there is, have a few MB."""
LONGEST_WAIT_S = 10.0
"""Of what Azure asks for in ``Retry-After``, the longest that is waited for."""
_CONNECT_S = 10.0
_READ_S = 30.0
_RETRIES = 3

# What the SDK logs comes as an error of ours, too, and in one line.
for _name in ("azure", "msal", "aiohttp"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


class AnswerTooLong(aiohttp.ClientPayloadError):
    """An answer beyond ``MAX_ANSWER_BYTES``."""


class _Bounded(aiohttp.ClientResponse):
    """Reads no more of an answer than it may have."""

    async def read(self) -> bytes:
        """The whole body.

        Raises:
            AnswerTooLong: it is longer than an answer may be.
        """
        if self._body is None:
            body = bytearray()
            async for chunk in self.content.iter_any():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    self.close()
                    raise AnswerTooLong(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
            self._body = bytes(body)
        return self._body


class _Patient(AsyncRetryPolicy[Any, Any]):
    """Waits as Azure asks, but not for long: beyond that its refusal is the answer."""

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        if (self.get_retry_after(response) or 0) > LONGEST_WAIT_S:
            return False
        return super().is_retry(settings, response)


def new_session() -> aiohttp.ClientSession:
    """The session that every client shares; whoever makes it closes it.

    Answers are not compressed, so that their size is known while they are read.
    """
    return aiohttp.ClientSession(
        response_class=_Bounded, cookie_jar=aiohttp.DummyCookieJar(), trust_env=True, auto_decompress=True
    )


def retry_policy() -> AsyncRetryPolicy[Any, Any]:
    """For one client."""
    return _Patient(retry_total=_RETRIES, retry_backoff_factor=0.4, retry_backoff_max=LONGEST_WAIT_S)


def options(
    session: aiohttp.ClientSession, proxy: str | None = None, *, connect_timeout_s: float = _CONNECT_S
) -> dict[str, Any]:
    """What every client and credential of the SDK takes: the way to Azure. ``proxy`` goes before the environment's."""
    found: dict[str, Any] = {
        "transport": AioHttpTransport(
            session=session, session_owner=False, connection_timeout=connect_timeout_s, read_timeout=_READ_S
        ),
        "user_agent": f"causeway/{__version__}",
    }
    if proxy is not None:
        found["proxies"] = {"https": proxy}
    return found
