"""``causeway check --only site`` on software update points: nginx that answers as IIS with WSUS does."""

import json

import pytest

from causeway.plan.document import SoftwareUpdatePointSection, plan_text
from causeway.plan.values import Target
from tests.system.certificates import certificates
from tests.system.island import island
from tests.system.plan.running import CAUSEWAY, environment
from tests.system.preflight.iis_like import iis_like, page, server
from tests.unit.plan.plans import contoso

NAMES = [f"sup0{number}.corp.contoso.com" for number in range(1, 5)]
METADATA = "(ApiRemoting30|ClientWebService|DSSAuthWebService|ServerSyncWebService|SimpleAuthWebService)"
OK = "return 200 'as it should be';"

Results = dict[tuple[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("wsus")
    made = certificates("wsus")
    pair = made.server(*NAMES)
    points = tuple(SoftwareUpdatePointSection(host=name) for name in NAMES)
    plan = contoso(target=Target.CONFIGMGR, management_point=(), software_update_point=points)
    (folder / "plan.toml").write_text(plan_text(plan))
    good, open_one, stopped, closed = NAMES
    with (
        island() as there,
        iis_like(
            there,
            folder / "nginx",
            server(good, 8531, OK, pair),
            server(good, 8530, f"location ~* ^/{METADATA}/ {{ {page('403.4')} }} location / {{ {page('404.0')} }}"),
            server(open_one, 8531, OK, pair),
            server(open_one, 8530, f"location /Content/ {{ {page('403.4')} }} location / {{ {OK} }}"),
            server(stopped, 8531, page("503"), pair),
            server(stopped, 8530, page("503")),
            server(closed, 8531, OK, pair, address="127.0.0.5"),
        ),
    ):
        there.hosts({name: "127.0.0.5" if name == closed else "127.0.0.1" for name in NAMES})
        done = there.run(
            *(*CAUSEWAY, "check", "--only", "site", "--json", "--ca", made.root, "--plan", folder / "plan.toml"),
            environment=environment(folder),
            timeout=120,
        )
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)["checks"]
    return {(each["target"].partition(".")[0], each["name"]): each for each in found}


def test_one_that_is_configured_as_microsoft_asks_passes(seen: Results) -> None:
    for check in ("certificate", "answer", "SSL"):
        assert seen["sup01", f"update point {check}"]["status"] == "PASS", seen


def test_what_is_open_and_what_is_closed_by_mistake_fails_with_its_command(seen: Results) -> None:
    found = seen["sup02", "update point SSL"]
    assert found["status"] == "FAIL"
    assert "'Content' | ForEach-Object" in found["action"]


def test_a_stopped_pool_is_told_and_a_closed_port_is_skipped(seen: Results) -> None:
    assert seen["sup03", "update point answer"]["status"] == "FAIL"
    assert 'Start-WebAppPool "WsusPool"' in seen["sup03", "update point answer"]["action"]
    assert seen["sup04", "update point SSL"]["status"] == "SKIP"
    assert "refused" in seen["sup04", "update point SSL"]["details"]
