"""How the connection point calls site systems: TLS that is verified, certificates shown, connections kept and bound."""

import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from causeway.pki.roles import Role
from tests.system.apache import Host, apache
from tests.system.certificates import Pair, certificates
from tests.system.data_path.client import Client
from tests.system.data_path.path import DataPath, endpoint
from tests.system.origin import Exchange, Origin
from tests.system.processes import free_ports, wait_until


def server_context(pair: Pair, *, clients_of: str | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair.both)
    if clients_of is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates(clients_of).root)
    return context


@dataclass
class Premises:
    path: DataPath
    second: Origin


@pytest.fixture(scope="module")
def premises(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Premises]:
    """A data path whose connection point trusts the site's authority and shows a certificate of its own."""
    site, stranger = certificates("site"), certificates("stranger")
    good = site.server("localhost", role=Role.SITE_SYSTEM)
    shown = site.client("connection-point-for-site-systems", Role.CONNECTION_POINT)
    origins = {
        "good": Origin(server_context(good)),
        "stranger": Origin(server_context(stranger.server("localhost", role=Role.SITE_SYSTEM))),
        "misnamed": Origin(server_context(site.server("other.example", role=Role.SITE_SYSTEM))),
        "mutual": Origin(server_context(good, clients_of="site")),
        "mutual-stranger": Origin(server_context(good, clients_of="stranger")),
    }
    point = {
        "site_systems": {
            "authority": str(site.root),
            "certificate": str(shown.certificate),
            "key": str(shown.key),
        }
    }
    path = DataPath(tmp_path_factory.mktemp("premises"), workers=1, point=point)
    with path.running():
        path.publish_also(
            *(endpoint(name, f"/{name}", origin.url.replace("http:", "https:")) for name, origin in origins.items()),
            endpoint("bound2", "/bound2", origins["good"].url, connection_bound=True),
        )
        yield Premises(path, origins["good"])
        for origin in origins.values():
            origin.close()


@pytest.mark.parametrize("name", ["good", "mutual"])
def test_a_site_system_with_a_good_certificate_is_called(premises: Premises, name: str) -> None:
    with premises.path.connect() as client:
        assert json.loads(client.ask("GET", f"/{name}/x").body)["target"] == "/x"


@pytest.mark.parametrize("name", ["stranger", "misnamed", "mutual-stranger"])
def test_a_site_system_that_cannot_be_verified_or_refuses_us_is_not_trusted(premises: Premises, name: str) -> None:
    with premises.path.connect() as client:
        answer = client.ask("GET", f"/{name}/x")
        assert (answer.status, answer.reason) == (502, "CMGConnector_SiteSystemCertificate")
        (logged,) = premises.path.points["cp1"].wait_for("request failed", request_id=answer.request_id)
        assert logged["details"]
        assert client.ask("GET", "/good/x").status == 200


@pytest.mark.parametrize("protocol", ["TLSv1.3", "TLSv1.2"])
def test_the_certificate_is_shown_to_a_site_system_that_asks_for_it_by_the_path(
    protocol: str, premises: Premises
) -> None:
    site, port, name = certificates("site"), free_ports(), f"late-{protocol[-1]}"
    host = Host("127.0.0.1", port, protocol, site.server("localhost", role=Role.SITE_SYSTEM), site.root)
    with apache({"MPLIST": "<MPList/>"}, [host]):
        premises.path.publish_also(endpoint(name, f"/{name}", f"https://localhost:{port}/SMS_MP"))
        with premises.path.connect() as client:
            answer = client.ask("GET", f"/{name}/.sms_aut?MPLIST")
            assert (answer.status, answer.body) == (200, b"<MPList/>")


def connection_of(client: Client, target: str, **options: Any) -> int:
    number: int = json.loads(client.ask("GET", target, **options).body)["connection"]
    return number


def test_one_client_keeps_one_connection_and_another_client_another(path: DataPath) -> None:
    with path.connect() as first, path.connect() as second:
        first_number = connection_of(first, "/bound_WindowsAuth/a")
        second_number = connection_of(second, "/bound_WindowsAuth/a")
        assert first_number != second_number
        for _ in range(5):
            assert connection_of(second, "/bound_WindowsAuth/b") == second_number
            assert connection_of(first, "/bound_WindowsAuth/b") == first_number
            assert connection_of(first, "/app/c") not in (first_number, second_number)


