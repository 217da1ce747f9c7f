"""What the database keeps of tokens, the same on SQLite and on PostgreSQL."""

import datetime as dt
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config
from cryptography.hazmat.primitives.asymmetric import rsa

from causeway.configuration import parse
from causeway.site.config import DatabaseConfig
from causeway.site.database import (
    Database,
    blocks,
    bulk_tokens,
    credentials,
    devices,
    gateway_settings,
    migrations,
    signing_keys,
    site_facts,
)
from causeway.site.database import token_proofs as proofs
from causeway.site.database.blocks import DeviceBlocks
from causeway.site.database.bulk_tokens import NewBulkToken
from causeway.site.database.devices import NewRegistration, UsedBulkToken
from causeway.site.database.models import ApprovalState, BlockKind, CredentialKind
from causeway.site.database.signing_keys import NewKey
from causeway.site.errors import (
    BulkTokenBlocked,
    BulkTokenUnknown,
    BulkTokenUsedUp,
    ProofReplayed,
    SiteTokenExpired,
    SiteTokenRefused,
)
from tests.system.site.third_party import self_signed

NOW = dt.datetime(2026, 11, 23, 8, 30, 15, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
TOKEN = UsedBulkToken("c0ffee00-0000-4000-8000-000000000001", "5" * 64)


@pytest.fixture
def opened(database: dict[str, str], tmp_path: Path) -> Iterator[Database]:
    text = "\n".join(f'{key} = "{value}"' for key, value in database.items())
    opened = Database(parse(text, DatabaseConfig, tmp_path / "site.toml"))
    opened.open()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def keys() -> list[rsa.RSAPrivateKey]:
    return [rsa.generate_private_key(65537, 2048) for _ in range(5)]


def new_token(database: Database, max_uses: int | None = None) -> None:
    new = NewBulkToken(TOKEN.id, TOKEN.token_hash, "for the depot", "key", NOW + 3 * DAY, max_uses)
    bulk_tokens.add(database, new, now=NOW)


def register(
    database: Database, key: rsa.RSAPrivateKey, number: int, now: dt.datetime = NOW, token: UsedBulkToken = TOKEN
) -> devices.DeviceRow | None:
    certificate = self_signed(key)
    new = NewRegistration(
        smsid=f"GUID:00000000-0000-0000-0000-{number:012}",
        signing_certificate=certificate,
        encryption_certificate=certificate,
        netbios_name=f"PC{number}",
        fq_name="",
        agent_version="",
        approval_reason="a bulk registration token",
        digest=hashlib.sha256(str(number).encode()).hexdigest(),
        message_time=now,
        address="192.0.2.1",
        bulk_token=token,
    )
    return devices.register(database, new, now=now, max_pending=100)


def test_a_use_is_counted_once_for_each_device_and_says_which(opened: Database, keys: list[rsa.RSAPrivateKey]) -> None:
    new_token(opened, max_uses=2)
    for number in (0, 0, 1, 0, 1):
        assert register(opened, keys[number], number) is not None
    with pytest.raises(BulkTokenUsedUp):
        register(opened, keys[2], 2)

    row = bulk_tokens.find(opened, TOKEN.id)
    assert row is not None
    assert (row.uses, row.last_used_at, row.state(NOW)) == (2, NOW, "used-up")
    assert {use.netbios_name for use in bulk_tokens.uses_of(opened, TOKEN.id)} == {"PC0", "PC1"}
    assert len(devices.everything(opened)) == 2


def test_a_removed_device_stays_counted(opened: Database, keys: list[rsa.RSAPrivateKey]) -> None:
    new_token(opened, max_uses=1)
    row = register(opened, keys[0], 0)
    assert row is not None
    devices.remove(opened, row.number, now=NOW, tokens_end_at=NOW + DAY)

    assert [use.smsid for use in bulk_tokens.uses_of(opened, TOKEN.id)] == [""]
    with pytest.raises(BulkTokenUsedUp):
        register(opened, keys[1], 1)
    # The same machine is the same use.
    assert register(opened, keys[0], 5) is not None


def test_no_more_devices_get_in_than_the_token_is_for_however_many_come_at_once(
    opened: Database, keys: list[rsa.RSAPrivateKey]
) -> None:
    new_token(opened, max_uses=2)
    start = threading.Barrier(len(keys))
    outcomes: list[str] = []

    def come(number: int) -> None:
        start.wait()
        try:
            register(opened, keys[number], number)
            outcomes.append("in")
        except BulkTokenUsedUp:
            outcomes.append("out")

    threads = [threading.Thread(target=come, args=(number,)) for number in range(len(keys))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(outcomes) == ["in", "in", "out", "out", "out"]
    row = bulk_tokens.find(opened, TOKEN.id)
    assert row is not None
    assert row.uses == 2
    assert len(devices.everything(opened)) == 2


def test_what_does_not_count_registers_nobody(opened: Database, keys: list[rsa.RSAPrivateKey]) -> None:
    new_token(opened)
    unknown = UsedBulkToken("c0ffee00-0000-4000-8000-00000000dead", TOKEN.token_hash)
    other_text = UsedBulkToken(TOKEN.id, "6" * 64)

    def refused(error: type[SiteTokenRefused], token: UsedBulkToken = TOKEN, now: dt.datetime = NOW) -> None:
        with pytest.raises(error):
            register(opened, keys[0], 0, now, token)
        with pytest.raises(error):
            bulk_tokens.check(opened, token.id, token.token_hash, now=now)

    refused(BulkTokenUnknown, unknown)
    refused(BulkTokenUnknown, other_text)
    refused(SiteTokenExpired, now=NOW + 3 * DAY)
    assert bulk_tokens.block(opened, TOKEN.id, "lost", now=NOW)
    assert not bulk_tokens.block(opened, TOKEN.id, "again", now=NOW)
    refused(BulkTokenBlocked)
    assert bulk_tokens.blocked_ids(opened, now=NOW) == [TOKEN.id]
    assert bulk_tokens.blocked_ids(opened, now=NOW + 4 * DAY) == []
    assert devices.everything(opened) == []
    assert bulk_tokens.unblock(opened, TOKEN.id)
    assert not bulk_tokens.unblock(opened, TOKEN.id)
    assert register(opened, keys[0], 0) is not None
    with pytest.raises(KeyError):
        bulk_tokens.block(opened, unknown.id, "", now=NOW)


def test_a_blocked_device_stays_blocked_whatever_token_it_comes_with(
    opened: Database, keys: list[rsa.RSAPrivateKey]
) -> None:
    new_token(opened)
    row = register(opened, keys[0], 0)
    assert row is not None
    devices.block(opened, row.number, "stolen", now=NOW)

    again = register(opened, keys[0], 0)

    assert again is not None
    assert again.approval is ApprovalState.BLOCKED


def test_what_is_decided_wakes_the_sites(opened: Database, keys: list[rsa.RSAPrivateKey]) -> None:
    def counter() -> int:
        return gateway_settings.changes(opened).counter

    new_token(opened)
    row = register(opened, keys[0], 0)
    assert row is not None
    seen = [counter()]
    bulk_tokens.block(opened, TOKEN.id, "", now=NOW)
    seen.append(counter())
    bulk_tokens.unblock(opened, TOKEN.id)
    seen.append(counter())
    devices.block(opened, row.number, "stolen", now=NOW)
    seen.append(counter())
    blocks.block(opened, BlockKind.TENANT, "t", "", now=NOW)
    seen.append(counter())
    blocks.unblock(opened, BlockKind.TENANT, "t")
    seen.append(counter())
    signing_keys.change(opened, lambda _rows: (NewKey("k", "ES256", "pem", b"sealed"), NOW), now=NOW)
    seen.append(counter())
    signing_keys.withdraw(opened, "k", "", lambda _rows: None, now=NOW)
    seen.append(counter())
    devices.remove(opened, row.number, now=NOW, tokens_end_at=NOW + DAY)
    seen.append(counter())

    assert seen == sorted(set(seen))


def test_tokens_of_blocked_and_of_removed_devices_count_for_nothing(
    opened: Database, keys: list[rsa.RSAPrivateKey]
) -> None:
    new_token(opened)
    rows = [register(opened, keys[number], number) for number in range(3)]
    assert rows[0]
    assert rows[1]
    devices.block(opened, rows[0].number, "stolen", now=NOW)
    devices.remove(opened, rows[1].number, now=NOW, tokens_end_at=NOW + DAY)

    assert blocks.of_devices(opened, now=NOW).ids == (rows[0].smsid, rows[1].smsid)
    assert blocks.of_devices(opened, now=NOW + 2 * DAY).ids == (rows[0].smsid,)


def test_a_proof_counts_once_and_is_forgotten_when_it_is_too_old_anyway(opened: Database) -> None:
    def use(digest: str, now: dt.datetime) -> None:
        proofs.use(opened, digest, now=now, forget_at=now + DAY, key_id="k", ends_at=now + DAY)

    use("a", NOW)
    use("b", NOW)
    with pytest.raises(ProofReplayed):
        use("a", NOW + DAY)
    use("c", NOW + 2 * DAY)
    use("a", NOW + 2 * DAY)


def test_a_key_is_published_at_least_until_its_last_token_ends(opened: Database) -> None:
    signing_keys.change(opened, lambda _rows: (NewKey("key", "ES256", "pem", b"sealed"), NOW), now=NOW)

    def until() -> dt.datetime:
        return signing_keys.everything(opened)[0].last_token_ends_at

    assert until() == NOW
    new_token(opened)
    assert until() >= NOW + 3 * DAY
    before = until()
    proofs.use(opened, "a", now=NOW, forget_at=NOW, key_id="key", ends_at=NOW + DAY)
    assert until() == before
    proofs.use(opened, "b", now=NOW, forget_at=NOW, key_id="key", ends_at=NOW + 90 * DAY)
    assert until() >= NOW + 90 * DAY


def test_two_servers_that_decide_on_a_key_at_once_make_one(opened: Database) -> None:
    def decide(rows: list[signing_keys.KeyRow], name: str) -> tuple[NewKey, dt.datetime] | None:
        return None if rows else (NewKey(name, "ES256", "pem", b"sealed"), NOW)

    threads = [
        threading.Thread(
            target=lambda name=str(number): signing_keys.change(opened, lambda rows: decide(rows, name), now=NOW)
        )
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(signing_keys.everything(opened)) == 1
    assert "sealed" not in repr(signing_keys.everything(opened))


def test_the_hierarchy_has_one_id_for_good(opened: Database) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(site_facts.hierarchy_id(opened))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(set(found)) == 1
    assert len(found) == 4


def test_blocks_of_a_version_before_become_those_of_the_device_and_others_stay(
    database: dict[str, str], tmp_path: Path
) -> None:
    text = "\n".join(f'{key} = "{value}"' for key, value in database.items())
    before = Database(parse(text, DatabaseConfig, tmp_path / "site.toml"))
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    smsid = "GUID:00000000-0000-0000-0000-000000000001"
    try:
        with before.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0004")
            connection.execute(
                sqlalchemy.text(
                    "INSERT INTO devices VALUES (1, :smsid, 'PC1', '', '', 'blocked', 'stolen', :t, :t, :t, :t, :t, :t)"
                ),
                {"smsid": smsid, "t": NOW},
            )
            for value, reason in (("a" * 64, f"device {smsid} is blocked"), ("b" * 64, "device GUID:2 is blocked")):
                connection.execute(
                    sqlalchemy.text("INSERT INTO blocked_certificates VALUES (:value, :reason, :t)"),
                    {"value": value, "reason": reason, "t": NOW},
                )
        before.open()
        assert [one.fingerprint for one in gateway_settings.blocked(before)] == ["b" * 64]
        assert blocks.of_devices(before, now=NOW).ids == (smsid,)
        assert devices.unblock(before, 1) is ApprovalState.PENDING
        assert devices.unblock(before, 1) is None
    finally:
        before.close()


def test_a_device_is_refused_by_all_that_it_has_shown_of_late(opened: Database, keys: list[rsa.RSAPrivateKey]) -> None:
    new_token(opened)
    row = register(opened, keys[0], 0)
    assert row is not None
    registered = self_signed_fingerprints(opened, row.number)
    assert blocks.of_devices(opened, now=NOW) == DeviceBlocks((), ())
    shown = [f"{number:064x}" for number in range(52)]
    for number, value in enumerate(shown):
        moment = NOW + dt.timedelta(seconds=number)
        credentials.note(opened, row.number, CredentialKind.TLS_CERTIFICATE, value, now=moment)
    credentials.note(opened, row.number, CredentialKind.TLS_CERTIFICATE, shown[-1], now=NOW + DAY)
    credentials.note(opened, row.number, CredentialKind.ENTRA_DEVICE, "at-its-tenant", now=NOW)
    credentials.note(opened, 4711, CredentialKind.ENTRA_DEVICE, "nobody's", now=NOW)
    counter = gateway_settings.changes(opened).counter
    devices.block(opened, row.number, "stolen", now=NOW)
    found = blocks.of_devices(opened, now=NOW)
    assert found.ids == (row.smsid, "at-its-tenant")
    assert {one.fingerprint for one in found.certificates} == {*registered, *shown[2:]}
    credentials.note(opened, row.number, CredentialKind.TLS_CERTIFICATE, "e" * 64, now=NOW + DAY)
    assert gateway_settings.changes(opened).counter == counter + 2
    assert "e" * 64 in {one.fingerprint for one in blocks.of_devices(opened, now=NOW).certificates}
    devices.unblock(opened, row.number)
    blocks.block(opened, BlockKind.DEVICE, "at-its-tenant", "", now=NOW)
    assert blocks.of_devices(opened, now=NOW).ids == (row.smsid, "at-its-tenant")
    blocks.unblock(opened, BlockKind.DEVICE, "at-its-tenant")
    blocks.block(opened, BlockKind.NAME, "pc0", "", now=NOW)
    assert blocks.of_devices(opened, now=NOW).ids == (row.smsid, "at-its-tenant")
    blocks.unblock(opened, BlockKind.NAME, "pc0")
    assert blocks.of_devices(opened, now=NOW) == DeviceBlocks((), ())


def self_signed_fingerprints(database: Database, number: int) -> set[str]:
    return {hashlib.sha256(der).hexdigest() for _, der in devices.certificates_of(database, number)}
