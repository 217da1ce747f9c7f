"""``causeway azure apps`` and ``causeway check --only entra``: the real command and SDK against a fake of Graph."""

import json
import shutil
import stat
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from causeway.configuration import parse
from causeway.site.config import SiteConfig
from tests.system.azure.graph_island import GraphIsland, graph_island
from tests.system.azure.running import SECRET, TENANT
from tests.system.plan.running import CONTOSO, plan
from tests.system.processes import wait_until
from tests.unit.azure.fake_graph import failure
from tests.unit.azure.test_entra_apps import WHOLE

CREATE = ("azure", "apps", "create", "--grant-consent")
CHECK = ("check", "--only", "entra", "--json")


@pytest.fixture(scope="module")
def island_with_graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphIsland]:
    with graph_island(tmp_path_factory.mktemp("graph")) as there:
        yield there


@pytest.fixture
def there(island_with_graph: GraphIsland) -> GraphIsland:
    island_with_graph.reset()
    return island_with_graph


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of our own gateway, of Microsoft's, and of one in the government's cloud."""
    made = tmp_path_factory.mktemp("plans")
    for name, more in (
        ("causeway-plan.toml", ()),
        ("configmgr.toml", ("--target=configmgr",)),
        ("government.toml", ("--cloud=us-government", "--region=usgovvirginia")),
    ):
        done = plan(made, "new", *CONTOSO, "--authentication=entra", f"--out={name}", *more)
        assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def folder(plans: Path, tmp_path: Path) -> Path:
    shutil.copytree(plans, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("cache"))
    return tmp_path


def checks(there: GraphIsland, folder: Path, *more: str, user: bool = False) -> list[dict[str, Any]]:
    done = there.causeway(folder, *CHECK, *more, user=user)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)["checks"]  # type: ignore[no-any-return]


def test_what_is_made_passes_the_checks_and_its_table_is_the_sites(there: GraphIsland, folder: Path) -> None:
    done = there.causeway(folder, *CREATE)
    assert done.returncode == 0, done.stderr
    server, client = there.fake.applications
    (table,) = tomllib.loads(done.stdout)["entra_tenant"]
    assert table["audiences"] == [f"api://{TENANT}/contosogateway", server["appId"]]
    assert table["client_app_ids"] == [client["appId"]]
    default = there.causeway(folder, "site", "run", "--print-default").stdout
    assert parse(f"{default}\n{done.stdout}", SiteConfig, folder / "site.toml").entra_tenant[0].tenant_id == TENANT
    assert there.fake.state() == WHOLE | {"assignments": 0, "secrets": 0}
    assert {each["status"] for each in checks(there, folder)} == {"PASS", "SKIP"}
    assert {each["status"] for each in checks(there, folder, user=True)} == {"PASS", "SKIP"}
    changed: list[str] = []
    there.fake.written = changed.append
    again = there.causeway(folder, *CREATE, "--json")
    assert (changed, json.loads(again.stdout)["done"]) == ([], [])
    shown = there.causeway(folder, "azure", "apps", "show")
    assert shown.stdout == done.stdout
    assert there.hosts_asked == {"graph.microsoft.com"}


def test_the_government_cloud_is_asked_at_its_own_hosts(there: GraphIsland, folder: Path) -> None:
    done = there.causeway(folder, *CREATE, "--plan=government.toml")
    assert done.returncode == 0, done.stderr
    assert there.hosts_asked == {"graph.microsoft.us"}
    assert 'cloud = "us-government"' in done.stdout


def test_an_empty_tenant_fails_and_a_dry_run_changes_nothing(there: GraphIsland, folder: Path) -> None:
    found = checks(there, folder, user=True)
    assert [each["name"] for each in found if each["status"] == "FAIL"] == ["entra application"] * 2 + ["entra role"]
    done = there.causeway(folder, "azure", "apps", "create", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "would register the server application" in done.stderr
    assert "left: register" not in done.stderr
    assert there.fake.applications == []


def test_the_secret_is_in_its_file_and_nowhere_else(there: GraphIsland, folder: Path) -> None:
    done = there.causeway(folder, *CREATE, "--plan=configmgr.toml", "--secret-file=secret", "--json")
    assert done.returncode == 0, done.stderr
    kept = folder / "secret"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert kept.read_text().startswith("sec~")
    assert kept.read_text().strip() not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    shown = json.loads(done.stdout)
    assert shown["secret"]["made"] is True
    assert shown["wizard"]["Secret key expiry"] == shown["secret"]["ends"][:10]
    assert {each["status"] for each in checks(there, folder, "--plan=configmgr.toml")} == {"PASS", "SKIP"}


@pytest.mark.parametrize("change", ["/applications(uniqueName='causeway-gateway-client')", "/addPassword"])
def test_killed_behind_a_change_the_next_run_ends_with_everything_once(
    there: GraphIsland, folder: Path, change: str
) -> None:
    arguments = (*CREATE, "--plan=configmgr.toml", "--secret-file=secret")
    there.fake.lag = 1
    reached, gone = threading.Event(), threading.Event()

    def hold(what: str) -> None:
        if what.endswith(change):
            reached.set()
            gone.wait(60)

    there.fake.written = hold
    process = there.start(folder, *arguments)
    try:
        assert wait_until(reached.is_set, what=change)
    finally:
        process.kill()
        process.communicate()
        there.fake.written = None
        gone.set()
    assert not (folder / "secret").exists()
    done = there.causeway(folder, *arguments)
    assert done.returncode == 0, done.stderr
    assert there.fake.state() == WHOLE
    assert not (folder / "secret.pending").exists()


def test_graph_that_is_busy_is_waited_for(there: GraphIsland, folder: Path) -> None:
    busy = [failure(429, "TooManyRequests", "slow down", **{"Retry-After": "1"})]
    there.fake.instead = lambda *_: busy.pop() if busy else None
    before = time.monotonic()
    assert checks(there, folder)[0]["status"] == "PASS"
    assert time.monotonic() - before >= 1.0
    there.fake.instead = lambda *_: failure(429, "TooManyRequests", "slow down", **{"Retry-After": "900"})
    (only,) = checks(there, folder)
    assert only["status"] == "FAIL"
    assert "asks to wait 900 s" in only["details"]


_over = threading.Event()


def hang(*_: str) -> None:
    """Longer than the command waits."""
    _over.wait(60)


@pytest.mark.parametrize(
    ("instead", "said", "action"),
    [
        (lambda *_: failure(401, "InvalidAuthenticationToken", "the token is expired"), "has expired", "az login"),
        (lambda *_: failure(403, "Authorization_RequestDenied", "Insufficient privileges"), "Insufficient", "granted"),
        (lambda *_: (0, {}, b'{"value": ['), "not reached", "HTTPS"),
        (lambda *_: (200, {}, b"\x00\xff\x16random"), "cannot be read", "proxy"),
        (hang, "answer within", "longer --timeout"),
    ],
)
def test_what_graph_does_wrong_is_one_failed_check_with_a_remedy(
    there: GraphIsland, folder: Path, instead: Callable[..., Any], said: str, action: str
) -> None:
    there.fake.instead = instead
    _over.clear()
    try:
        (only,) = checks(there, folder, f"--timeout={5 if instead is hang else 10}")
    finally:
        _over.set()
    assert (only["name"], only["status"]) == ("entra sign-in", "FAIL")
    assert said in only["details"]
    assert action in only["action"]


def test_credentials_that_expired_are_one_line_with_a_remedy(there: GraphIsland, folder: Path) -> None:
    there.sign_in["secret_expired"] = True
    done = there.causeway(folder, *CREATE)
    assert done.returncode == 2
    assert "AADSTS7000222" in done.stderr
    assert "az ad app credential reset" in done.stderr
    assert done.stderr.count("\n") == 1
    (only,) = checks(there, folder)
    assert "az ad app credential reset" in only["action"]
    assert there.hosts_asked == set()