def test_authentication_of_a_connection_survives_other_clients(path: DataPath) -> None:
    known: dict[int, str] = {}

    def handler(exchange: Exchange) -> None:
        connection = exchange.request.connection
        if authorization := exchange.request.header("Authorization"):
            known[connection] = authorization
        if connection in known:
            exchange.answer(known[connection].encode())
        else:
            exchange.answer(status="401 Unauthorized", head="WWW-Authenticate: Negotiate\r\n")

    path.origin.on("/negotiate", handler)
    target = "/bound_WindowsAuth/negotiate"
    with path.connect() as alice, path.connect() as bob:
        for client in (alice, bob):
            answer = client.ask("GET", target)
            assert (answer.status, answer.header("WWW-Authenticate")) == (401, "Negotiate")
        assert alice.ask("GET", target, "Authorization: Negotiate alice").body == b"Negotiate alice"
        assert bob.ask("GET", target).status == 401
        assert bob.ask("GET", target, "Authorization: Negotiate bob").body == b"Negotiate bob"
        for _ in range(3):
            assert alice.ask("GET", target).body == b"Negotiate alice"
            assert bob.ask("GET", target).body == b"Negotiate bob"
    with path.connect() as carol:
        assert carol.ask("GET", target).status == 401


def test_a_bound_connection_is_released_when_its_client_goes(path: DataPath) -> None:
    released = threading.Event()
    read_on = threading.Event()

    def handler(exchange: Exchange) -> None:
        exchange.answer(b"x")
        read_on.set()
        assert exchange.read(1) == b""
        released.set()
        exchange.close()

    path.origin.on("/released", handler)
    with path.connect() as client:
        assert client.ask("GET", "/bound_WindowsAuth/released").status == 200
        assert read_on.wait(20)
    assert released.wait(20)


def test_a_client_of_two_bound_site_systems_has_a_connection_to_each(premises: Premises) -> None:
    path, origin = premises.path, premises.path.origin
    with path.connect() as client:
        for _ in range(3):
            assert client.ask("GET", "/bound_WindowsAuth/first").status == 200
            assert client.ask("GET", "/bound2/second").status == 200
    assert len({request.connection for request in origin.of("/first")}) == 1
    assert len({request.connection for request in premises.second.of("/second")}) == 1
    assert origin.of("/second") == []
    assert premises.second.of("/first") == []


def test_a_bound_connection_that_the_site_system_closed_is_made_anew(path: DataPath) -> None:
    with path.connect() as client:
        first = connection_of(client, "/bound_WindowsAuth/x")
        path.origin.close_connections()
        answer = client.ask("GET", "/bound_WindowsAuth/x")
        assert json.loads(answer.body)["connection"] != first


def test_a_kept_connection_that_was_paused_by_a_slow_reader_serves_the_next_request(premises: Premises) -> None:
    path = premises.path
    piece = bytes(range(256)) * 512
    path.origin.on("/large", lambda exchange: exchange.answer(piece * 256))
    with path.connect() as client:
        client.start("GET", "/app/large")
        assert client.head().status == 200
        held = "causeway_connection_point_streams_held"
        wait_until(lambda: path.points["cp1"].metric(held) == 1, what="an answer held back")
        assert client.read(len(piece) * 256) == piece * 256
        for number in range(5):
            assert connection_of(client, f"/app/{number}") == path.origin.of("/large")[-1].connection


def test_an_idle_connection_to_a_site_system_is_given_up_after_a_while(premises: Premises) -> None:
    path = premises.path
    with path.connect() as client:
        client.ask("GET", "/app/x")
    name = "causeway_connection_point_upstream_connections"
    origin = f"localhost:{path.origin.port}"
    wait_until(lambda: path.points["cp1"].metric(name, origin=origin) == 0, what="idle connections to close")
    wait_until(lambda: path.origin.open_connections == 0, what="the origin to see them closed")
