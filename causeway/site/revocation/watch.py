"""Keeps the revocation lists of a running site new: asks for each when it is due, checks it, and keeps it."""

import asyncio
import random
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from cryptography import x509
from starlette.concurrency import run_in_threadpool

from causeway.errors import CausewayError
from causeway.pki.revocation_list import read_revocation_list
from causeway.site.config import RevocationConfig
from causeway.site.database import revocation as store
from causeway.site.revocation.fetch import Validators, fetch, is_url, read_file
from causeway.site.revocation.wanted import wanted_sources

if TYPE_CHECKING:
    from causeway.site.context import Site

_LOOK_S = 1.0
_FIRST_RETRY_S = 5.0
_LAST_RETRY_S = 300.0
_AT_ONCE = 8
_FORGET_S = 3600.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Place:
    """What is remembered of a source between two times of asking."""

    due: float = 0.0
    failures: int = 0
    validators: Validators = field(default_factory=Validators)
    file: tuple[int, int, int] | None = None
    next_update: datetime | None = None


class RevocationWatch:
    """Lives on the event loop; reading and database work run in threads. A slow place holds nobody else up."""

    def __init__(self, site: "Site") -> None:
        self._site = site
        self._places: dict[str, _Place] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._refreshes = -1
        self._forget_due = 0.0

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            while True:
                try:
                    await self.look()
                except CausewayError as error:
                    _log.error("watching revocation lists failed", word=error.word, reason=str(error))
                except Exception:
                    # A fault of ours in here must not stop the site; the next second tries again.
                    _log.exception("watching revocation lists failed")
                await asyncio.sleep(_LOOK_S)
        finally:
            for task in list(self._asking.values()):
                task.cancel()

    async def read_files(self) -> None:
        """Ask the files before anything else, and wait for them."""
        in_force = self._site.in_force
        config = in_force.config.revocation
        for source in map(str, config.list_files) if config.check else ():
            place = self._places.setdefault(source, _Place())
            if await self._is_due(source, place):
                await self._ask(source, place, config, in_force.client_authorities)

    async def look(self) -> None:
        """Start to ask every place that is due."""
        in_force = self._site.in_force
        config = in_force.config.revocation
        if not config.check:
            return
        known, refreshes = await run_in_threadpool(self._read)
        freshest = [url for source in known for url in source.freshest]
        discovered = [source.source for source in known if source.discovered]
        wanted = wanted_sources(config, in_force.client_authorities, [*freshest, *discovered])
        if {source.source for source in known} - set(wanted):
            await run_in_threadpool(store.forget_others, self._site.database, wanted)
        self._places = {source: self._places.get(source, _Place()) for source in wanted}
        if refreshes != self._refreshes:
            self._refreshes = refreshes
            for place in self._places.values():
                place.due, place.file = 0.0, None
        for source, place in self._places.items():
            if source not in self._asking and await self._is_due(source, place):
                self._start(source, place)
        loop = asyncio.get_running_loop()
        if loop.time() >= self._forget_due:
            self._forget_due = loop.time() + _FORGET_S
            await run_in_threadpool(store.forget_revoked, self._site.database, now=datetime.now(UTC))

    async def learn(self, urls: Collection[str]) -> None:
        """Ask places that a client's certificate names, from now on; returns when each has answered once."""
        await run_in_threadpool(store.discover, self._site.database, urls)
        waits = [
            self._asking.get(url) or self._start(url, self._places.setdefault(url, _Place()))
            for url in urls
            if url not in self._places or url in self._asking
        ]
        if waits:
            await asyncio.wait(waits)

    def _start(self, source: str, place: _Place) -> asyncio.Task[None]:
        in_force = self._site.in_force
        asking = self._ask(source, place, in_force.config.revocation, in_force.client_authorities)
        task = self._asking[source] = asyncio.create_task(asking)
        task.add_done_callback(partial(self._asked, source))
        return task

    def _asked(self, source: str, _task: asyncio.Task[None]) -> None:
        self._asking.pop(source, None)

    def _read(self) -> tuple[list[store.Source], int]:
        return store.sources(self._site.database), store.refreshes_asked(self._site.database)

    async def _is_due(self, source: str, place: _Place) -> bool:
        if is_url(source):
            return asyncio.get_running_loop().time() >= place.due
        try:
            status = await run_in_threadpool(Path(source).stat)
        except OSError:
            stamp = (0, 0, 0)
        else:
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp == place.file:
            return False
        place.file = stamp
        return True

    async def _ask(
        self, source: str, place: _Place, config: RevocationConfig, authorities: tuple[x509.Certificate, ...]
    ) -> None:
        result = "taken"
        try:
            async with self._slots:
                if not await self._take(source, place, config, authorities):
                    result = "unchanged"
            place.failures = 0
        except CausewayError as error:
            result = error.word
            place.failures += 1
            place.validators = Validators()
            _log.warning("revocation list not taken", source=source, word=error.word, reason=str(error))
            try:
                await run_in_threadpool(
                    store.note, self._site.database, source, f"{error.word}: {error}", now=datetime.now(UTC)
                )
            except CausewayError as failure:
                _log.error("watching revocation lists failed", word=failure.word, reason=str(failure))
        self._site.metrics.revocation_fetches.labels(result=result).inc()
        place.due = asyncio.get_running_loop().time() + _pause(place, config.refresh_s)

    async def _take(
        self, source: str, place: _Place, config: RevocationConfig, authorities: tuple[x509.Certificate, ...]
    ) -> bool:
        """Take the list of ``source``; whether it is a new one."""
        database, now = self._site.database, datetime.now(UTC)
        if is_url(source):
            data = await fetch(source, config, place.validators)
        else:
            data = await run_in_threadpool(read_file, Path(source))
        if data is None:
            await run_in_threadpool(store.note, database, source, "", now=now)
            return False
        taken = await run_in_threadpool(read_revocation_list, data, authorities, now=now)
        place.next_update = taken.next_update
        if not await run_in_threadpool(store.keep, database, source, taken, now=now):
            return False
        _log.info(
            "revocation list taken",
            source=source,
            number=taken.number,
            delta=taken.base_number is not None,
            revoked=len(taken.revoked),
            next_update=f"{taken.next_update:%Y-%m-%dT%H:%M:%SZ}",
        )
        return True


def _pause(place: _Place, refresh_s: float) -> float:
    """How long until a place is asked again, in seconds: longer from failure to failure, sooner when a list ends."""
    if place.failures:
        longest_s = min(_LAST_RETRY_S, refresh_s, _FIRST_RETRY_S * 2.0 ** min(place.failures, 10))
        return longest_s * random.uniform(0.5, 1.0)  # noqa: S311  # not a secret
    left_s = refresh_s
    if place.next_update is not None:
        left_s = (place.next_update - datetime.now(UTC)).total_seconds()
    # A list that has ended is asked for often, but not in a loop.
    return min(refresh_s, max(left_s, _FIRST_RETRY_S))
