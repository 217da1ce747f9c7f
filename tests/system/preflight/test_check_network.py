"""``causeway check --only network`` on an island, where Contoso's endpoints have their real names and ports."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.certificates import Pair, certificates
from tests.system.preflight.premises import HOSTS, SERVICE, Premises, premises
from tests.unit.plan.plans import CONTOSO

NETWORK = ("--only", "network", "--json", "--timeout", "16")
GATEWAY = "contosogateway.westeurope.cloudapp.azure.com"
AUTHORITY_NAME = "premises authority"
PROXIED = CONTOSO + '[proxy]\nurl = "http://127.0.0.2:3128"\n'
WITHOUT_VAULT = {name: address for name, address in HOSTS.items() if "vault" not in name}


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Premises]:
    with premises(tmp_path_factory.mktemp("premises")) as made:
        yield made


def sound(there: Premises) -> dict[tuple[str, int], Pair | None]:
    """Every server with the certificate that it should have."""
    whole: dict[tuple[str, int], Pair | None] = {
        (address, 8531 if name.startswith("sup") else 443): there.authority.server(name)
        for name, address in HOSTS.items()
        if name != GATEWAY
    }
    gateway = there.authority.server(SERVICE)
    return {**whole, **{(HOSTS[GATEWAY], port): gateway for port in range(10124, 10128)}}


def lines(text: str) -> dict[str, Any]:
    """The results by the host that was looked at."""
    return {each["target"].partition(":")[0]: each for each in json.loads(text)["checks"]}


def test_every_endpoint_that_is_reached_has_one_line_and_what_comes_later_is_a_warning(there: Premises) -> None:
    there.there.hosts(WITHOUT_VAULT)
    try:
        with there.nginx(sound(there)):
            mute = lines(there.check(*NETWORK, plan=CONTOSO).stdout)
            with there.filters(("nameless", "127.0.0.1", 53)):
                administrator = there.check(*NETWORK, plan=CONTOSO)
            server = there.check(*NETWORK, "--from", "cp01", plan=CONTOSO)
    finally:
        there.there.hosts(HOSTS)
    assert mute["contosogateway.vault.azure.net"]["status"] == "FAIL"
    assert "/etc/resolv.conf" in mute["contosogateway.vault.azure.net"]["action"]
    assert administrator.returncode == 0, administrator.stdout + administrator.stderr
    seen = lines(administrator.stdout)
    assert len(seen) == len(json.loads(administrator.stdout)["checks"]) == 6
    assert "--from SERVER" in seen["administrator's workstation"]["details"]
    vault = seen.pop("contosogateway.vault.azure.net")
    assert (vault["status"], vault["name"]) == ("WARN", "network DNS")
    assert "before the gateway is made" in vault["details"]
    assert {each["status"] for each in seen.values()} == {"PASS"}
    details = seen["graph.microsoft.com"]["details"]
    assert (
        details == f"127.0.0.13, TLSv1.2, certificate of {AUTHORITY_NAME}, HTTP 403 Forbidden: registers applications"
    )
    assert server.returncode == 0, server.stdout
    seen = lines(server.stdout)
    assert set(seen) == {
        "cp01.corp.contoso.com",
        GATEWAY,
        *(f"{each}.corp.contoso.com" for each in ("cm01", "mp01", "sup01")),
    }
    assert seen[GATEWAY]["target"].endswith(":10124-10127")


def test_inspection_of_tls_is_named_and_is_fatal_at_the_gateway_or_where_it_is_not_trusted(there: Premises) -> None:
    servers = sound(there)
    stranger = certificates("stranger")
    servers[HOSTS["graph.microsoft.com"], 443] = stranger.server("graph.microsoft.com")
    with there.nginx(servers):
        blocked = there.check(*NETWORK, plan=CONTOSO, public=False)
    assert "403 Forbidden by nginx" in lines(blocked.stdout)["login.microsoftonline.com"]["details"]
    with there.nginx(servers, answer="404"):
        administrator = there.check(*NETWORK, plan=CONTOSO, public=False)
        server = there.check(*NETWORK, "--from", "cp01", plan=CONTOSO, public=False)
    seen = lines(administrator.stdout)
    trusted, untrusted = seen["login.microsoftonline.com"], seen["graph.microsoft.com"]
    assert (trusted["name"], trusted["status"]) == ("network inspection", "WARN")
    assert f"of {AUTHORITY_NAME}, no public authority" in trusted["details"]
    assert (untrusted["name"], untrusted["status"]) == ("network inspection", "FAIL")
    assert "of stranger authority, no public authority, and this machine does not trust it" in untrusted["details"]
    seen = lines(server.stdout)
    assert (seen[GATEWAY]["name"], seen[GATEWAY]["status"]) == ("network inspection", "FAIL")
    assert "tunnels and client certificates do not survive it" in seen[GATEWAY]["action"]
    assert seen["mp01.corp.contoso.com"]["status"] == "PASS"


def test_each_stage_that_fails_is_named_with_its_reason(there: Premises) -> None:
    good = sound(there)
    servers = {key: pair for key, pair in good.items() if key[0] in ("127.0.0.11", "127.0.0.18")}
    servers["127.0.0.12", 443] = None
    servers["127.0.0.13", 443] = there.authority.server("elsewhere.example")
    tls = (("reset", "127.0.0.14", 443), ("silent", "127.0.0.15", 443), ("drop", "127.0.0.17", 443))
    with there.nginx(servers), there.filters(*tls):
        administrator = lines(there.check(*NETWORK, plan=CONTOSO).stdout)
        server = lines(there.check(*NETWORK, "--from", "cp01", plan=CONTOSO).stdout)
    found = {
        name.partition(".")[0]: (each["name"], each["status"], each["details"].partition(" (")[0])
        for name, each in {**administrator, **server}.items()
        if each["status"] != "PASS"
    }
    assert found == {
        "management": ("network TLS", "FAIL", "does not speak TLS at this port"),
        "graph": ("network TLS", "FAIL", "its certificate is for elsewhere.example, and not for graph.microsoft.com"),
        "contosogateway": ("network TCP", "FAIL", "Connection refused"),
        "portal": ("network TLS", "WARN", "no answer within 2 s; not needed, but listed"),
        "cm01": ("network TCP", "FAIL", "no answer within 2 s"),
        "sup01": ("network TCP", "FAIL", "Connection refused"),
    }
    vault = administrator["contosogateway.vault.azure.net"]
    assert "cut in the handshake: Connection reset by peer" in vault["details"]


def test_plain_http_that_leads_away_or_is_no_http_is_named(there: Premises) -> None:
    plan = CONTOSO.replace('host = "mp01.corp.contoso.com"', 'host = "mp01.corp.contoso.com"\nmode = "http"\nport = 80')
    for behaviour, why in (
        ("portal", "302 Found: leads to portal.example, a captive portal or the page of a filter"),
        ("banner", "does not speak HTTP: "),
        ("silent", "no answer within 2 s"),
        ("reset", "the connection was cut: "),
    ):
        with there.filters((behaviour, "127.0.0.18", 80)):
            done = there.check(*NETWORK, "--from", "cp01", plan=plan)
        seen = lines(done.stdout)["mp01.corp.contoso.com"]
        assert (seen["name"], seen["status"]) == ("network HTTP", "FAIL"), behaviour
        assert why in seen["details"]
        assert "\x1b" not in done.stdout
        assert "Traceback" not in done.stderr


def test_a_web_proxy_is_asked_and_each_of_its_refusals_has_its_remedy(there: Premises) -> None:
    password = there.folder / "proxy-password"
    password.write_text("open-sesame\n")
    credentials = ("--proxy-user", "premises", "--proxy-password-file", str(password))
    login = "login.microsoftonline.com"
    with there.nginx(sound(there)), there.tinyproxy("BasicAuth premises open-sesame", "ConnectPort 443"):
        without = lines(there.check(*NETWORK, plan=PROXIED).stdout)[login]
        assert (without["name"], without["status"]) == ("network proxy", "FAIL")
        assert "--proxy-password-file" in without["action"]
        admitted = there.check(*NETWORK, *credentials, plan=PROXIED)
        assert admitted.returncode == 0, admitted.stdout
        assert lines(admitted.stdout)[login]["details"].startswith("through 127.0.0.2:3128, TLSv1.")
        tunnels = lines(there.check(*NETWORK, *credentials, "--from", "cp01", plan=PROXIED).stdout)
        assert "403" in tunnels[GATEWAY]["details"]
        assert tunnels[GATEWAY]["target"].endswith(":10124-10127")
        assert f"Allow CONNECT to {GATEWAY} at this port" in tunnels[GATEWAY]["action"]
        assert tunnels["mp01.corp.contoso.com"]["details"].startswith("127.0.0.18")
        password.write_text("wrong\n")
        wrong = there.check(*NETWORK, *credentials, plan=PROXIED)
        assert "Correct the user or the password" in lines(wrong.stdout)[login]["action"]
        assert "wrong" not in wrong.stdout + wrong.stderr
    absent = lines(there.check(*NETWORK, plan=PROXIED).stdout)[login]
    assert absent["details"] == "the proxy 127.0.0.2:3128 cannot be reached: Connection refused (signs in)"


def test_a_place_that_has_no_rule_is_wrong_use(there: Premises) -> None:
    done = there.check(*NETWORK, "--from", "elsewhere", plan=CONTOSO)
    assert done.returncode == 2
    assert "expected one of cp01.corp.contoso.com, cp02.corp.contoso.com" in done.stderr
