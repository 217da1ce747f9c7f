"""Whoever may come no longer is refused by every worker of every instance within five seconds of being told so.

The way is the whole one: an authority of OpenSSL publishes, an OpenSSL responder answers, an operator types a command;
the site notices, publishes, and gateways refuse; on connections in use and in the middle of a long poll, too.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.certificates import Pair, certificates
from tests.system.cloud import Cloud
from tests.system.data_path.client import Client
from tests.system.entra.provider import Provider
from tests.system.entra.test_site import table
from tests.system.origin import Exchange
from tests.system.processes import wait_until
from tests.system.revocation.openssl_ca import OpenSslAuthority
from tests.system.revocation.places import Places
from tests.system.revocation.responder import Responder
from tests.system.site.by_token import new_bulk_token, registered, show

pytestmark = [pytest.mark.measures, pytest.mark.timeout(300)]

INSTANCES, WORKERS = 4, 2
WITHIN_S = 5.0


def held(exchange: Exchange) -> None:
    """A site system that answers when there is news: never, here."""
    with contextlib.suppress(TimeoutError):
        exchange.wait_for_input(120)


class Scene:
    """The cloud, and everybody whose word counts."""

    def __init__(self, folder: Path) -> None:
        self.places = Places(folder / "places")
        root = OpenSslAuthority(
            folder / "root", "OpenSSL root", points=f"crlDistributionPoints = URI:{self.places.url}/root.crl"
        )
        self.issuing = OpenSslAuthority(
            folder / "issuing",
            "OpenSSL issuing",
            points=f"crlDistributionPoints = URI:{self.places.url}/issuing.crl",
            above=root,
        )
        port = Responder.free_port()
        self.asked = OpenSslAuthority(
            folder / "asked",
            "OpenSSL asked",
            points=f"authorityInfoAccess = OCSP;URI:http://127.0.0.1:{port}",
            above=root,
        )
        self.responder = Responder(self.asked, port)
        for authority, name in ((root, "root"), (self.issuing, "issuing")):
            authority.publish(self.places.folder / f"{name}.crl")
        self.provider = Provider(folder, certificates("issuer"))
        limits = {"max_invalid_tokens_per_minute": 100_000}
        self.cloud = Cloud(folder, instances=INSTANCES, workers=WORKERS, gateway={"limits": limits})
        self.site = self.cloud.site
        trusted = [one.certificate for one in (root, self.issuing, self.asked)]
        self.site.configure("gateway", trusted_roots=["authority.pem", *map(str, trusted)])
        self.site.configure("revocation", refresh_s=1, ocsp_keep_s=1)
        self.site.configure("entra_keys", cool_down_s=1)
        self.cloud.publish("app", "certificate", "token", "entra")
        self.cloud.origin.on("/hold", held)
        self.without_tenant = self.site.paths.config.read_text()
        self.site.append(table(self.provider))
        self.with_tenant = self.site.paths.config.read_text()

    @contextlib.contextmanager
    def running(self) -> Iterator["Scene"]:
        with contextlib.ExitStack() as stack:
            stack.callback(self.places.close)
            stack.callback(self.responder.stop)
            stack.enter_context(self.provider.running())
            stack.enter_context(self.cloud.running())
            yield self

    def configure(self, text: str) -> None:
        self.site.paths.config.write_text(text)
        self.site.reload()

    def seconds_until_refused(
        self, lines: tuple[str, ...], pair: Pair | None, word: str, act: Callable[[], object]
    ) -> float:
        """How long after ``act`` the last worker refused a client's next request, and ended its long poll."""
        kept, holding = self.cloud.connect(pair), self.cloud.connect(pair)
        try:
            for client in kept:
                wait_until(lambda one=client: one.ask("GET", "/app/x", *lines).status == 200)  # type: ignore[misc]
            asked = len(self.cloud.origin.of("/hold"))
            for client in holding:
                client.start("GET", "/app/hold", *lines)
            wait_until(lambda: len(self.cloud.origin.of("/hold")) == asked + len(holding), what="the long polls")
            began = time.monotonic()
            act()
            for client in holding:
                assert client.answer().status in {401, 403}
            for client in kept:
                wait_until(lambda one=client: one.ask("GET", "/app/x", *lines).reason == word)  # type: ignore[misc]
            took = time.monotonic() - began
            for port in self.cloud.ports:
                with Client(port, self.cloud.root, pair=pair) as client:
                    assert client.ask("GET", "/app/x", *lines).reason == word
            print(f"{word}: {took:.2f} s")
            return took
        finally:
            for client in (*kept, *holding):
                client.close()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene(tmp_path_factory.mktemp("workers")).running() as scene:
        yield scene


def test_a_certificate_on_the_next_list_of_its_authority(scene: Scene) -> None:
    device = scene.issuing.client("stolen")

    def act() -> None:
        scene.issuing.revoke(device)
        scene.issuing.publish(scene.places.folder / "issuing.crl")

    assert scene.seconds_until_refused((), device, "CMGService_ClientCertificateRevoked", act) < WITHIN_S


def test_a_certificate_that_its_responder_calls_revoked_though_the_device_only_waits(scene: Scene) -> None:
    device = scene.asked.client("stolen")
    scene.responder.start()  # it knows what was issued before

    def act() -> None:
        scene.asked.revoke(device)
        scene.responder.start()

    assert scene.seconds_until_refused((), device, "CMGService_ClientCertificateRevoked", act) < WITHIN_S


def test_a_tenant_that_is_blocked_or_whose_table_is_taken_away(scene: Scene) -> None:
    lines = (f"Authorization: Bearer {scene.provider.token()}",)

    def block() -> None:
        scene.site.cli("blocks", "add", "tenant", scene.provider.tenant_id)

    assert scene.seconds_until_refused(lines, None, "CMGService_TenantBlocked", block) < WITHIN_S
    scene.site.cli("blocks", "remove", "tenant", scene.provider.tenant_id)

    def remove() -> None:
        scene.configure(scene.without_tenant)

    assert scene.seconds_until_refused(lines, None, "CMGService_TenantNotOnboarded", remove) < WITHIN_S
    scene.configure(scene.with_tenant)


def test_tokens_whose_signing_key_is_withdrawn(scene: Scene) -> None:
    _, bulk = new_bulk_token(scene.site)
    client = registered(scene.site, bulk)
    lines = (f"Authorization: {client.session.headers['Authorization']!s}",)
    (key,) = [one["id"] for one in json.loads(scene.site.causeway("token", "keys", "list", "--json").stdout)]

    def withdraw() -> None:
        scene.site.causeway("token", "keys", "withdraw", key)

    assert scene.seconds_until_refused(lines, None, "CMGService_Invalid_Token", withdraw) < WITHIN_S
    assert client.send("MP_PolicyManager", client.assignments_request()).reason == "MP_SiteTokenWrong"
    # A new bulk registration token, which the new key signs, brings the device back.
    _, bulk = new_bulk_token(scene.site)
    show(client, bulk)
    assert client.register().get("Status") == "0"
    client.close()
