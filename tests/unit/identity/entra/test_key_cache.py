import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from causeway.gateway_settings.entra import EntraTenant, TokenVersion
from causeway.identity.entra.config import EntraKeysSection
from causeway.identity.entra.documents import KeysUnusable
from causeway.identity.entra.fetch import Fetched
from causeway.identity.entra.key_cache import KeyCache
from causeway.identity.entra.key_file import KeyFile
from tests.unit.identity.entra.issuer import ISSUERS, TENANT_ID, jwk, key_set, tenant

CONFIG = EntraKeysSection()
NOW = 1_800_000_000.0


class FakeEntra:
    """Answers fetches with what it holds. It has no network, and no time but what the test says."""

    def __init__(self) -> None:
        self.now = NOW
        self.keys = ["key-1"]
        self.fetches = 0
        self.away = False
        self.gate: asyncio.Event | None = None

    async def fetch(self, asked: EntraTenant) -> Mapping[TokenVersion, Fetched]:
        self.fetches += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.away:
            raise KeysUnusable("nobody answers")
        document = key_set(*map(jwk, self.keys))
        return {version: Fetched(ISSUERS[version], document) for version in asked.versions}

    def cache(self, folder: Path) -> KeyCache:
        return KeyCache(CONFIG, folder, fetch_with=self.fetch, now=lambda: self.now)


@pytest.fixture
def entra() -> FakeEntra:
    return FakeEntra()


async def settled(cache: KeyCache, wanted: int, what: str = "fetched") -> None:
    """Wait until so many fetches have ended, and nothing is under way."""
    (keeper,) = cache._keepers.values()
    await until(lambda: keeper.snapshot()["fetches"].get(what, 0) >= wanted and keeper._attempt_ended is None)


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)


def known(cache: KeyCache) -> set[str]:
    keys = cache.keys(TENANT_ID)
    found: set[str] = set()
    for name in ("key-1", "key-2"):
        if keys is not None and all(version.keys.knows(name) for version in keys.versions.values()):
            found.add(name)
    return found


NAMED = tenant(name="tenant")


async def test_keys_are_fetched_as_soon_as_a_tenant_is_onboarded(entra: FakeEntra, tmp_path: Path) -> None:
    cache = entra.cache(tmp_path)
    cache.configure([NAMED])
    await settled(cache, 1)
    assert known(cache) == {"key-1"}
    assert cache.keys("another") is None
    cache.close()
    assert cache.keys(TENANT_ID) is None


async def test_no_keys_are_fetched_for_a_tenant_that_is_not_enabled(entra: FakeEntra, tmp_path: Path) -> None:
    cache = entra.cache(tmp_path)
    cache.configure([tenant(name="tenant", enabled=False)])
    assert cache.keys(TENANT_ID) is None
    assert not await cache.renewed(TENANT_ID)
    assert entra.fetches == 0


async def test_an_unknown_key_has_the_keys_fetched_once_for_all_who_ask(entra: FakeEntra, tmp_path: Path) -> None:
    cache = entra.cache(tmp_path)
    cache.configure([NAMED])
    await settled(cache, 1)
    entra.keys.append("key-2")
    entra.now += CONFIG.cool_down_s
    entra.gate = asyncio.Event()
    asking = [asyncio.create_task(cache.renewed(TENANT_ID)) for _ in range(50)]
    await until(lambda: entra.fetches == 2)
    entra.gate.set()
    assert await asyncio.gather(*asking) == [True] * 50
    assert entra.fetches == 2
    assert known(cache) == {"key-1", "key-2"}
    cache.close()


async def test_invented_keys_cannot_make_it_ask_more_often_than_the_cool_down(entra: FakeEntra, tmp_path: Path) -> None:
    cache = entra.cache(tmp_path)
    cache.configure([NAMED])
    await settled(cache, 1)
    for _ in range(1000):
        assert not await cache.renewed(TENANT_ID)
    assert entra.fetches == 1
    entra.now += CONFIG.cool_down_s
    await cache.renewed(TENANT_ID)
    assert not await cache.renewed(TENANT_ID)
    assert entra.fetches == 2
    assert cache.snapshot()["tenant"]["unknown_keys"] == 1002
    cache.close()


