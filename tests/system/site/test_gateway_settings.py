import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from causeway.gateway_settings import GatewaySettings, verify
from causeway.pki.keys import load_verification_key, new_signing_key
from causeway.pki.roles import Role
from tests.system.processes import wait_until
from tests.system.site.running import ROLE_ID, RunningSite, running
from tests.system.site.third_party import Client

MakeClient = Callable[..., Client]


class Point:
    """Fetches the gateway settings as a connection point does."""

    def __init__(self, site: RunningSite, client: Client) -> None:
        self.site = site
        self.client = client

    def get(self, newer_than: int = 0, wait_s: float = 0) -> requests.Response:
        return self.client.get(f"/causeway/gateway-settings?newer_than={newer_than}&wait_s={wait_s}")

    def settings(self, newer_than: int = 0, wait_s: float = 0) -> GatewaySettings:
        answer = self.get(newer_than, wait_s)
        assert answer.status_code == 200, answer.status_code
        assert answer.headers["Content-Type"] == "application/jose"
        return verify(answer.content, load_verification_key(self.site.paths.settings_public_key))


@pytest.fixture
def make_point(client: MakeClient) -> Callable[[RunningSite], Point]:
    def make(site: RunningSite) -> Point:
        return Point(site, client(site, tls=site.certificate("point", Role.CONNECTION_POINT)))

    return make


MakePoint = Callable[[RunningSite], Point]


def waits(site: RunningSite) -> bool:
    return site.metric("causeway_site_gateway_settings_waiting") == 1


def test_a_connection_point_gets_the_signed_settings(site: RunningSite, make_point: MakePoint) -> None:
    point = make_point(site)

    settings = point.settings()

    assert settings.site_code == "PS1"
    assert settings.trusted_roots == (site.authority.pem.decode(),)
    published = {endpoint.name: endpoint for endpoint in settings.endpoints}
    assert set(published) == {
        f"mp-{ROLE_ID}/ccm_system",
        f"mp-{ROLE_ID}/SMS_MP",
        f"mp-{ROLE_ID}/CCM_STS",
        f"mp-{ROLE_ID}/server-auth/SMS_MP/.sms_aut",
        f"mp-{ROLE_ID}/server-auth/ccm_system_tokenauth",
        f"mp-{ROLE_ID}/server-auth/SMS_MP_TokenAuth",
        f"mp-{ROLE_ID}/server-auth/CCM_STS",
    }
    system = published[f"mp-{ROLE_ID}/ccm_system"]
    assert system.path == f"/CCM_Proxy_MutualAuth/{ROLE_ID}/ccm_system"
    assert system.upstream == f"{site.url}/ccm_system"
    assert "CCM_POST" in system.methods
    assert abs(settings.version - time.time()) < 60
    assert point.get(settings.version).status_code == 204


def test_nobody_else_gets_them(shared_site: RunningSite, client: MakeClient) -> None:
    for tls in (None, shared_site.certificate("pc"), shared_site.certificate("gw", Role.GATEWAY)):
        answer = client(shared_site, tls=tls).get("/causeway/gateway-settings")
        assert (answer.status_code, answer.reason) == (403, "Site_ConnectionPointRequired")


@pytest.mark.parametrize("query", ["newer_than=x", "wait_s=-1", "wait_s=inf", "wait_s=nan", "newer_than=1.5"])
def test_a_query_that_cannot_be_read_is_refused(shared_site: RunningSite, make_point: MakePoint, query: str) -> None:
    answer = make_point(shared_site).client.get(f"/causeway/gateway-settings?{query}")

    assert (answer.status_code, answer.reason) == (400, "Site_ParameterWrong")


