"""The database by itself, the same on SQLite and on PostgreSQL."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import delete, select

from causeway.configuration import parse
from causeway.site.config import DatabaseConfig
from causeway.site.database import Database, devices, gateway_settings, policies, reports
from causeway.site.database.devices import DeviceRow, NewRegistration
from causeway.site.database.models import ApprovalState, Base, Collection, CollectionMember, PolicyAssignment
from causeway.site.database.policies import SitePolicy, SnapshotEntry
from causeway.site.database.reports import Kind, NewReport
from tests.system.site.third_party import self_signed

NOW = dt.datetime(2026, 11, 23, 8, 30, 15, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
DAY = dt.timedelta(days=1)


@pytest.fixture
def config(database: dict[str, str], tmp_path: Path) -> DatabaseConfig:
    text = "\n".join(f'{key} = "{value}"' for key, value in database.items())
    return parse(text, DatabaseConfig, tmp_path / "site.toml")


@pytest.fixture
def opened(config: DatabaseConfig) -> Iterator[Database]:
    database = Database(config)
    database.open()
    yield database
    database.close()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed(key)


def registration(certificate: x509.Certificate, number: int = 1, **changes: object) -> NewRegistration:
    values = {
        "smsid": f"GUID:00000000-0000-0000-0000-{number:012}",
        "signing_certificate": certificate,
        "encryption_certificate": certificate,
        "netbios_name": f"PC{number}",
        "fq_name": f"pc{number}.corp.example",
        "agent_version": "5.00",
        "approval_reason": "",
        "digest": f"{number:064}",
        "message_time": NOW,
        "address": "192.0.2.1",
    }
    return NewRegistration(**{**values, **changes})  # type: ignore[arg-type]


def register(database: Database, new: NewRegistration, max_pending: int = 100) -> DeviceRow:
    row = devices.register(database, new, now=NOW, max_pending=max_pending)
    assert row is not None
    return row


def site_policy(name: str, text: str, flags: int = 0) -> SitePolicy:
    return SitePolicy(f"{{assignment-{name}}}", f"{{{name}}}", name, flags, lambda version: f"{text} {version}")


def test_the_migrations_make_the_tables_of_the_models(opened: Database) -> None:
    with opened.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_servers_that_start_at_once_make_the_tables_once(config: DatabaseConfig) -> None:
    databases = [Database(config) for _ in range(6)]

    with ThreadPoolExecutor(len(databases)) as pool:
        list(pool.map(lambda one: one.open(), databases))

    for database in databases:
        assert devices.everything(database) == []
        database.close()


def test_moments_come_back_in_utc(opened: Database, certificate: x509.Certificate) -> None:
    row = register(opened, registration(certificate))

    assert row.registered_at == NOW
    assert devices.everything(opened)[0].registered_at.tzinfo is dt.UTC


def test_what_raises_leaves_no_trace(opened: Database) -> None:
    class Planned(Exception):
        pass

    def write_half() -> None:
        with opened.write() as session:
            session.add(Collection(collection_id="X", name="X"))
            session.flush()
            raise Planned

    with pytest.raises(Planned):
        write_half()

    with opened.read() as session:
        assert session.scalars(select(Collection)).all() == []


def test_a_device_is_its_key(opened: Database, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
    first = register(opened, registration(certificate))

    again = register(opened, registration(self_signed(key), 2, message_time=NOW + SECOND))
    replayed = register(opened, registration(certificate, 1))

    assert (again.number, again.smsid, again.netbios_name) == (first.number, first.smsid, "PC2")
    assert replayed.netbios_name == "PC2"
    known = devices.find(opened, first.smsid)
    assert known is not None
    assert known.signing_certificate != certificate.public_bytes(Encoding.DER)


def test_a_decision_of_the_operator_outlives_the_next_registration(
    opened: Database, certificate: x509.Certificate
) -> None:
    row = register(opened, registration(certificate))
    devices.block(opened, row.number, "stolen", now=NOW)

    again = register(opened, registration(certificate, 2, approval_reason="a trusted root"))

    assert (again.approval, again.approval_reason) == (ApprovalState.BLOCKED, "stolen")


def test_only_so_many_newcomers_may_wait(opened: Database, certificate: x509.Certificate) -> None:
    register(opened, registration(certificate, 1), max_pending=1)
    other = self_signed(rsa.generate_private_key(65537, 2048))

    assert devices.register(opened, registration(other, 2), now=NOW, max_pending=1) is None
    assert register(opened, registration(other, 2, approval_reason="trusted"), max_pending=1)
    assert register(opened, registration(certificate, 3), max_pending=1).smsid.endswith("1")


def test_devices_are_found_by_number_id_and_name(opened: Database, certificate: x509.Certificate) -> None:
    row = register(opened, registration(certificate))

    for text in ("1", row.smsid, row.smsid.lower(), row.smsid.removeprefix("GUID:"), "pc1", "PC1.CORP.EXAMPLE"):
        assert [one.smsid for one in devices.matching(opened, text)] == [row.smsid], text
    for text in ("", "2", "%", "PC", "9" * 40, "GUID:"):
        assert devices.matching(opened, text) == [], text


def test_long_names_are_cut_and_not_refused(opened: Database, certificate: x509.Certificate) -> None:
    row = register(opened, registration(certificate, netbios_name="x" * 5000, fq_name="\U0001f600" * 5000))

    assert len(row.netbios_name) == 255


def test_a_removed_device_takes_all_that_it_sent_along(opened: Database, certificate: x509.Certificate) -> None:
    policies.keep_site_policies(opened, [site_policy("a", "x")])
    row = register(opened, registration(certificate))
    report = NewReport(Kind.HEARTBEAT, "m", True, "<Report/>", {"full": b"x"}, b"payload")
    assert reports.keep(opened, row.number, report, now=NOW, kept=5)

    devices.remove(opened, row.number, now=NOW, tokens_end_at=NOW + 90 * DAY)

    with opened.read() as session:
        rows = {table.name: session.execute(select(table)).all() for table in Base.metadata.sorted_tables}
    left = {name for name, found in rows.items() if found}
    # The block is for the tokens that it may still have.
    assert left == {"blocks", "change_counters", "collections", "policies", "policy_assignments"}


def test_devices_that_were_there_first_join_all_systems(opened: Database, certificate: x509.Certificate) -> None:
    row = register(opened, registration(certificate))

    policies.keep_site_policies(opened, [site_policy("a", "x")])

    assert [one.policy.body for one in policies.assigned_to(opened, row.number)] == ["x 1.00"]


def test_a_policy_that_changed_gets_a_new_version_and_one_that_did_not_keeps_its_own(opened: Database) -> None:
    policies.keep_site_policies(opened, [site_policy("a", "x"), site_policy("b", "y")])
    policies.keep_site_policies(opened, [site_policy("a", "changed"), site_policy("b", "y")])
    policies.keep_site_policies(opened, [site_policy("a", "changed", flags=4), site_policy("b", "y")])

    assert policies.find(opened, "{a}", "1.00") is None
    current = policies.find(opened, "{a}", "3.00")
    assert current is not None
    assert (current.body, current.flags) == ("changed 3.00", 4)
    assert policies.find(opened, "{b}", "1.00") is not None


def test_a_device_has_the_policies_of_its_collections_alone(opened: Database, certificate: x509.Certificate) -> None:
    policies.keep_site_policies(opened, [site_policy("a", "x"), site_policy("b", "y")])
    row = register(opened, registration(certificate))
    with opened.write() as session:
        other = Collection(collection_id="PS100001", name="Kiosks")
        session.add(other)
        session.flush()
        assignment = session.scalars(select(PolicyAssignment)).first()
        assert assignment is not None
        assignment.collection_id = other.id

    assert [one.policy.policy_id for one in policies.assigned_to(opened, row.number)] == ["{b}"]
    assert not policies.is_assigned(opened, row.number, "{a}")
    with opened.write() as session:
        session.execute(delete(CollectionMember))
    assert policies.assigned_to(opened, row.number) == []


def test_a_snapshot_is_kept_once_and_forgotten_in_the_end(opened: Database) -> None:
    entries = (SnapshotEntry("{a}", "{p}", "1.00", "d"),)
    for _ in range(2):
        policies.keep_snapshot(opened, "cookie", entries, now=NOW)
    assert policies.snapshot(opened, "cookie") == entries
    assert policies.snapshot(opened, "other") is None

    policies.keep_snapshot(opened, "new", (), now=NOW + dt.timedelta(days=200))

    assert policies.snapshot(opened, "cookie") is None
    assert policies.snapshot(opened, "new") == ()


def test_versions_rise_and_do_not_fall_behind_the_clock(opened: Database) -> None:
    def publish(content: str, at: dt.datetime) -> int:
        return gateway_settings.publish(
            opened, content, lambda version, _: f"{content} {version}".encode(), now=at
        ).version

    first = publish("a", NOW)
    assert first == int(NOW.timestamp())
    assert publish("a", NOW + SECOND) == first
    assert publish("b", NOW) == first + 1
    assert publish("c", NOW - dt.timedelta(days=1)) == first + 2
    assert publish("d", NOW + dt.timedelta(days=1)) == first + 86400
    newest = gateway_settings.newest(opened)
    assert newest is not None
    assert newest.signed == f"d {first + 86400}".encode()
    assert gateway_settings.changes(opened).version == first + 86400


def test_publishing_at_once_makes_one_version_of_one_content(opened: Database) -> None:
    def publish(_: int) -> int:
        return gateway_settings.publish(opened, "a", lambda version, _: str(version).encode(), now=NOW).version

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(publish, range(12)))) == 1


def test_blocking_and_unblocking_are_counted_for_those_who_watch(opened: Database) -> None:
    counters = [gateway_settings.changes(opened).counter]
    assert gateway_settings.block(opened, "a" * 64, "why", now=NOW)
    counters.append(gateway_settings.changes(opened).counter)
    assert not gateway_settings.block(opened, "a" * 64, "again", now=NOW)
    assert [(one.fingerprint, one.reason) for one in gateway_settings.blocked(opened)] == [("a" * 64, "why")]
    assert gateway_settings.unblock(opened, "a" * 64)
    counters.append(gateway_settings.changes(opened).counter)
    assert not gateway_settings.unblock(opened, "a" * 64)

    assert counters == [0, 1, 2]
    assert gateway_settings.blocked(opened) == []


def test_many_writers_at_once_lose_nothing(opened: Database, certificate: x509.Certificate) -> None:
    row = register(opened, registration(certificate))

    def keep(number: int) -> bool:
        report = NewReport(Kind.STATE, str(number), True, "<Report/>", {}, str(number).encode())
        return reports.keep(opened, row.number, report, now=NOW, kept=1000)

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(keep, range(100)))

    assert len(reports.of_device(opened, row.number)) == 100
