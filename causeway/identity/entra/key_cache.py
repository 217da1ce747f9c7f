"""The signing keys of all onboarded tenants: fetched ahead of need, shared by an instance, bounded in every way.

Keys are fetched when a tenant comes into the settings, then every hour or so. A token with a key that nobody has seen
asks for a fetch at once, but no two fetches of a tenant are closer together than the cool-down, so that tokens with
invented keys cannot make anybody hammer Entra ID. While Entra ID cannot be reached, the last keys serve for a bounded
time, through restarts, too.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import structlog

from causeway.errors import CausewayError
from causeway.gateway_settings.entra import EntraTenant, TokenVersion
from causeway.identity.entra.config import EntraKeysSection
from causeway.identity.entra.documents import TenantKeys, parse_keys
from causeway.identity.entra.fetch import Fetched, fetch
from causeway.identity.entra.key_file import KeyFile, source_of

log = structlog.get_logger()

Fetch = Callable[[EntraTenant], Awaitable[Mapping[TokenVersion, Fetched]]]
_LONGEST_PAUSE_S = 300.0
_SPREAD = 0.1


class KeyCache:
    """The keys of the tenants in the settings. Lives on one event loop.

    Args:
        config: intervals and bounds.
        folder: where keys are kept on disk, for the other workers and for the next start; None for nowhere.
        fetch_with: fetches a tenant's documents; for tests.
        now: seconds since 1970; for tests.
        on_change: called when a tenant has other keys than before.
    """

    def __init__(
        self,
        config: EntraKeysSection,
        folder: Path | None,
        *,
        on_change: Callable[[], object] = lambda: None,
        fetch_with: Fetch | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._folder = folder
        self._fetch = fetch_with or self._fetch_from_network
        self._now = now
        self._on_change = on_change
        self._keepers: dict[str, _Keeper] = {}
        self._renewals: set[asyncio.Task[bool]] = set()

    def configure(self, tenants: Iterable[EntraTenant]) -> None:
        """Keep the keys of the enabled ones of ``tenants`` from now on, and of no others."""
        wanted = {tenant.tenant_id: tenant for tenant in tenants if tenant.enabled}
        for tenant_id, keeper in list(self._keepers.items()):
            if tenant_id not in wanted or not keeper.serves(wanted[tenant_id]):
                keeper.close()
                del self._keepers[tenant_id]
        for tenant_id, tenant in wanted.items():
            if tenant_id not in self._keepers:
                self._keepers[tenant_id] = _Keeper(
                    tenant, self._config, self._folder, self._fetch, self._now, self._on_change
                )

    def keys(self, tenant_id: str) -> TenantKeys | None:
        """The keys of a tenant as they are now; None where there are none that may still be used."""
        keeper = self._keepers.get(tenant_id)
        return None if keeper is None else keeper.current()

    async def renewed(self, tenant_id: str) -> bool:
        """A token names a key that is not among :meth:`keys`: wait for a fetch.

        Returns:
            whether anything was fetched, so that looking again may help; False at once during the cool-down.
        """
        keeper = self._keepers.get(tenant_id)
        return keeper is not None and await keeper.renewed()

    def renew(self, tenant_id: str, then: Callable[[bool], object]) -> None:
        """As ``renewed``, for callers without a task of their own: ``then`` is called with what it returns."""
        task = asyncio.get_running_loop().create_task(self.renewed(tenant_id))
        self._renewals.add(task)
        task.add_done_callback(self._renewals.discard)
        task.add_done_callback(lambda done: then(not done.cancelled() and done.result()))

    def close(self) -> None:
        """Fetch no more."""
        self.configure(())

    def snapshot(self) -> dict[str, Any]:
        """Figures by tenant, as JSON takes them."""
        return {keeper.tenant.label: keeper.snapshot() for keeper in self._keepers.values()}

    async def _fetch_from_network(self, tenant: EntraTenant) -> Mapping[TokenVersion, Fetched]:
        return await fetch(tenant, self._config)


class _Keeper:
    """Keeps one tenant's keys, with a task of its own."""

    def __init__(
        self,
        tenant: EntraTenant,
        config: EntraKeysSection,
        folder: Path | None,
        fetch_with: Fetch,
        now: Callable[[], float],
        on_change: Callable[[], object],
    ) -> None:
        self.tenant = tenant
        self._config = config
        self._file = None if folder is None else KeyFile(folder, tenant)
        self._fetch = fetch_with
        self._now = now
        self._on_change = on_change
        self._keys: TenantKeys | None = None
        self._attempted_at = 0.0
        self._failures = 0
        self._wanted = asyncio.Event()
        self._attempt_ended: asyncio.Future[bool] | None = None
        self._outcomes: Counter[str] = Counter()
        self._unknown_keys = 0
        self._task = asyncio.get_running_loop().create_task(self._keep())

    def serves(self, tenant: EntraTenant) -> bool:
        """Whether what is kept is right for ``tenant`` as it is set now."""
        return source_of(tenant) == source_of(self.tenant)

    def current(self) -> TenantKeys | None:
        if self._keys is None or self._now() - self._keys.fetched_at > self._config.stale_s:
            return None
        return self._keys

    async def renewed(self) -> bool:
        self._unknown_keys += 1
        if self._attempt_ended is None:
            if self._now() - self._attempted_at < self._config.cool_down_s:
                return False
            self._attempt_ended = asyncio.get_running_loop().create_future()
            self._wanted.set()
        return await asyncio.shield(self._attempt_ended)

    def close(self) -> None:
        self._task.cancel()
        self._end_attempt(renewed=False)

    def snapshot(self) -> dict[str, Any]:
        keys = self._keys
        return {
            "fetches": dict(self._outcomes),
            "unknown_keys": self._unknown_keys,
            "age_s": None if keys is None else max(0.0, self._now() - keys.fetched_at),
        }

    async def _keep(self) -> None:
        while True:
            if self._attempt_ended is None:
                self._attempt_ended = asyncio.get_running_loop().create_future()
            before = self._keys
            try:
                await self._attempt()
            except CausewayError as error:
                self._failures += 1
                log.warning(
                    "the keys of an Entra tenant cannot be had",
                    tenant=self.tenant.label,
                    word=error.word,
                    reason=str(error),
                    usable=self.current() is not None,
                )
            except Exception:
                # A fault of ours in here must not end the keeping; the next attempt may go well.
                self._failures += 1
                log.exception("the keys of an Entra tenant cannot be had", tenant=self.tenant.label)
            if self._keys is not before:
                self._on_change()
            self._end_attempt(renewed=self._keys is not before)
            self._wanted.clear()
            try:
                async with asyncio.timeout(self._pause_s()):
                    await self._wanted.wait()
            except TimeoutError:
                pass

    def _end_attempt(self, *, renewed: bool) -> None:
        ended, self._attempt_ended = self._attempt_ended, None
        if ended is not None and not ended.done():
            ended.set_result(renewed)

    def _pause_s(self) -> float:
        """Until the next fetch, a little different for each, so that many instances do not ask at once."""
        config = self._config
        pause = config.cool_down_s
        if self._failures:
            pause = min(
                config.cool_down_s * 2 ** min(self._failures - 1, 10), max(_LONGEST_PAUSE_S, config.cool_down_s)
            )
        elif self._keys is not None:
            pause = max(config.cool_down_s, self._keys.fetched_at + config.refresh_s - self._now())
        return pause * (1 + random.uniform(0, _SPREAD))  # noqa: S311  # spreads load

    async def _attempt(self) -> None:
        """Take what another worker has fetched meanwhile; where that is nothing, fetch."""
        if self._file is None:
            await self._fetch_and_keep()
            return
        async with self._file.turn():
            kept = await asyncio.to_thread(self._file.read)
            self._attempted_at = max(self._attempted_at, min(kept.attempted_at, self._now()))
            if kept.keys is not None and (self._keys is None or kept.keys.fetched_at > self._keys.fetched_at):
                self._keys = kept.keys
                self._failures = 0
            fresh = self._keys is not None and self._now() - self._keys.fetched_at < self._config.refresh_s
            if self._now() - self._attempted_at < self._config.cool_down_s or (fresh and not self._wanted.is_set()):
                return
            await self._fetch_and_keep()

    async def _fetch_and_keep(self) -> None:
        self._attempted_at = self._now()
        try:
            fetched = await self._fetch(self.tenant)
            versions = await asyncio.to_thread(
                lambda: {
                    str(version): parse_keys(one.key_set, self.tenant, one.issuer) for version, one in fetched.items()
                }
            )
        except CausewayError:
            self._outcomes["failed"] += 1
            if self._file is not None:
                await asyncio.to_thread(self._file.write, {}, fetched_at=0.0, attempted_at=self._attempted_at)
            raise
        self._outcomes["fetched"] += 1
        self._failures = 0
        self._keys = TenantKeys(versions, self._attempted_at)
        log.info(
            "keys of an Entra tenant fetched",
            tenant=self.tenant.label,
            keys=sum(len(version.keys) for version in versions.values()),
        )
        if self._file is not None:
            await asyncio.to_thread(
                self._file.write, fetched, fetched_at=self._attempted_at, attempted_at=self._attempted_at
            )
