"""What the database keeps of revocation lists, the same on SQLite and on PostgreSQL."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from causeway.configuration import parse
from causeway.identity.revocation import RevokedSerials
from causeway.pki.revocation_list import RevocationList, RevocationListInvalid
from causeway.pki.serials import serial_digest
from causeway.site.config import DatabaseConfig
from causeway.site.database import Database, gateway_settings
from causeway.site.database import revocation as store
from causeway.site.revocation.lists import ListsInDatabase

NOW = dt.datetime(2026, 11, 23, 8, 30, 15, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
URL = "http://pki.example/issuing.crl"


@pytest.fixture
def opened(database: dict[str, str], tmp_path: Path) -> Iterator[Database]:
    text = "\n".join(f'{key} = "{value}"' for key, value in database.items())
    opened = Database(parse(text, DatabaseConfig, tmp_path / "site.toml"))
    opened.open()
    yield opened
    opened.close()


def of(*serials: int, number: int = 1) -> RevocationList:
    return RevocationList(
        issuer="ab" * 32,
        number=number,
        base_number=None,
        this_update=NOW + number * DAY,
        next_update=NOW + (number + 7) * DAY,
        points=frozenset(),
        users_only=False,
        freshest=(),
        revoked=frozenset(map(serial_digest, serials)),
        released=frozenset(),
    )


def test_lists_are_worked_out_once_until_something_changes(opened: Database) -> None:
    lists = ListsInDatabase(opened)
    assert lists.now().merged == ()
    store.keep(opened, URL, of(1, 2), now=NOW)
    known = lists.now()
    with mock.patch.object(store, "lists", side_effect=AssertionError("worked out again")):
        assert lists.now() is known
        assert not store.keep(opened, URL, of(1, 2), now=NOW + DAY)  # the same once more
        assert lists.now() is known
    store.keep(opened, URL, of(1, 2, 3, number=2), now=NOW + DAY)
    (section,) = lists.now().sections
    assert 3 in RevokedSerials(section.revoked)
    store.forget_others(opened, [])
    assert lists.now().sections == ()


def test_another_server_s_change_is_seen(opened: Database, database: dict[str, str], tmp_path: Path) -> None:
    lists = ListsInDatabase(opened)
    assert lists.now().merged == ()
    text = "\n".join(f'{key} = "{value}"' for key, value in database.items())
    other = Database(parse(text, DatabaseConfig, tmp_path / "site.toml"))
    other.open()
    store.keep(other, URL, of(7), now=NOW)
    other.close()
    assert len(lists.now().merged) == 1


def test_too_many_revoked_certificates_and_older_lists_change_nothing(opened: Database) -> None:
    store.keep(opened, URL, of(1, number=5), now=NOW)
    before = gateway_settings.changes(opened).counter
    with pytest.raises(RevocationListInvalid, match="older than"):
        store.keep(opened, URL, of(1, 2, number=4), now=NOW)
    with (
        mock.patch.object(store, "MAX_REVOKED", 3),
        pytest.raises(RevocationListInvalid, match="with it, 4 certificates would be revoked; 3 are possible"),
    ):
        store.keep(opened, "http://pki.example/other.crl", of(2, 3, 4), now=NOW)
    assert gateway_settings.changes(opened).counter == before
    assert len(ListsInDatabase(opened).now().merged) == 1