async def test_keys_serve_while_nobody_answers_but_not_for_ever(entra: FakeEntra, tmp_path: Path) -> None:
    cache = entra.cache(tmp_path)
    cache.configure([NAMED])
    await settled(cache, 1)
    entra.away = True
    entra.now += CONFIG.stale_s - 1
    await cache.renewed(TENANT_ID)
    assert cache.snapshot()["tenant"]["fetches"] == {"fetched": 1, "failed": 1}
    assert known(cache) == {"key-1"}
    entra.now += 2
    assert cache.keys(TENANT_ID) is None
    entra.away = False
    entra.now += CONFIG.cool_down_s
    assert await cache.renewed(TENANT_ID)
    assert known(cache) == {"key-1"}
    cache.close()


async def test_a_new_start_while_nobody_answers_finds_the_keys_of_before(entra: FakeEntra, tmp_path: Path) -> None:
    before = entra.cache(tmp_path)
    before.configure([NAMED])
    await settled(before, 1)
    await until(lambda: KeyFile(tmp_path, NAMED).read().keys is not None)
    before.close()
    entra.away = True
    entra.now += CONFIG.refresh_s + 1
    after = entra.cache(tmp_path)
    after.configure([NAMED])
    await settled(after, 1, "failed")
    assert known(after) == {"key-1"}
    after.close()


async def test_workers_of_an_instance_share_one_fetch(entra: FakeEntra, tmp_path: Path) -> None:
    workers = [entra.cache(tmp_path) for _ in range(4)]
    for worker in workers:
        worker.configure([NAMED])
    await until(lambda: all(known(worker) == {"key-1"} for worker in workers))
    assert entra.fetches == 1
    entra.keys.append("key-2")
    entra.now += CONFIG.cool_down_s
    assert await asyncio.gather(*(worker.renewed(TENANT_ID) for worker in workers)) == [True] * 4
    assert entra.fetches == 2
    for worker in workers:
        worker.close()


async def test_a_key_that_entra_takes_back_is_gone_with_the_next_fetch(entra: FakeEntra, tmp_path: Path) -> None:
    cache = entra.cache(tmp_path)
    cache.configure([NAMED])
    await settled(cache, 1)
    entra.keys = ["key-2"]
    entra.now += CONFIG.cool_down_s
    await cache.renewed(TENANT_ID)
    assert known(cache) == {"key-2"}
    cache.close()


async def test_another_authority_does_not_inherit_the_keys(entra: FakeEntra, tmp_path: Path) -> None:
    cache = entra.cache(tmp_path)
    cache.configure([NAMED])
    await settled(cache, 1)
    entra.away = True
    cache.configure([tenant(name="tenant", authority="https://issuer.lab")])
    assert cache.keys(TENANT_ID) is None
    await settled(cache, 1, "failed")
    assert cache.keys(TENANT_ID) is None
    cache.close()


async def test_settings_that_do_not_change_where_keys_come_from_keep_them(entra: FakeEntra, tmp_path: Path) -> None:
    cache = entra.cache(tmp_path)
    cache.configure([NAMED])
    await settled(cache, 1)
    cache.configure([tenant(name="tenant", audiences=("api://other",))])
    assert known(cache) == {"key-1"}
    assert entra.fetches == 1
    cache.close()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"versions": {"1.0": {}}}', b'{"versions": 7, "fetched_at": 1}']
)
def test_a_damaged_file_counts_as_none(content: bytes, tmp_path: Path) -> None:
    file = KeyFile(tmp_path, NAMED)
    file.path.write_bytes(content)
    assert file.read().keys is None


async def test_the_file_is_its_owner_s_alone(entra: FakeEntra, tmp_path: Path) -> None:
    cache = entra.cache(tmp_path)
    cache.configure([NAMED])
    await until(lambda: KeyFile(tmp_path, NAMED).read().keys is not None)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    cache.close()
