"""A site killed between counting a bulk token's use and answering: its device gets in again, and nobody else does."""

import contextlib
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from tests.system import postgresql
from tests.system.processes import wait_until
from tests.system.site import by_token
from tests.system.site.running import RunningSite, lay_out, running
from tests.system.site.third_party import Client


def uses(site: RunningSite, token_id: str) -> int:
    return int(json.loads(site.causeway("token", "show", token_id, "--json").stdout)["uses"])


def register_in_vain(client: Client) -> threading.Thread:
    """Begin a registration whose answer never comes."""

    def work() -> None:
        with contextlib.suppress(requests.RequestException):
            client.send("MP_ClientRegistration", client.registration(), signed=False)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def gets_in_on_retry_and_nobody_else(site: RunningSite, token_id: str, bulk: str, client: Client) -> None:
    assert client.register().get("Status") == "0"
    assert uses(site, token_id) == 1
    assert len(json.loads(site.cli("devices", "list", "--json").stdout)) == 1
    other = by_token.bearer(site, bulk, name="PC2")
    answer = other.send("MP_ClientRegistration", other.registration(), signed=False)
    assert (answer.status_code, answer.reason) == (403, "MP_BulkTokenUsedUp")
    other.close()


@pytest.fixture
def waiting_cluster(cluster: postgresql.PostgreSQL) -> Iterator[Callable[[bool], None]]:
    """Has every commit of the cluster wait for a standby that is not there: it is on the disk, and nobody is told."""

    def make(wait: bool) -> None:
        with connected(cluster) as connection:
            name = "nobody" if wait else ""
            connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
            connection.execute("SELECT pg_reload_conf()")

    yield make
    make(False)


def connected(cluster: postgresql.PostgreSQL) -> "psycopg.Connection[tuple[object, ...]]":
    password = cluster.password_file.read_text().strip()
    return psycopg.connect(
        host=str(cluster.folder), user="causeway", dbname="postgres", password=password, autocommit=True
    )


def test_killed_between_the_commit_and_the_answer_on_postgresql(
    cluster: postgresql.PostgreSQL, waiting_cluster: Callable[[bool], None], tmp_path: Path
) -> None:
    database = {"url": cluster.new_database(), "password_file": str(cluster.password_file)}
    site = lay_out(tmp_path, database)
    with running(site):
        token_id, bulk = by_token.new_bulk_token(site, "--max-uses", "1")
        client = by_token.bearer(site, bulk)
        waiting_cluster(True)
        registering = register_in_vain(client)

        def committed() -> bool:
            with connected(cluster) as connection:
                waits = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
                return waits.fetchone() != (0,)

        wait_until(committed)
        site.kill()
        registering.join(30)
        waiting_cluster(False)
        site.start()
        wait_until(lambda: uses(site, token_id) == 1)  # before the device came again: it was counted
        gets_in_on_retry_and_nobody_else(site, token_id, bulk, client)
        client.close()


def test_killed_as_soon_as_the_use_is_seen_on_sqlite(tmp_path: Path) -> None:
    site = lay_out(tmp_path, {})
    with running(site):
        token_id, bulk = by_token.new_bulk_token(site, "--max-uses", "1")
        client = by_token.bearer(site, bulk)
        database = sqlite3.connect(f"file:{site.paths.database}?mode=ro", uri=True)
        registering = register_in_vain(client)
        while database.execute("SELECT uses FROM bulk_tokens").fetchone() == (0,):
            pass  # as fast as can be: the answer is about to leave
        site.kill()
        registering.join(30)
        database.close()
        site.start()
        gets_in_on_retry_and_nobody_else(site, token_id, bulk, client)
        client.close()
