"""Starting, checking and stopping: what an operator does, and does wrong."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import requests

from tests.system import postgresql
from tests.system.processes import wait_until
from tests.system.site.running import RunningSite, lay_out, running
from tests.system.site.third_party import Client

MakeClient = Callable[..., Client]


def refused_start(site: RunningSite) -> str:
    """Try to run the site; return the one line that it gives, beside what it logs."""
    result = site.cli("run", check=False)
    assert result.returncode == 2, result
    lines = [line for line in result.stderr.strip().splitlines() if not line.startswith("{")]
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: ")
    return lines[0]


def is_listening(site: RunningSite) -> bool:
    try:
        socket.create_connection(("127.0.0.1", site.port), timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_busy_port_is_one_line(new_site: RunningSite) -> None:
    with socket.create_server(("127.0.0.1", new_site.port)):
        assert f"port {new_site.port}: Address already in use" in refused_start(new_site)


@pytest.mark.parametrize(
    "content", [b"this is no database, but long enough to be one" * 100, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_corrupt_database_is_one_line(new_site: RunningSite, content: bytes) -> None:
    new_site.paths.database.write_bytes(content)

    line = refused_start(new_site)

    assert str(new_site.paths.database) in line
    assert "restore it from a backup" in line


def test_a_database_of_something_else_is_one_line(new_site: RunningSite) -> None:
    import sqlite3

    with sqlite3.connect(new_site.paths.database) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()

    assert "songs" in refused_start(new_site)


def test_a_database_of_a_newer_causeway_is_one_line(laid_out: RunningSite, database: dict[str, str]) -> None:
    with running(laid_out):
        pass
    statement = "UPDATE alembic_version SET version_num = '9999'"
    if database:
        password = Path(database["password_file"]).read_text().strip()
        url = database["url"].replace("+psycopg", "")
        with psycopg.connect(url, password=password) as connection:
            connection.execute(statement)
    else:
        import sqlite3

        with sqlite3.connect(laid_out.paths.database) as file:
            file.execute(statement)
        file.close()

    assert "another version of Causeway" in refused_start(laid_out)


@pytest.mark.parametrize("what", ["key", "certificate", "signing_key", "settings_key", "authority"])
def test_a_missing_or_corrupt_file_is_one_line(new_site: RunningSite, what: str) -> None:
    path: Path = getattr(new_site.paths, what)
    path.write_text("not PEM")
    assert path.name in refused_start(new_site)
    path.unlink()
    assert path.name in refused_start(new_site)


def test_a_key_of_another_certificate_is_one_line(new_site: RunningSite) -> None:
    new_site.paths.key.write_bytes(new_site.paths.settings_key.read_bytes())

    assert "not a certificate and its key" in refused_start(new_site)


def test_an_unknown_key_is_named_with_its_line(new_site: RunningSite) -> None:
    new_site.configure("server", adress="0.0.0.0")

    line = refused_start(new_site)

    assert "site.toml: line" in line
    assert "server.adress is unknown" in line


def test_a_password_does_not_belong_in_the_url_and_is_not_repeated(new_site: RunningSite) -> None:
    new_site.configure("database", url="postgresql+psycopg://causeway:hunter2@db/site")

    line = refused_start(new_site)

    assert "password_file" in line
    assert "hunter2" not in line


@pytest.mark.parametrize("folder", ["nowhere", "/proc"])
def test_a_database_in_a_folder_that_is_missing_or_cannot_be_written_to_is_one_line(
    new_site: RunningSite, folder: str
) -> None:
    new_site.configure("database", url=f"sqlite:///{folder}/site.db")

    assert "its folder must exist and be writable" in refused_start(new_site)


def test_a_postgresql_with_another_password_is_one_line(tmp_path: Path, cluster: postgresql.PostgreSQL) -> None:
    (tmp_path / "wrong").write_text("wrong\n")
    site = lay_out(tmp_path / "home", {"url": cluster.new_database(), "password_file": str(tmp_path / "wrong")})

    line = refused_start(site)

    assert "password authentication failed" in line
    assert cluster.password_file.read_text().strip() not in line


def test_the_check_names_every_failure_and_its_remedy(new_site: RunningSite) -> None:
    good = new_site.cli("check", "--json")
    results = json.loads(good.stdout)
    assert results["ok"] is True
    assert {one["status"] for one in results["checks"]} <= {"PASS", "SKIP"}

    new_site.paths.settings_key.unlink()
    new_site.configure("server", public_name="mp1.corp.example")
    new_site.paths.database.write_text("no database" * 100)
    bad = new_site.cli("check", "--json", check=False)
    assert bad.returncode == 1
    failures = {one["name"]: one for one in json.loads(bad.stdout)["checks"] if one["status"] == "FAIL"}
    assert {"server certificate", "settings key", "database"} <= set(failures)
    assert all(one["action"] for one in failures.values())
    assert "mp1.corp.example" in failures["server certificate"]["details"]
    assert "Traceback" not in bad.stderr


def test_the_check_of_a_running_site_passes(site: RunningSite) -> None:
    results = json.loads(site.cli("check", "--json").stdout)["checks"]

    assert {one["status"] for one in results if "port" in one["name"]} == {"SKIP"}
    details = next(one["details"] for one in results if one["name"] == "database")
    assert re.search(r"revision \d{4}$", details), details  # of this version, without more to say


def test_the_database_is_for_its_owner_alone(new_site: RunningSite) -> None:
    with running(new_site):
        files = list(new_site.paths.folder.glob("site.db*"))
        assert len(files) >= 2
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_the_check_does_not_make_a_database(new_site: RunningSite) -> None:
    new_site.cli("check")

    assert not new_site.paths.database.exists()


def test_the_printed_default_is_a_configuration_in_toml(tmp_path: Path) -> None:
    import tomllib

    program = "from causeway.cli.site.app import app; app()"
    printed = subprocess.run(
        [sys.executable, "-c", program, "run", "--print-default"], check=True, capture_output=True, text=True
    ).stdout

    assert tomllib.loads(printed)["management_point"]["approval"] == "trusted-root"
    assert "# [[application]]" in printed


def test_a_site_answers_what_is_in_flight_before_it_stops(new_site: RunningSite) -> None:
    from tests.system.site import raw

    head = b"CCM_POST /ccm_system_altauth/request HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
    with running(new_site), raw.connect(new_site) as connection:
        connection.sendall(head + b"no")
        wait_until(lambda: new_site.metric("causeway_site_requests_in_flight") == 1)
        process = new_site.process
        assert process is not None
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: not is_listening(new_site))

        connection.sendall(b"ne")

        assert connection.recv(65536).startswith(b"HTTP/1.1 400 Messaging_BadMultipart")
        assert process.wait(timeout=60) == 0
        new_site.process = None


def test_readiness_says_why_not(tmp_path: Path) -> None:
    with postgresql.running() as cluster:
        database = {"url": cluster.new_database(), "password_file": str(cluster.password_file)}
        site = lay_out(tmp_path, database)
        with running(site):
            assert requests.get(f"{site.admin}/healthz", timeout=30).status_code == 200
            assert requests.get(f"{site.admin}/readyz", timeout=30).json() == {"ready": True, "reasons": []}
            cluster.stop()

            answer = requests.get(f"{site.admin}/readyz", timeout=30)

            assert answer.status_code == 503
            assert any("the database cannot be used" in reason for reason in answer.json()["reasons"])
            assert requests.get(f"{site.admin}/healthz", timeout=30).status_code == 200
            assert "causeway_site_requests" in requests.get(f"{site.admin}/metrics", timeout=30).text


def test_a_database_that_goes_away_and_comes_back_costs_retries_and_nothing_else(
    tmp_path: Path, client: MakeClient
) -> None:
    with postgresql.running() as cluster:
        database = {"url": cluster.new_database(), "password_file": str(cluster.password_file)}
        site = lay_out(tmp_path, database)
        with running(site):
            device = client(site, tls=site.certificate("pc"))
            device.register()
            cluster.stop()
            answer = device.send("MP_PolicyManager", device.assignments_request())
            assert (answer.status_code, answer.reason) == (503, "Site_DatabaseUnavailable")
            assert site.refusals()[-1]["cause"] == "site"

            cluster.start()

            assert device.assignments().get("ReplyType") == "Full"
            assert "Traceback" not in site.log.read_text()
