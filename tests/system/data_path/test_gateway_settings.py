"""The gateway settings on their way: from the site by the connection point to every worker, and never back."""

import dataclasses
import json
import signal
from collections.abc import Callable

import jwt
import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from causeway.gateway_settings import SettingsStore, sign
from causeway.pki.keys import load_verification_key
from causeway.pki.roles import Role
from causeway.tunnel.frames import FrameType
from tests.system.data_path.path import DataPath, endpoint
from tests.system.data_path.tunnel_peer import TunnelPeer
from tests.system.processes import wait_until


def test_a_change_takes_effect_at_every_worker_on_the_connections_that_stand(own_path: Callable[..., DataPath]) -> None:
    path = own_path()
    clients = path.connect_to_every_worker()
    for client in clients:
        assert client.ask("GET", "/new/x").status == 404
        assert client.ask("GET", "/app/x").status == 200
    endpoints = [one for one in path.settings.endpoints if one.name != "app"]
    path.change_everywhere(endpoints=(*endpoints, endpoint("new", "/new", path.origin.url)))
    for client in clients:
        assert client.ask("GET", "/new/x").status == 200
        assert client.ask("GET", "/app/x").status == 404
        client.close()
    version = str(path.settings.version)
    assert path.points["cp1"].metric("causeway_connection_point_settings_version") == path.settings.version
    gauge = "causeway_connection_point_gateway_settings_version"
    wait_until(lambda: path.points["cp1"].metric(gauge) == 2 * path.settings.version, what=f"version {version}")


def test_a_gateway_without_settings_says_so(own_path: Callable[..., DataPath]) -> None:
    path = own_path(wait=False, publish=False, workers=1, points=())
    path.gateway.wait_for("serving")
    with path.connect(path.device) as client:
        answer = client.ask("GET", "/app/x")
        assert (answer.status, answer.reason) == (503, "CMGService_NoSettings")
    assert path.gateway.not_ready() == [
        "worker 0 has no gateway settings yet",
        "worker 0 has no connection point",
    ]


def test_a_gateway_starts_alone_with_the_settings_that_it_kept(own_path: Callable[..., DataPath]) -> None:
    path = own_path()
    path.change_everywhere(service_name="kept")
    path.points["cp1"].stop()
    assert path.gateway.stop() == 0
    path.site.close()
    path.gateway.start()
    path.gateway.wait_for("serving", settings_version=path.settings.version, count=2)
    with path.connect() as client:
        metadata = json.loads(client.ask("GET", "/CCM_Proxy_ServerAuth/ServiceMetadata").body)
        assert (metadata["ServiceName"], metadata["SettingsVersion"]) == ("kept", path.settings.version)
        assert client.ask("GET", "/app/x").reason == "CMGService_NoConnectionPoint"
        assert client.ask("GET", "/unpublished").status == 404
    assert path.gateway.not_ready() == ["worker 0 has no connection point", "worker 1 has no connection point"]


def documents(path: DataPath) -> dict[str, tuple[str, bytes]]:
    """Documents that no gateway takes, with the word for each."""
    newer = dataclasses.replace(path.settings, version=path.settings.version + 100)
    good = sign(newer, path.site.signing_key)
    unknown = json.loads(json.dumps(dataclasses.asdict(newer))) | {"from_the_future": 1}
    return {
        "wrong_key": ("GatewaySettingsSignature", sign(newer, Ed25519PrivateKey.generate())),
        "tampered": ("GatewaySettingsSignature", good[:60] + bytes([good[60] ^ 1]) + good[61:]),
        "no_signature": ("GatewaySettingsSignature", b"eyJhbGciOiJub25lIn0." + good.split(b".")[1] + b"."),
        "nonsense": ("GatewaySettingsSignature", b"\xff\x00nonsense"),
        "unknown_key": ("GatewaySettingsInvalid", _sign_json(path, unknown)),
        "older": (
            "GatewaySettingsOlder",
            sign(dataclasses.replace(path.settings, version=1, service_name="old"), path.site.signing_key),
        ),
        "same_version_other_content": (
            "GatewaySettingsOlder",
            sign(dataclasses.replace(path.settings, service_name="evil"), path.site.signing_key),
        ),
    }


def _sign_json(path: DataPath, content: object) -> bytes:
    payload = json.dumps(content).encode()
    headers = {"typ": "causeway-gateway-settings"}
    return jwt.PyJWS().encode(payload, path.site.signing_key, algorithm="EdDSA", headers=headers).encode()


def test_a_document_that_is_not_good_or_older_is_refused_logged_and_counted(own_path: Callable[..., DataPath]) -> None:
    path = own_path(workers=1)
    path.change_everywhere(service_name="in force")
    pair = path.certificates.client("courier", Role.CONNECTION_POINT)
    with TunnelPeer(path.tunnel_port, path.certificates.root, pair) as courier:
        courier.hello("courier")
        for name, (word, document) in documents(path).items():
            before = path.gateway.metric("causeway_gateway_settings_refused_total", word=word)
            logged = len(path.gateway.events("settings refused", word=word))
            courier.offer(document)
            status = json.loads(courier.receive(FrameType.STATUS)[3])
            assert status == {"settings_version": path.settings.version, "refused": word}, name
            assert path.gateway.metric("causeway_gateway_settings_refused_total", word=word) == before + 1
            refused = path.gateway.events("settings refused", word=word)
            assert len(refused) == logged + 1
            assert refused[-1]["connection_point"] == "courier"
        with path.connect() as client:
            metadata = json.loads(client.ask("GET", "/CCM_Proxy_ServerAuth/ServiceMetadata").body)
            assert metadata["ServiceName"] == "in force"
        newer = path.change(service_name="newer")
        status = json.loads(courier.receive(FrameType.STATUS)[3])
        assert status == {"settings_version": newer.version, "refused": ""}


