"""Devices with tokens, through gateway and connection point to a site system, and what becomes of those without."""

import base64
import dataclasses
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from causeway.gateway_settings import Authentication, Endpoint, GatewaySettings
from causeway.identity.site_token import sign
from tests.system.certificates import Pair
from tests.system.data_path.client import Answer, Client
from tests.system.data_path.path import SERVER, DataPath, endpoint
from tests.system.origin import Exchange
from tests.system.processes import Part, free_ports, running, wait_until
from tests.unit.identity.test_jwt import HOSTILE
from tests.unit.identity.tokens import (
    EC_KEY,
    ISSUER,
    RSA_KEY,
    SETTINGS,
    SMS_ID,
    THUMBPRINT,
    bulk_claims,
    device_claims,
)

DIRECTORY = f"{SERVER}/ccm_system_tokenauth"
INSTANCES, WORKERS = 4, 2
WITHIN_S = 5.0


def now() -> int:
    return int(time.time())


def token(**changes: object) -> str:
    dates = {"not_before": now() - 60, "expires": now() + 8 * 3600}
    return sign(device_claims(**{**dates, **changes}), "rsa", RSA_KEY)


def bulk_token() -> str:
    return sign(bulk_claims(not_before=now() - 60, expires=now() + 3600), "ec", EC_KEY)


def endpoints(path: DataPath) -> tuple[Endpoint, ...]:
    url = path.origin.url
    token, bulk = Authentication.TOKEN, Authentication.BULK_TOKEN
    return (
        endpoint("tokens", DIRECTORY, f"{url}/CCM_System_TokenAuth", authentication=(token, bulk), forward_token=True),
        endpoint("devices", "/devices", url, authentication=(token,), upgrades=("websocket",)),
        endpoint("either", "/either", url, authentication=(Authentication.CERTIFICATE, token)),
    )


@pytest.fixture(scope="module")
def by_token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataPath]:
    with DataPath(tmp_path_factory.mktemp("tokens"), workers=1).running() as path:
        path.change_everywhere(site_tokens=SETTINGS, endpoints=(*path.settings.endpoints, *endpoints(path)))
        yield path


def fields_of(answer: Answer) -> dict[str, str]:
    assert answer.status == 200, (answer.reason, answer.body)
    return {name.lower(): value for name, value in json.loads(answer.body)["fields"]}


