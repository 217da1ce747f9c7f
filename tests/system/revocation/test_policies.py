"""What the operator decides about revocation takes effect at the gateway, and is said where it is dangerous."""

import base64
import json
import ssl
from collections.abc import Iterator

import pytest

from tests.system.certificates import Pair
from tests.system.cloud import Cloud
from tests.system.data_path.client import Client
from tests.system.processes import wait_until
from tests.system.revocation.openssl_ca import OpenSslAuthority
from tests.system.revocation.places import Places
from tests.system.revocation.responder import Responder

REVOKED = "CMGService_ClientCertificateRevoked"
UNKNOWN = "CMGService_ClientCertificateRevocationUnknown"


class Scene:
    """A gateway, and an authority of OpenSSL below others that names a list and a responder in what it issues."""

    def __init__(
        self,
        cloud: Cloud,
        places: Places,
        authority: OpenSslAuthority,
        middle: OpenSslAuthority,
        root: OpenSslAuthority,
    ) -> None:
        self.cloud = cloud
        self.site = cloud.site
        self.place = places.folder / "issuing.crl"
        self.authority = authority
        self.middle = middle
        self.root = root
        self.responder: Responder

    def decide(self, **revocation: object) -> None:
        """Have the site decide so from now on."""
        self.site.configure("revocation", **revocation)
        self.reload()

    def reload(self) -> None:
        before = self.site.log.read_text().count('"reloaded"')
        self.site.reload()
        wait_until(lambda: self.site.log.read_text().count('"reloaded"') > before)
        self.cloud.wait_for_settings()

    def lists_in_force(self) -> int:
        """How many lists the gateway has: until it has them all, it asks about every certificate."""
        (state,) = self.cloud.folder.glob("state-*/gateway-settings.jws")
        payload = state.read_text().split(".")[1]
        settings = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return len(settings["revocation"]["lists"]) if self.cloud.in_force_everywhere(settings["version"]) else 0

    def ask(self, pair: Pair) -> str:
        with Client(self.cloud.ports[0], self.cloud.root, pair=pair) as client:
            return client.ask("GET", "/app/x").reason

    def wait_for(self, pair: Pair, reason: str) -> None:
        wait_until(lambda: self.ask(pair) == reason, timeout=60, what=reason)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("policies")
    places, port = Places(folder / "places"), Responder.free_port()
    at = f"crlDistributionPoints = URI:{places.url}"
    root = OpenSslAuthority(folder / "root", "OpenSSL root", points=f"{at}/root.crl")
    middle = OpenSslAuthority(folder / "middle", "OpenSSL middle", points=f"{at}/middle.crl", above=root)
    points = f"{at}/issuing.crl\nauthorityInfoAccess = OCSP;URI:http://127.0.0.1:{port}"
    authority = OpenSslAuthority(folder / "issuing", "OpenSSL issuing", points=points, above=middle)
    for one, name in ((root, "root"), (middle, "middle"), (authority, "issuing")):
        one.publish(places.folder / f"{name}.crl")
    cloud = Cloud(folder, instances=1, workers=1)
    cloud.publish("app", "certificate")
    trusted = [str(one.certificate) for one in (root, middle, authority)]
    cloud.site.configure("gateway", trusted_roots=["authority.pem", *trusted])
    cloud.site.configure("revocation", list_urls=[f"{places.url}/issuing.crl"], refresh_s=1, ocsp_keep_s=1)
    scene = Scene(cloud, places, authority, middle, root)
    scene.responder = Responder(authority, port)
    try:
        with cloud.running():
            wait_until(lambda: scene.lists_in_force() == 3, what="all lists")
            yield scene
    finally:
        scene.responder.stop()
        places.close()


def test_a_responder_is_asked_though_the_list_says_good_only_where_it_always_is(scene: Scene) -> None:
    stolen = scene.authority.client("stolen")
    scene.authority.revoke(stolen)  # the responder knows, the next list is not out yet
    scene.responder.start()
    scene.wait_for(stolen, "OK")
    scene.decide(ocsp="always")
    scene.wait_for(stolen, REVOKED)
    scene.responder.stop()
    scene.decide(ocsp="never")
    good = scene.authority.client("good")
    scene.wait_for(good, "OK")


def test_after_a_list_has_ended_devices_are_accepted_for_as_long_as_was_decided_and_counted(scene: Scene) -> None:
    device = scene.authority.client("patient")
    scene.decide(ocsp="never", unknown="refuse")
    scene.authority.publish(scene.place, seconds=1)
    scene.wait_for(device, UNKNOWN)
    (gateway,) = scene.cloud.gateways
    unchecked = "causeway_gateway_certificates_unchecked_total"
    assert gateway.metric(unchecked) == 0
    scene.decide(unknown="accept-for", accept_hours=1)
    scene.wait_for(device, "OK")
    assert gateway.metric(unchecked) > 0
    scene.decide(accept_hours=0.0001)  # a third of a second, which is over
    scene.wait_for(device, UNKNOWN)
    scene.authority.publish(scene.place)
    scene.wait_for(device, "OK")


def test_revocation_that_is_switched_off_is_said_in_the_log_and_by_the_check(scene: Scene) -> None:
    stolen = scene.authority.client("forgiven")
    scene.authority.revoke(stolen)
    scene.authority.publish(scene.place)
    scene.wait_for(stolen, REVOKED)
    warning = "revocation is switched off: revoked client certificates are accepted"
    assert warning not in scene.site.log.read_text()
    scene.decide(check=False)
    scene.wait_for(stolen, "OK")
    assert scene.site.log.read_text().count(warning) == 1
    checked = json.loads(scene.site.cli("check", "--json", check=False).stdout)
    (line,) = [one for one in checked["checks"] if one["name"] == "revocation list"]
    assert line["status"] == "WARN"
    assert "revoked client certificates are accepted" in line["details"]
    scene.decide(check=True)
    scene.wait_for(stolen, REVOKED)
    assert scene.site.log.read_text().count(warning) == 1


def test_an_intermediate_that_is_missing_is_named_in_the_site_s_log_and_by_its_check(scene: Scene) -> None:
    device = scene.authority.client("orphan")
    scene.wait_for(device, "OK")
    files = ["authority.pem", str(scene.authority.certificate), str(scene.root.certificate)]
    scene.site.configure("gateway", trusted_roots=files)
    scene.reload()
    with pytest.raises((ssl.SSLError, ConnectionError)):
        scene.ask(device)
    scene.cloud.gateways[0].wait_for("handshake failed", reason="certificate_untrusted")
    logged = [json.loads(line) for line in scene.site.log.read_text().splitlines() if line.startswith("{")]
    event = "a certificate is missing among gateway.trusted_roots"
    (line,) = [one for one in logged if one["event"] == event]
    assert (line["missing"], line["issuer_of"]) == ("CN=OpenSSL middle", "CN=OpenSSL issuing")
    checked = scene.site.cli("check", check=False)
    assert checked.returncode == 1
    assert "the certificate of its issuer CN=OpenSSL middle is missing" in " ".join(checked.stdout.split())
    scene.site.configure("gateway", trusted_roots=[*files, str(scene.middle.certificate)])
    scene.reload()
    scene.wait_for(device, "OK")