def test_a_name_and_a_tenant_blocked_from_the_command_line_are_in_the_settings(
    site: RunningSite, make_point: MakePoint
) -> None:
    point = make_point(site)
    tenant = "C0FFEE00-0000-4000-8000-000000000002"
    before = point.settings()
    site.cli("blocks", "add", "name", "Lost-Laptop.example.com", "--reason", "stolen")
    named = point.settings(before.version, 30)
    site.cli("blocks", "add", "tenant", tenant)
    both = point.settings(named.version, 30)
    assert (both.blocked_names, both.blocked_tenants) == (("lost-laptop.example.com",), (tenant.lower(),))
    listed = json.loads(site.cli("blocks", "list", "--json").stdout)
    assert [(one["kind"], one["reason"]) for one in listed] == [("name", "stolen"), ("tenant", "")]
    wrong = [("add", "tenant", "contoso"), ("add", "name", "n" * 201), ("remove", "name", "another")]
    assert [site.cli("blocks", *each, check=False).returncode for each in wrong] == [2, 2, 2]

    site.cli("blocks", "remove", "name", "LOST-laptop.example.com")
    site.cli("blocks", "remove", "tenant", tenant)

    wait_until(lambda: not (now := point.settings()).blocked_names and not now.blocked_tenants)


def test_a_certificate_blocked_from_the_command_line_reaches_those_who_wait(
    site: RunningSite, make_point: MakePoint, client: MakeClient
) -> None:
    point = make_point(site)
    before = point.settings()
    lost = site.certificate("lost")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(point.settings, before.version, 30)
        wait_until(lambda: waits(site))

        site.cli("certificates", "block", str(lost[0]), "--reason", "laptop stolen")

        after = waiting.result(timeout=20)
    assert after.version > before.version
    (fingerprint,) = after.blocked_certificates
    listed = json.loads(site.cli("certificates", "list", "--json").stdout)
    assert [(one["fingerprint"], one["reason"]) for one in listed] == [(fingerprint, "laptop stolen")]
    device = client(site, tls=lost)
    answer = device.send("MP_ClientRegistration", device.registration(), signed=False)
    assert (answer.status_code, answer.reason) == (403, "MP_CertificateBlocked")

    site.cli("certificates", "unblock", fingerprint)

    assert point.settings(after.version, 30).blocked_certificates == ()
    assert device.register().get("Status") == "0"


def test_an_application_added_to_the_file_reaches_those_who_wait(new_site: RunningSite, make_point: MakePoint) -> None:
    with running(new_site):
        point = make_point(new_site)
        before = point.settings()
        new_site.append('[[application]]\nname = "apt"\npath = "/repository"\nupstream = "http://127.0.0.1:1/debian"')
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(point.settings, before.version, 30)
            wait_until(lambda: waits(new_site))

            new_site.reload()

            after = waiting.result(timeout=20)
        assert {endpoint.name for endpoint in after.endpoints} - {endpoint.name for endpoint in before.endpoints} == {
            "apt"
        }


def test_what_clients_without_a_certificate_reach_is_published_by_name(
    new_site: RunningSite, make_point: MakePoint
) -> None:
    new_site.configure("gateway", server_auth=["sms_aut", "sms_pol", "ccm_system_altauth"])
    with running(new_site):
        endpoints = make_point(new_site).settings().endpoints

    prefix = f"/CCM_Proxy_ServerAuth/{ROLE_ID}"
    upstreams = {one.path.removeprefix(prefix): one.upstream for one in endpoints if "none" in one.authentication}
    assert upstreams == {
        "/SMS_MP/.sms_aut": f"{new_site.url}/SMS_MP/.sms_aut",
        "/SMS_MP/.sms_pol": f"{new_site.url}/SMS_MP_AltAuth/.sms_pol",
        "/SMS_MP_AltAuth/.sms_pol": f"{new_site.url}/SMS_MP_AltAuth/.sms_pol",
        "/ccm_system": f"{new_site.url}/ccm_system_altauth",
        "/ccm_system_altauth": f"{new_site.url}/ccm_system_altauth",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        "[nonsense]",
        '[[application]]\nname = "a"\npath = "/CCM_Proxy_MutualAuth/1/x"\nupstream = "http://a/"',
        '[[application]]\nname = "a"\npath = "/a"\nupstream = "ftp://a/"',
        '[[application]]\nname = "a"\npath = "/a"\nupstream = "http://a/"\n' * 2,
        "not toml",
    ],
)
def test_a_wrong_file_is_refused_in_one_line_and_what_is_in_force_stays(
    new_site: RunningSite, make_point: MakePoint, wrong: str
) -> None:
    with running(new_site):
        point = make_point(new_site)
        before = point.settings()
        new_site.append(wrong)

        new_site.reload()

        wait_until(lambda: "reload refused" in new_site.log.read_text())
        assert new_site.log.read_text().count("reload refused") == 1
        assert "Traceback" not in new_site.log.read_text()
        assert point.settings() == before
        assert point.client.get("/SMS_MP/.sms_aut?MPLIST").status_code == 200