def test_curl_reaches_the_management_point_with_a_token_and_it_learns_who_that_is(by_token: DataPath) -> None:
    sent = token()
    answer = subprocess.run(
        [
            *("curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "30"),
            *("--cacert", by_token.certificates.root, "--oauth2-bearer", sent, "-X", "CCM_POST", "--data", "a message"),
            f"https://localhost:{by_token.port}{DIRECTORY}/request",
        ],
        capture_output=True,
        check=True,
        timeout=60,
    )
    seen = json.loads(answer.stdout)
    fields = {name.lower(): value for name, value in seen["fields"]}
    assert (seen["method"], seen["target"], seen["body"]) == ("CCM_POST", "/CCM_System_TokenAuth/request", "a message")
    assert fields["x-causeway-client"] == "site-token"
    assert fields["x-causeway-device"] == SMS_ID
    assert fields["x-causeway-certificate"] == THUMBPRINT
    assert fields["x-causeway-subject"] == "PC1"
    assert fields["authorization"] == f"Bearer {sent}"
    assert "x-forwarded-client-cert" not in fields


def test_a_published_application_learns_who_the_device_is_and_not_its_token(by_token: DataPath) -> None:
    with by_token.connect() as client:
        fields = fields_of(client.ask("GET", "/devices/x", f"CCMToken: {token()}", "X-Causeway-Device: GUID:forged"))
        assert fields["x-causeway-device"] == SMS_ID
        assert "ccmtoken" not in fields
        fields = fields_of(client.ask("GET", "/app/x", f"CCMToken: {token()}", "X-Causeway-Device: GUID:forged"))
        assert "x-causeway-device" not in fields
        assert "ccmtoken" in fields


def test_a_newcomer_reaches_the_management_point_and_nothing_else(by_token: DataPath) -> None:
    with by_token.connect() as client:
        line = f"Authorization: Bearer {bulk_token()}"
        fields = fields_of(client.ask("GET", f"{DIRECTORY}/request", line))
        assert fields["x-causeway-client"] == "bulk-token"
        assert "x-causeway-device" not in fields
        assert client.ask("GET", "/devices/x", line).reason == "CMGService_TokenNotAccepted"


def test_a_certificate_or_a_token_opens_what_takes_either(by_token: DataPath) -> None:
    with by_token.connect(by_token.device) as client:
        assert fields_of(client.ask("GET", "/either/x"))["x-causeway-client"] == "certificate"
        assert fields_of(client.ask("GET", "/either/x", "CCMToken: nonsense"))["x-causeway-client"] == "certificate"
        assert fields_of(client.ask("GET", "/devices/x", f"CCMToken: {token()}"))["x-causeway-client"] == "site-token"
    with by_token.connect() as client:
        assert fields_of(client.ask("GET", "/either/x", f"CCMToken: {token()}"))["x-causeway-client"] == "site-token"
        answer = client.ask("GET", "/either/x")
        assert (answer.status, answer.reason) == (401, "CMGService_TokenRequired")
        assert answer.header("WWW-Authenticate") == "Bearer"


def test_hostile_tokens_never_reach_the_premises_and_the_gateway_lives(own_path: Callable[..., DataPath]) -> None:
    path = own_path(workers=1, gateway={"limits": {"max_invalid_tokens_per_minute": 10_000}})
    path.change_everywhere(site_tokens=SETTINGS, endpoints=(*path.settings.endpoints, *endpoints(path)))
    asked = len(path.origin.requests)
    with path.connect() as client:
        for name, hostile in HOSTILE.items():
            if not hostile or not hostile.isascii():
                continue
            answer = client.ask("GET", "/devices/x", f"CCMToken: {hostile.decode()}")
            assert (answer.status, answer.reason) == (401, "CMGService_Invalid_Token"), name
            assert ISSUER.encode() not in answer.body
        assert len(path.origin.requests) == asked
        assert client.ask("GET", "/devices/x", f"CCMToken: {token()}").status == 200
    assert token().split(".")[1][:40] not in path.gateway.text()


def test_an_address_that_guesses_is_limited_logged_and_counted(own_path: Callable[..., DataPath]) -> None:
    path = own_path(workers=1, gateway={"limits": {"max_invalid_tokens_per_minute": 5}})
    path.change_everywhere(site_tokens=SETTINGS, endpoints=(*path.settings.endpoints, *endpoints(path)))
    good = token()
    with path.connect() as client:
        assert client.ask("GET", "/devices/x", f"CCMToken: {good}").status == 200
        reasons = []
        for number in range(20):
            guess = good.rpartition(".")[0] + "." + base64.urlsafe_b64encode(b"%048d" % number).decode()
            reasons.append(client.ask("GET", "/devices/x", f"CCMToken: {guess}").reason)
        assert reasons[:5] == ["CMGService_Invalid_Token"] * 5
        assert reasons[-1] == "CMGService_TooManyFailures"
        assert client.ask("GET", "/devices/x", f"CCMToken: {good}").status == 200
    assert path.gateway.wait_for("too many invalid tokens")[0]["peer"] == "127.0.0.1"
    assert path.gateway.metric("causeway_gateway_addresses_limited_total") >= 1
    assert path.gateway.metric("causeway_gateway_refusals_total", word="CMGService_TooManyFailures") >= 1


# Blocks, at every worker of every instance.


class Instances:
    """A data path with several instances of the gateway, and devices connected to every worker of each."""

    def __init__(self, path: DataPath) -> None:
        self.path = path
        self.gateways = [path.gateway]
        self.ports = [path.port]
        text, gateways = path.gateway_config.read_text(), []
        for number in range(2, INSTANCES + 1):
            first = free_ports(WORKERS + 2)
            config = path.folder / f"gateway-{number}.toml"
            changed = text.replace('name = "gw1"', f'name = "gw{number}"').replace("gateway-state", f"state-{number}")
            for offset in (0, 1, WORKERS + 1):
                changed = changed.replace(f"port = {path.first_port + offset}\n", f"port = {first + offset}\n")
            config.write_text(changed)
            log = path.folder / f"gateway-{number}.log"
            self.gateways.append(Part(["gateway", "run", "--config", config], log, first + WORKERS + 1))
            self.ports.append(first)
            gateways.append(
                f'\n[[gateway]]\naddress = "localhost:{first + 1}"\nauthority = "{path.certificates.root}"\n'
            )
        self.point = path.new_point("cp")
        config = path.folder / "cp.toml"
        config.write_text(config.read_text() + "".join(gateways))

    def connect(self, pair: Pair | None = None) -> list[Client]:
        """One connection to every worker of every instance."""
        clients: list[Client] = []
        for port in self.ports:
            by_worker: dict[str, Client] = {}
            while len(by_worker) < WORKERS:
                client = Client(port, self.path.certificates.root, pair=pair)
                by_worker.setdefault(client.ask("GET", "/CCM_Proxy_ServerAuth/ServiceMetadata").worker, client)
                if client not in by_worker.values():
                    client.close()
            clients += by_worker.values()
        return clients

    def change(self, **changes: Any) -> GatewaySettings:
        return self.path.change(**changes)

    def wait(self, version: int) -> None:
        def there() -> bool:
            return all(
                gateway.metric("causeway_gateway_settings_version") == version * WORKERS for gateway in self.gateways
            )

        wait_until(there, what=f"version {version}")


def held(exchange: Exchange) -> None:
    """A site system that answers when there is news: never, here."""
    exchange.wait_for_input(120)


def hold_on(path: DataPath, count: int) -> bool:
    return len(path.origin.of("/hold")) == count


def refused(client: Client, line: str) -> bool:
    return client.ask("GET", "/devices/x", line).status in (401, 403)


BLOCKS: dict[str, dict[str, Any]] = {
    "device": {"blocked_devices": (SMS_ID,)},
    "name": {"blocked_names": ("PC1",)},
    "certificate": {"blocked_certificates": (THUMBPRINT,)},
    "token": {"blocked_tokens": ("11111111-2222-3333-4444-555555555555",)},
    "tenant": {"blocked_tenants": ("t1",)},
    "key": {"site_tokens": dataclasses.replace(SETTINGS, keys=SETTINGS.keys[1:])},
}
NOTHING_BLOCKED: dict[str, Any] = {
    **{name: () for block in list(BLOCKS.values())[:-1] for name in block},
    "site_tokens": SETTINGS,
}


@pytest.mark.measures
@pytest.mark.timeout(300)
def test_whatever_is_blocked_every_worker_of_every_instance_refuses_within_five_seconds(
    own_path: Callable[..., DataPath], record_property: Callable[[str, object], None]
) -> None:
    path = own_path(wait=False, workers=WORKERS, points=())
    instances = Instances(path)
    path.origin.on("/hold", held)
    line = f"CCMToken: {token(tenant_id='t1')}"
    with running(*instances.gateways[1:], instances.point):
        for gateway in instances.gateways:
            gateway.wait_for("serving", count=WORKERS)
        settings = instances.change(
            site_tokens=SETTINGS, endpoints=(*path.settings.endpoints, *endpoints(path)), service_name="four"
        )
        instances.wait(settings.version)
        kept = instances.connect()
        slowest = {}
        for what, block in BLOCKS.items():
            for client in kept:
                assert client.ask("GET", "/devices/x", line).status == 200
            holding, asked = instances.connect(), len(path.origin.of("/hold"))
            for client in holding:
                client.start("GET", "/devices/hold", line)
            wait_until(partial(hold_on, path, asked + len(holding)), what="long polls at the site system")
            started = time.monotonic()
            instances.change(**block)
            for client in holding:
                assert client.answer().status in (401, 403)
                client.close()
            for client in kept:
                wait_until(partial(refused, client, line))
            slowest[what] = time.monotonic() - started
            instances.wait(instances.change(**NOTHING_BLOCKED).version)
        for client in kept:
            client.close()
    record_property("seconds", slowest)
    print({what: f"{seconds:.2f} s" for what, seconds in slowest.items()})
    assert max(slowest.values()) < WITHIN_S
