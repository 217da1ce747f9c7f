"""Keeps the newest signed version at hand, and wakes those who wait for it."""

import asyncio
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.concurrency import run_in_threadpool

from causeway.site.database import Database, gateway_settings
from causeway.site.database.gateway_settings import Published
from causeway.site.settings.build import Content


class Publisher:
    """The newest version of the gateway settings. Lives on the event loop; its database work runs in threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._newest: Published | None = None
        self._changed = asyncio.Event()
        self._closed = False

    @property
    def version(self) -> int:
        """The newest version's number; 0 while there is none."""
        return self._newest.version if self._newest else 0

    async def publish(self, content: Content, key: Ed25519PrivateKey) -> None:
        """Publish ``content`` as a new version, if it differs from the newest one."""

        def work() -> Published:
            return gateway_settings.publish(
                self._database,
                content.digest(key),
                lambda version, issued_at: content.signed(version, issued_at, key),
                now=datetime.now(UTC),
            )

        self._take(await run_in_threadpool(work))

    async def look(self) -> None:
        """Take a newer version that another server of the site has published."""
        newest = await run_in_threadpool(gateway_settings.newest, self._database)
        if newest is not None and newest.version > self.version:
            self._take(newest)

    async def newer_than(self, version: int, *, wait_s: float) -> Published | None:
        """The newest version once it is above ``version``; None when ``wait_s`` has passed or the site stops."""
        deadline = asyncio.get_running_loop().time() + wait_s
        while not self._closed:
            if self._newest is not None and self._newest.version > version:
                return self._newest
            try:
                async with asyncio.timeout_at(deadline):
                    await self._changed.wait()
            except TimeoutError:
                return None
        return None

    def close(self) -> None:
        """Send everyone who waits away: the site stops."""
        self._closed = True
        self._wake()

    def _take(self, published: Published) -> None:
        if self._newest != published:
            self._newest = published
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        # Those who wait now have been woken; those who come next look first and then wait for the next change.
        self._changed = asyncio.Event()
