"""Brings the gateway settings from the site: asks for something newer and waits until there is."""

import asyncio
import random
from typing import TYPE_CHECKING

import httpx
import structlog

from causeway import __version__
from causeway.connection_point.tls import site_context
from causeway.errors import StateError
from causeway.gateway_settings import SettingsError
from causeway.gateway_settings.document import MAX_DOCUMENT_BYTES
from causeway.transport.reasons import why

if TYPE_CHECKING:
    from causeway.connection_point.service import ConnectionPoint

log = structlog.get_logger()

_WAIT_S = 30
_LEAST_WAIT_S = 1.0
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 15.0


async def follow_settings(point: "ConnectionPoint") -> None:
    """Offer every new document to ``point``, for ever."""
    loop = asyncio.get_running_loop()
    failures = 0
    while True:
        role = point.role.taken
        try:
            async with httpx.AsyncClient(
                verify=site_context(point.config),
                trust_env=False,  # the site is on the premises: no proxy that the environment happens to name
                timeout=httpx.Timeout(10.0, read=_WAIT_S + 15.0),
                headers={"User-Agent": f"causeway/{__version__}"},
            ) as client:
                while point.role.taken == role:  # with a renewed certificate the site is dialled anew
                    version, asked = point.settings_version, loop.time()
                    await _ask(client, point)
                    failures = 0
                    point.site_reason = ""
                    if point.settings_version == version and loop.time() - asked < _LEAST_WAIT_S:
                        await asyncio.sleep(_LEAST_WAIT_S)  # a site that does not wait is not asked in a loop
        except (httpx.HTTPError, StateError, SettingsError, OSError) as error:
            failures += 1
            point.site_reason = f"the site {point.config.site.url} gives no settings: {why(error)}"
            log.warning("no settings from the site", site=point.config.site.url, reason=why(error), attempt=failures)
            pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(failures, 16))
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  # not a secret


async def _ask(client: httpx.AsyncClient, point: "ConnectionPoint") -> None:
    query = {"newer_than": point.settings_version, "wait_s": _WAIT_S}
    url = f"{point.config.site.url}/causeway/gateway-settings"
    async with client.stream("GET", url, params=query) as response:
        if response.status_code == 204:
            return
        response.raise_for_status()
        document = bytearray()
        async for piece in response.aiter_bytes():
            document += piece
            if len(document) > MAX_DOCUMENT_BYTES:
                raise SettingsError(f"the document has more than {MAX_DOCUMENT_BYTES} bytes")
    point.settings_offered(bytes(document))