def test_a_connection_point_takes_nothing_that_its_site_did_not_sign(own_path: Callable[..., DataPath]) -> None:
    path = own_path(workers=1)
    point = path.points["cp1"]
    forged = dataclasses.replace(path.settings, version=50, service_name="forged")
    path.site.publish_bytes(50, sign(forged, Ed25519PrivateKey.generate()))
    name = "causeway_connection_point_settings_refused_total"
    wait_until(lambda: point.metric(name, word="GatewaySettingsSignature") >= 1)
    assert point.wait_for("no settings from the site")[0]["reason"]
    assert point.metric("causeway_connection_point_settings_version") == path.settings.version
    good = dataclasses.replace(path.settings, version=51, service_name="good")
    path.site.publish(good)
    path.wait_for_version(51)
    path.site.publish_bytes(52, sign(dataclasses.replace(good, version=7), path.site.signing_key))
    wait_until(lambda: point.metric(name, word="GatewaySettingsOlder") >= 1)
    assert point.metric("causeway_connection_point_settings_version") == 51


def test_a_site_that_does_not_wait_is_not_asked_in_a_loop(own_path: Callable[..., DataPath]) -> None:
    path = own_path(workers=1)
    path.site.publish_bytes(60, sign(path.settings, path.site.signing_key))  # it offers what everybody has, at once
    asked = path.site.asked
    wait_until(lambda: path.site.asked >= asked + 2)
    with path.connect() as client:
        for _ in range(100):
            client.ask("GET", "/app/x")
    assert path.site.asked < asked + 6


def _all_children(path: DataPath) -> list[psutil.Process]:
    """The workers and the admin process, once all of them run."""
    children = psutil.Process(path.gateway.pid).children()
    return children if len(children) == path.workers + 1 else []


def test_settings_are_never_half_written_whatever_is_killed(own_path: Callable[..., DataPath]) -> None:
    path = own_path()
    for number in range(4):
        children = wait_until(lambda: _all_children(path))
        for change in range(10):
            path.change(service_name=f"name-{number}-{change}")
            if change == 5:
                children[number % len(children)].send_signal(signal.SIGKILL)
    path.wait_for_version(path.settings.version)
    for state in ("gateway-state", "cp1-state"):
        file = path.folder / state / "gateway-settings.jws"
        assert SettingsStore(file, load_verification_key(path.site.public_key)).load() == path.settings
    path.gateway.wait_for("process ended", count=4)
    with path.connect() as client:
        assert client.ask("GET", "/app/x").status == 200


def test_a_corrupt_file_of_settings_stops_the_start_with_one_line(own_path: Callable[..., DataPath]) -> None:
    path = own_path(workers=1)
    assert path.gateway.stop() == 0
    state = path.folder / "gateway-state" / "gateway-settings.jws"
    state.write_bytes(state.read_bytes()[:-10])
    said = len(path.gateway.text())
    path.gateway.start()
    assert path.gateway.wait() == 2
    (line,) = path.gateway.text()[said:].splitlines()
    assert line.startswith(f"error: {state}: corrupt gateway settings: ")
    assert line.endswith("remove it, a connection point brings them again")
    state.unlink()
    path.gateway.start()
    path.gateway.wait_until_ready()


def test_a_gateway_that_cannot_keep_settings_does_not_take_them(own_path: Callable[..., DataPath]) -> None:
    path = own_path(workers=1)
    state = path.folder / "gateway-state"
    kept = state.with_name("moved")
    state.rename(kept)
    path.change(service_name="cannot be kept")
    path.gateway.wait_for("settings refused", word="State")
    with path.connect() as client:
        metadata = json.loads(client.ask("GET", "/CCM_Proxy_ServerAuth/ServiceMetadata").body)
        assert metadata["ServiceName"] == "localhost"
        assert client.ask("GET", "/app/x").status == 200
    kept.rename(state)
    path.change_everywhere(service_name="can be kept")


@pytest.mark.parametrize("good", [True, False])
def test_a_renewed_server_certificate_is_taken_on_sighup(own_path: Callable[..., DataPath], good: bool) -> None:
    path = own_path()
    with path.connect() as kept:
        before = kept.socket.getpeercert(True)
        if good:
            path.certificates.server("localhost", "127.0.0.1", role=Role.GATEWAY)
            path.gateway.signal(signal.SIGHUP)
            path.gateway.wait_for("certificate reloaded", count=2)
        else:
            certificate = path.gateway_pair.certificate.read_bytes()
            path.gateway_pair.certificate.write_bytes(certificate[:100])
            path.gateway.signal(signal.SIGHUP)
            path.gateway.wait_for("the certificate cannot be used, the one in force stays", count=2)
            path.gateway_pair.certificate.write_bytes(certificate)
        with path.connect() as client:
            after = client.socket.getpeercert(True)
            assert (after != before) is good
            assert client.ask("GET", "/app/x").status == 200
        assert kept.ask("GET", "/app/x").status == 200
