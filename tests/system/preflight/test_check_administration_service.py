"""``causeway check --only site`` on a fake of the administration service, over TLS and with a real sign-in."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from causeway.plan.document import ServiceConnectionPointSection, plan_text
from causeway.plan.values import Target
from tests.system.certificates import certificates
from tests.system.negotiate_door import PASSWORD, USER
from tests.system.plan.running import CAUSEWAY, environment
from tests.system.preflight.fake_administration_service import (
    TOKEN,
    FakeAdministrationService,
    fake_administration_service,
    prop,
    role,
)
from tests.unit.plan.plans import contoso

SECRETS = (PASSWORD, TOKEN)


def host(name: str) -> str:
    return f"{name}.corp.contoso.com"


def good_rows() -> dict[str, list[dict[str, Any]]]:
    """Contoso's site, set as Contoso's plan says."""
    traffic = prop("AllowProxyTraffic", 1)
    other = [role("SMS Management Point", f"other{n}.corp.contoso.com", traffic, ssl_state=1) for n in range(5)]
    return {
        "SMS_Site": [{"SiteCode": "PS1", "SiteName": "Contoso", "Version": "5.00.9128.1000", "Type": 2}],
        "SMS_SCI_SysResUse": [
            *other,
            role("SMS Management Point", host("mp01"), traffic, ssl_state=1),
            role(
                "SMS Software Update Point",
                host("sup01"),
                *(traffic, prop("SSLWSUS", 1), prop("WSUSIISSSLPort", 8531), prop("WSUSIISPort", 8530)),
            ),
            role("SMS Dmp Connector", host("cm01"), prop("OfflineMode", 0)),
            role("SMS Cloud Proxy Connector", host("cp01")),
            role("SMS Cloud Proxy Connector", host("cp02")),
        ],
        "SMS_SCI_Component": [
            {"ComponentName": "SMS_SITE_COMPONENT_MANAGER", "SiteCode": "PS1", "Props": [prop("IISSSLState", 1248)]}
        ],
        "SMS_ClientSettings": [
            {
                "SettingsID": 16777217,
                "Name": "Laptops",
                "Type": 1,
                "AgentConfigurations": [{"AgentID": 22, "AllowCMG": True, "AllowCloudDP": True}, {"AgentID": 15}],
            }
        ],
        "SMS_BoundaryGroup": [{"GroupID": number, "Name": f"HQ{number}"} for number in range(1, 6)],
        "SMS_BoundaryGroupSiteSystems": [
            {"GroupID": 5, "ServerNALPath": f'["Display=\\\\x\\"]MSWNET:["SMS_SITE=PS1"]\\\\{host("SUP01")}\\'}
        ],
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("administration")
    (made / "password").write_text(PASSWORD + "\n")
    (made / "wrong").write_text("guess\n")
    (made / "token").write_text(TOKEN + "\n")
    plan = contoso(target=Target.CONFIGMGR, service_connection_point=ServiceConnectionPointSection(host=host("cm01")))
    (made / "plan.toml").write_text(plan_text(plan))
    return made


@pytest.fixture
def fake(folder: Path) -> Iterator[FakeAdministrationService]:
    pair = certificates("administration").server("127.0.0.1")
    with fake_administration_service(folder, pair, good_rows()) as made:
        yield made


def check(
    folder: Path, fake: FakeAdministrationService, *arguments: str | Path, root: Path | None = None
) -> dict[str, list[dict[str, str]]]:
    """The checks of the service by name; what is asked of other servers is left out."""
    server = f"127.0.0.1:{fake.port}"
    options = ("--administration-service", server, "--ca", root or certificates("administration").root, "--json")
    done = subprocess.run(
        [*CAUSEWAY, "check", "--only", "site", "--plan", folder / "plan.toml", *options, *arguments],
        env={key: value for key, value in environment(folder).items() if key != "NTLM_USER_FILE"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    assert not any(secret in done.stdout + done.stderr for secret in SECRETS)
    found: dict[str, list[dict[str, str]]] = {}
    for each in json.loads(done.stdout)["checks"]:
        if each["name"].startswith(("site ", "administration ")):
            found.setdefault(each["name"], []).append(each)
    return found


BY_PASSWORD = ("--site-user", USER, "--site-password-file")
ALL = {
    "administration service",
    "site roles",
    "site service connection point",
    "site management points",
    "site update points",
    "site client settings",
    "site boundary groups",
}


def test_a_site_as_planned_passes_every_check_signed_in_with_negotiate(
    folder: Path, fake: FakeAdministrationService
) -> None:
    fake.rows["SMS_Site"][0]["Something"] = "x" * 1_000_000  # a page is larger than any refusal
    found = check(folder, fake, *BY_PASSWORD, folder / "password")
    assert {name: [each["status"] for each in results] for name, results in found.items()} == {
        name: ["PASS"] for name in ALL
    }
    assert "PS1 (Contoso, 5.00.9128.1000)" in found["administration service"][0]["details"]
    assert "HQ5" in found["site boundary groups"][0]["details"]
    assert any("$skip=4" in path for path, _ in fake.asked)
    assert ("/AdminService/wmi/SMS_ClientSettings(16777217)", "") in fake.asked
    # One sign-in serves for the connection.
    assert sum(scheme == "Negotiate" for _, scheme in fake.asked) <= 3


def test_a_token_is_sent_to_the_path_for_tokens(folder: Path, fake: FakeAdministrationService) -> None:
    found = check(folder, fake, "--site-token-file", folder / "token")
    assert {each["status"] for results in found.values() for each in results} == {"PASS"}
    assert {scheme for _, scheme in fake.asked} == {"Bearer"}
    assert all(path.startswith("/AdminService_TokenAuth/wmi/") for path, _ in fake.asked)


def test_who_is_not_let_in_who_is_nobody_and_a_server_that_is_not_trusted_are_told_apart(
    folder: Path, fake: FakeAdministrationService
) -> None:
    (wrong,) = check(folder, fake, *BY_PASSWORD, folder / "wrong")["administration service"]
    assert (wrong["status"], "does not take who asks" in wrong["details"]) == ("FAIL", True)
    (nobody,) = check(folder, fake)["administration service"]
    assert (nobody["status"], "nobody signs in" in nobody["details"]) == ("SKIP", True)
    fake.asked.clear()
    other = certificates("somebody-else").root
    (untrusted,) = check(folder, fake, *BY_PASSWORD, folder / "password", root=other)["administration service"]
    assert (untrusted["status"], "its certificate is not trusted" in untrusted["details"]) == ("FAIL", True)
    assert "SMS Issuing" in untrusted["action"]
    assert fake.asked == []


def test_a_refusal_without_end_ends_the_sign_in(folder: Path, fake: FakeAdministrationService) -> None:
    fake.refusal = b"x" * 1_000_000
    (result,) = check(folder, fake, *BY_PASSWORD, folder / "password")["administration service"]
    assert (result["status"], "a refusal of more than" in result["details"]) == ("FAIL", True)


def test_what_the_site_does_otherwise_is_a_line_each(folder: Path, fake: FakeAdministrationService) -> None:
    rows = fake.rows["SMS_SCI_SysResUse"]
    rows[:] = [each for each in rows if "cp02" not in each["NetworkOSPath"]]
    for each in rows:
        for one in each["Props"]:
            one["Value"] = {"OfflineMode": 1, "AllowProxyTraffic": 0, "WSUSIISSSLPort": 443}.get(
                one["PropertyName"], one["Value"]
            )
    fake.rows["SMS_ClientSettings"][0]["AgentConfigurations"][0]["AllowCMG"] = False
    fake.rows["SMS_BoundaryGroupSiteSystems"] = []
    found = check(folder, fake, *BY_PASSWORD, folder / "password")
    said = {name: (results[0]["status"], results[0]["action"]) for name, results in found.items()}
    assert said["site roles"][0] == "WARN"
    assert f"Add-CMCloudManagementGatewayConnectionPoint -SiteSystemServerName {host('cp02')}" in said["site roles"][1]
    assert said["site service connection point"][0] == "FAIL"
    assert said["site management points"][0] == "WARN"
    assert "-EnableCloudGateway $true" in said["site management points"][1]
    assert said["site update points"][0] == "FAIL"
    assert "-WsusIisSslPort 8531" in said["site update points"][1]
    assert said["site client settings"][0] == "WARN"
    assert said["site boundary groups"][0] == "WARN"


def test_a_part_that_is_refused_broken_or_elsewhere_fails_alone(folder: Path, fake: FakeAdministrationService) -> None:
    odd: dict[str, tuple[int, bytes]] = {
        "SMS_SCI_SysResUse": (403, b""),
        "SMS_ClientSettings": (200, b'{"value": [{"SettingsID": "x"'),
        "SMS_BoundaryGroup": (200, b'{"value": [], "@odata.nextLink": "https://evil.example/AdminService/wmi/x"}'),
    }
    fake.instead = lambda path: next((answer for name, answer in odd.items() if name in path), None)
    found = check(folder, fake, *BY_PASSWORD, folder / "password")
    assert found["administration service"][0]["status"] == "PASS"
    for name, words in (
        ("site roles", "does not let them read this"),
        ("site client settings", "no answer of the administration service"),
        ("site boundary groups", "its next page is said to be elsewhere"),
    ):
        assert (found[name][0]["status"], words in found[name][0]["details"]) == ("FAIL", True), found[name]
        assert found[name][0]["action"]
