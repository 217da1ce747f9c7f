"""Certificates of an authority that publishes no list: OpenSSL's own responder is asked, by the site."""

from collections.abc import Iterator

import pytest

from tests.system.processes import wait_until
from tests.system.revocation.conftest import Scene

REVOKED = "CMGService_ClientCertificateRevoked"
UNKNOWN = "CMGService_ClientCertificateRevocationUnknown"


@pytest.fixture(autouse=True)
def stopped(scene: Scene) -> Iterator[None]:
    """Each test starts the responder as it wants it."""
    yield
    scene.responder.stop()


def details(scene: Scene, word: str) -> str:
    return "\n".join(line for line in scene.log("gateway").splitlines() if word in line)


def test_a_good_device_is_let_in_and_refused_once_the_responder_says_revoked(scene: Scene) -> None:
    device = scene.asked.client("asked-good")
    scene.responder.start()
    with scene.connect(device) as client, scene.connect(device) as other:
        assert scene.ask(client).status == 200  # the first request waits for the answer
        assert scene.ask(other).status == 200
        scene.asked.revoke(device)
        scene.responder.start()
        scene.wait_for_word(client, REVOKED)
        scene.wait_for_word(other, REVOKED)  # at every worker, whoever asked
    with scene.connect(device) as again:
        assert scene.ask(again).reason == REVOKED


def test_a_device_that_the_responder_does_not_know_is_refused(scene: Scene) -> None:
    device = scene.asked.client("asked-unknown")
    empty = scene.asked.folder / "empty.txt"
    empty.touch()
    scene.responder.start(index=empty)
    with scene.connect(device) as client:
        assert scene.ask(client).reason == UNKNOWN
    assert "does not know it" in details(scene, UNKNOWN)


def test_a_responder_that_cannot_be_reached_or_gives_old_answers_says_nothing(scene: Scene) -> None:
    unreachable, stale = scene.asked.client("asked-unreachable"), scene.asked.client("asked-stale")
    with scene.connect(unreachable) as client:
        assert scene.ask(client).reason == UNKNOWN
    assert "OcspResponderUnreachable" in scene.log("site")
    scene.responder.start(clock="-2d")
    with scene.connect(stale) as client:
        assert scene.ask(client).reason == UNKNOWN
    wait_until(lambda: "OcspAnswerInvalid" in scene.log("site"))
    assert "it ended at" in scene.log("site")


def test_a_device_brings_the_place_of_its_list_along(scene: Scene) -> None:
    """An authority whose list nobody set up: the first of its devices names the place."""
    good, stolen = scene.found.client("found-good"), scene.found.client("found-stolen")
    with scene.connect(good) as client:
        assert scene.ask(client).status == 200
    with scene.connect(stolen) as thief:
        assert scene.ask(thief).status == 200
        scene.found.revoke(stolen)
        scene.found.publish(scene.places.folder / "found.crl")
        scene.wait_for_word(thief, REVOKED)
    assert scene.taken("found.crl")["discovered"] is True