def test_the_same_settings_keep_their_version_over_a_restart_and_new_ones_rise(
    laid_out: RunningSite, make_point: MakePoint
) -> None:
    laid_out.start()
    first = make_point(laid_out).settings()
    assert laid_out.stop() == 0

    laid_out.start()
    assert make_point(laid_out).settings().version == first.version
    laid_out.kill()

    laid_out.configure("gateway", service_name="other.example.com")
    with running(laid_out):
        again = make_point(laid_out).settings()
        assert again.version > first.version
        assert again.service_name == "other.example.com"


def test_a_new_settings_key_makes_a_new_version(new_site: RunningSite, make_point: MakePoint) -> None:
    with running(new_site):
        first = make_point(new_site).settings()
        new_signing_key(new_site.paths.settings_key, new_site.paths.settings_public_key)
        new_site.reload()
        assert make_point(new_site).settings(first.version, 10).version > first.version


def test_a_renewed_server_certificate_is_served_without_a_reload_once_its_key_fits(new_site: RunningSite) -> None:
    import ssl

    from causeway.pki.keys import new_p256_key

    def served() -> str:
        return ssl.get_server_certificate(("127.0.0.1", new_site.port))

    with running(new_site):
        before = served()
        renewed = new_site.authority.issue_server(["127.0.0.1"], new_p256_key(), Role.SITE_SYSTEM)
        new_site.paths.key.write_bytes(renewed.key_pem)
        wait_until(lambda: "the certificate cannot be used" in new_site.log.read_text())
        assert served() == before
        new_site.paths.certificate.write_bytes(renewed.certificate_pem)
        wait_until(lambda: served() != before)
        assert renewed.certificate_pem.decode().startswith(served().strip())


def test_a_site_that_stops_sends_those_who_wait_away_at_once(new_site: RunningSite, make_point: MakePoint) -> None:
    new_site.configure("server", drain_s=60)  # which would be waited for if it did not
    with running(new_site), ThreadPoolExecutor() as pool:
        point = make_point(new_site)
        version = point.settings().version
        waiting: Future[requests.Response] = pool.submit(point.get, version, 60)
        wait_until(lambda: waits(new_site))

        began = time.monotonic()
        assert new_site.stop() == 0

        assert time.monotonic() - began < 20
        assert waiting.result(timeout=20).status_code == 204


def test_two_servers_of_a_site_publish_one_sequence_of_versions(
    cluster: object, tmp_path: Path, make_point: MakePoint
) -> None:
    import dataclasses
    import shutil

    from tests.system import postgresql
    from tests.system.processes import free_ports
    from tests.system.site.running import lay_out

    assert isinstance(cluster, postgresql.PostgreSQL)
    database = {"url": cluster.new_database(), "password_file": str(cluster.password_file)}
    first = lay_out(tmp_path / "one", database)
    shutil.copytree(tmp_path / "one" / "site", tmp_path / "two")
    paths = type(first.paths).within(tmp_path / "two")
    second = dataclasses.replace(first, paths=paths, port=free_ports(), admin_port=free_ports(), process=None)
    second.configure("server", port=second.port)
    second.configure("admin", port=second.admin_port)
    with running(first), running(second):
        one, two = make_point(first), make_point(second)
        version = one.settings().version
        assert two.settings().version == version

        first.cli("certificates", "block", "ab" * 32)

        assert two.settings(version, 10) == one.settings(version, 10)
