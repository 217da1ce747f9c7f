"""The signing keys of Entra tenants, as request handlers in threads use them."""

import asyncio
import threading
from collections.abc import Iterable

from causeway.gateway_settings.entra import EntraTenant
from causeway.identity.entra.config import EntraKeysSection
from causeway.identity.entra.documents import TenantKeys
from causeway.identity.entra.key_cache import KeyCache

_MOST_WAITING = 4


class EntraKeys:
    """One cache for the site's server. ``configure`` and ``close`` are the event loop's, the rest is any thread's."""

    def __init__(self, config: EntraKeysSection) -> None:
        self._wait_s = 2 * config.timeout_s
        self._cache = KeyCache(config, None)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)

    def configure(self, tenants: Iterable[EntraTenant]) -> None:
        """Keep the keys of these tenants from now on."""
        self._loop = asyncio.get_running_loop()
        self._cache.configure(tenants)

    def close(self) -> None:
        """Fetch no more."""
        self._cache.close()

    def keys(self, tenant_id: str) -> TenantKeys | None:
        """The keys of a tenant; None where there are none that may be used."""
        return self._cache.keys(tenant_id)

    def wait(self, tenant_id: str) -> None:
        """Have a tenant's keys fetched again, if that may be, and wait for them; a few threads, and not all of them."""
        if self._loop is None or not self._waiting.acquire(blocking=False):
            return
        try:
            asyncio.run_coroutine_threadsafe(self._cache.renewed(tenant_id), self._loop).result(self._wait_s)
        except TimeoutError:
            return
        finally:
            self._waiting.release()
