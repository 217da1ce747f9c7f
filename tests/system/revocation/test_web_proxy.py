"""A site that reaches distribution points and responders only through a web proxy that wants credentials."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.gateway_settings.status import STATUS_PATH, CertificateStatus, Standing, verify_status
from causeway.pki.keys import load_verification_key
from causeway.pki.roles import Role
from tests.system.certificates import Pair
from tests.system.processes import running, wait_until
from tests.system.revocation.openssl_ca import OpenSslAuthority
from tests.system.revocation.places import Places
from tests.system.revocation.responder import Responder
from tests.system.site.running import RunningSite, lay_out
from tests.system.site.running import running as site_running
from tests.system.web_proxy import PASSWORD, USER, WebProxy


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[WebProxy]:
    proxy = WebProxy(tmp_path)
    with running(proxy):
        wait_until(proxy.listens, what="the proxy")
        yield proxy


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    places = Places(tmp_path / "places")
    yield places
    places.close()


def status_of(site: RunningSite, pair: Pair) -> CertificateStatus:
    """What the site says of a certificate, asked as a gateway asks."""
    der = x509.load_pem_x509_certificate(pair.certificate.read_bytes()).public_bytes(Encoding.DER)
    certificate, key = site.certificate("cp1", Role.CONNECTION_POINT)
    answer = requests.post(
        site.url + STATUS_PATH,
        data=der,
        cert=(str(certificate), str(key)),
        verify=str(site.paths.authority),
        timeout=30,
    )
    assert answer.status_code == 200, answer.reason
    return verify_status(answer.content, load_verification_key(site.paths.settings_public_key))


def test_lists_and_responders_are_asked_through_the_proxy_with_its_credentials(
    tmp_path: Path, proxy: WebProxy, places: Places
) -> None:
    port = Responder.free_port()
    points = f"crlDistributionPoints = URI:{places.url}/asked.crl\n"
    points += f"authorityInfoAccess = OCSP;URI:http://127.0.0.1:{port}"
    authority = OpenSslAuthority(tmp_path / "asked", "OpenSSL asked", points=points)
    authority.publish(places.folder / "asked.crl")
    good, stolen = authority.client("good"), authority.client("stolen")
    authority.revoke(stolen)
    responder = Responder(authority, port)
    password = tmp_path / "proxy-password"
    password.write_text("wrong-secret\n")
    site = lay_out(tmp_path, {})
    site.configure("gateway", trusted_roots=["authority.pem", str(authority.certificate)])
    through = {"proxy": f"http://127.0.0.1:{proxy.port}", "proxy_user": USER, "proxy_password_file": str(password)}
    site.configure("revocation", list_urls=[f"{places.url}/asked.crl"], refresh_s=1, **through)

    def error() -> str:
        (taken,) = json.loads(site.cli("revocation", "list", "--json").stdout) or [{"error": ""}]
        return str(taken["error"])

    try:
        responder.start()
        with site_running(site):
            wait_until(lambda: "RevocationListUnreachable: the answer is 401" in error())  # tinyproxy's way to say 407
            assert places.asked == []
            checked = site.cli("check", check=False)
            assert "the answer is 401" in checked.stdout
            password.write_text(PASSWORD + "\n")
            wait_until(lambda: places.asked != [] and not error(), what="the list, through the proxy")
            assert proxy.requests_for(f"GET {places.url}/asked.crl") >= 1
            assert status_of(site, good).standing is Standing.GOOD
            assert status_of(site, stolen).standing is Standing.REVOKED
            assert proxy.requests_for(f"POST http://127.0.0.1:{port}") == 2
            password.unlink()
            wait_until(lambda: "State: " in error())
            assert "proxy-password: the proxy's password cannot be read" in error()
        for secret in ("wrong-secret", PASSWORD):
            assert secret not in site.log.read_text() + checked.stdout
    finally:
        responder.stop()
