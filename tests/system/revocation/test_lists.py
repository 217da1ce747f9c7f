"""Revocation lists of a real authority, from its distribution points to every worker of a whole system."""

from pathlib import Path

from tests.system.certificates import Pair
from tests.system.processes import wait_until
from tests.system.revocation.conftest import Scene
from tests.system.up.running import causeway

REVOKED = "CMGService_ClientCertificateRevoked"
UNKNOWN = "CMGService_ClientCertificateRevocationUnknown"


def test_a_device_that_is_revoked_is_refused_on_the_connection_that_it_has_and_others_are_not(scene: Scene) -> None:
    stolen, good = (scene.issuing.client(name) for name in ("stolen", "good"))
    with scene.connect(stolen) as thief, scene.connect(good) as owner:
        scene.wait_for_word(thief, "")
        scene.wait_for_word(owner, "")
        scene.issuing.revoke(stolen)
        scene.issuing.publish(scene.places.folder / "issuing.crl")
        answer = scene.wait_for_word(thief, REVOKED)
        assert answer.status == 403
        assert owner.ask("GET", "/CCM_Proxy_MutualAuth/ServiceMetadata").status == 200
        scene.wait_for_word(owner, "")
    with scene.connect(stolen) as again:
        scene.wait_for_word(again, REVOKED)


def test_a_list_of_a_wrong_signer_or_nobody_changes_nothing_until_the_known_one_ends(
    scene: Scene, tmp_path: Path
) -> None:
    from tests.system.revocation.openssl_ca import OpenSslAuthority

    imposter = OpenSslAuthority(tmp_path / "imposter", "OpenSSL issuing")
    place = scene.places.folder / "issuing.crl"
    with scene.connect(scene.issuing.client("lasting")) as client:
        scene.wait_for_word(client, "")
        imposter.publish(place)
        wait_until(lambda: "RevocationListInvalid: it is not signed by" in str(scene.taken("issuing.crl")["error"]))
        scene.wait_for_word(client, "")
        scene.places.unreachable = True
        wait_until(lambda: "RevocationListUnreachable" in str(scene.taken("issuing.crl")["error"]))
        scene.wait_for_word(client, "")
        scene.places.unreachable = False
        place.write_bytes(bytes(70 * 1024 * 1024))
        wait_until(lambda: "RevocationListInvalid: it has more than" in str(scene.taken("issuing.crl")["error"]))
        place.write_bytes(b"\x30\x82" + bytes(1000))
        wait_until(lambda: "RevocationListInvalid: it is malformed" in str(scene.taken("issuing.crl")["error"]))
        scene.wait_for_word(client, "")
        scene.issuing.publish(place, seconds=3)
        scene.wait_for_word(client, UNKNOWN)
        assert "the list of CN=OpenSSL issuing has ended" in scene.log("gateway")
        scene.issuing.publish(place)
        scene.wait_for_word(client, "")


def test_a_delta_list_revokes_between_two_whole_lists(scene: Scene) -> None:
    folder, url = scene.places.folder, f"{scene.places.url}/delta.crl"
    device = scene.issuing.client("delta")
    freshest = f"freshestCRL = URI:{url}"
    number = int((scene.issuing.folder / "crlnumber").read_text(), 16)
    scene.issuing.publish(folder / "issuing.crl", lines=freshest)
    with scene.connect(device) as client:
        scene.wait_for_word(client, "")
        scene.issuing.revoke(device)
        scene.issuing.publish(folder / "delta.crl", lines=f"2.5.29.27 = critical,DER:02:01:{number:02x}")
        scene.wait_for_word(client, REVOKED)
    assert scene.taken("delta.crl")["is_delta"] is True


def test_an_authority_that_was_revoked_takes_its_devices_along(scene: Scene) -> None:
    device = scene.doomed.client("orphan")
    with scene.connect(device) as client:
        scene.wait_for_word(client, "")
        scene.root.revoke(Pair(scene.doomed.certificate, scene.doomed.folder / "ca.key"))
        scene.root.publish(scene.places.folder / "root.crl")
        scene.wait_for_word(client, REVOKED)
    assert "the certificate of CN=OpenSSL doomed was revoked by CN=OpenSSL root" in scene.log("gateway")


def test_the_own_authority_revokes(scene: Scene) -> None:
    certificate, key = scene.system.device_pair
    with scene.connect(Pair(certificate, key)) as client:
        scene.wait_for_word(client, "")
        done = causeway("authority", "revoke", certificate, "--authority", scene.system.authority.parent)
        assert done.returncode == 0, done.stderr
        scene.wait_for_word(client, REVOKED)
