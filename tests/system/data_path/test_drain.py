"""Ends in good order: what is under way is answered, the other side is told, and nobody is left behind."""

import itertools
import signal
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.system.data_path.client import Answer, Client
from tests.system.data_path.path import DataPath
from tests.system.origin import Exchange
from tests.system.processes import Part, free_ports, running, wait_until


class SlowRequest:
    """A request that the origin answers when it is told to."""

    def __init__(self, path: DataPath, target: str = "/slow") -> None:
        self.arrived, self.answer_now = threading.Event(), threading.Event()
        path.origin.on(target, self._handle)
        self.client = path.connect()
        self.client.start("POST", f"/app{target}", "Content-Length: 10")
        self.client.send(b"first")
        assert self.arrived.wait(20)

    def _handle(self, exchange: Exchange) -> None:
        self.arrived.set()
        assert self.answer_now.wait(60)
        exchange.answer(exchange.body() + b" answered")

    def finish(self) -> Answer:
        self.client.send(b"later")
        self.answer_now.set()
        answer = self.client.answer()
        self.client.close()
        return answer


def refuses_connections(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_gateway_that_stops_answers_what_is_under_way(
    own_path: Callable[..., DataPath], number: signal.Signals
) -> None:
    path = own_path()
    slow = SlowRequest(path)
    idle = path.connect_to_every_worker()
    path.gateway.signal(number)
    path.gateway.wait_for("draining", count=2)
    for client in idle:
        answer = client.ask("GET", "/app/last")  # it may have been on its way when the gateway was told to stop
        assert (answer.status, answer.header("Connection")) == (200, "close")
        assert client.wait_for_end() == b""
        client.close()
    wait_until(lambda: refuses_connections(path.port), what="no more connections")
    assert path.gateway.running
    answer = slow.finish()
    assert (answer.status, answer.body, answer.header("Connection")) == (200, b"firstlater answered", "close")
    assert path.gateway.wait() == 0
    assert path.points["cp1"].wait_for("tunnel closed", count=2)
    assert path.points["cp1"].events("tunnel lost") == []
    assert path.gateway.events("tunnel lost") == []


def test_a_gateway_that_stops_lets_a_slow_reader_have_its_whole_answer(own_path: Callable[..., DataPath]) -> None:
    path = own_path(workers=1, gateway={"limits": {"drain_idle_s": 0.1}})
    size = 8 << 20
    path.origin.on("/large", lambda exchange: exchange.answer(bytes(size)))
    with path.connect(window_bytes=16 << 10) as slow, path.connect() as idle:
        assert idle.ask("GET", "/app/x").status == 200
        slow.start("GET", "/app/large")
        assert slow.head().status == 200
        read = 0
        while path.gateway.metric("causeway_gateway_requests_in_flight"):
            read += len(slow.read(64 << 10))
        assert read < size  # the gateway has the whole answer, and its client has not
        path.gateway.signal(signal.SIGTERM)
        assert idle.wait_for_end() == b""  # those who have been idle for too long are gone
        assert read + len(slow.wait_for_end()) == size
    assert path.gateway.wait() == 0


def test_a_gateway_that_stops_does_not_wait_for_ever(own_path: Callable[..., DataPath]) -> None:
    path = own_path(workers=1, gateway={"limits": {"drain_timeout_s": 1.0}})
    slow = SlowRequest(path)
    assert path.gateway.stop() == 0
    assert slow.client.answer().reason == "CMGService_ConnectionPointLost"
    assert slow.client.wait_for_end() == b""
    slow.answer_now.set()
    slow.client.close()


def test_a_gateway_told_twice_stops_at_once(own_path: Callable[..., DataPath]) -> None:
    path = own_path(workers=1)
    slow = SlowRequest(path)
    path.gateway.signal(signal.SIGINT)
    path.gateway.wait_for("draining")
    path.gateway.signal(signal.SIGINT)
    assert path.gateway.wait(20) == 0
    slow.answer_now.set()
    slow.client.close()


def test_a_connection_point_that_stops_answers_what_is_under_way(own_path: Callable[..., DataPath]) -> None:
    path = own_path(points=("cp1", "cp2"))
    stopping = path.points["cp1"]
    slow = [SlowRequest(path, f"/slow-{number}") for number in range(8)]
    assert stopping.metric("causeway_connection_point_streams") >= 1
    stopping.signal(signal.SIGTERM)
    wait_until(
        lambda: path.gateway.metric("causeway_gateway_tunnels", connection_point="cp1") == 0, what="no new requests"
    )
    with path.connect() as client:
        for _ in range(20):
            assert client.ask("GET", "/app/x").status == 200
    for each in slow:
        assert each.finish().body == b"firstlater answered"
    assert stopping.wait() == 0
    path.gateway.wait_for("tunnel closed", connection_point="cp1", count=2)
    assert path.gateway.events("tunnel lost") == []
    assert path.gateway.metric("causeway_gateway_tunnels_lost_total") == 0


def test_a_connection_point_that_stops_does_not_wait_for_ever(own_path: Callable[..., DataPath]) -> None:
    path = own_path(workers=1, point={"limits": {"drain_timeout_s": 1.0, "max_retry_s": 0.5}})
    slow = SlowRequest(path)
    assert path.points["cp1"].stop() == 0
    assert slow.client.answer().reason == "CMGService_ConnectionPointLost"
    slow.answer_now.set()
    slow.client.close()


def test_workers_leave_when_their_supervisor_is_killed(own_path: Callable[..., DataPath]) -> None:
    path = own_path()
    children = psutil.Process(path.gateway.pid).children(recursive=True)
    assert len(children) == 3
    slow = SlowRequest(path)
    path.gateway.kill()
    assert slow.finish().body == b"firstlater answered"  # they drain, even so
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
    path.gateway.start()
    path.wait_until_ready()
    with path.connect() as client:
        assert client.ask("GET", "/app/x").status == 200


def test_what_a_killed_gateway_left_behind_is_gone_after_the_next_start(
    own_path: Callable[..., DataPath], monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="cw-") as place:  # short, since sockets' paths must be

        def folders() -> set[str]:
            return {each.name for each in Path(place).glob("causeway-gateway-*")}

        monkeypatch.setenv("TMPDIR", place)
        path, other = own_path(workers=1), own_path(workers=1)
        both = folders()
        assert len(both) == 2
        children = psutil.Process(path.gateway.pid).children()
        path.gateway.kill()
        psutil.wait_procs(children, timeout=30)
        assert folders() == both
        path.gateway.start()
        path.wait_until_ready()
        (removed,) = path.gateway.events("removed what a killed gateway left behind")
        assert Path(removed["folder"]).name in both
        assert len(folders()) == 2
        assert other.gateway.metrics().names  # whoever lives keeps what is his
        assert {path.gateway.stop(), other.gateway.stop()} == {0}
        assert not folders()


def test_a_killed_admin_process_is_replaced(own_path: Callable[..., DataPath]) -> None:
    path = own_path(workers=1)
    (admin,) = [
        child
        for child in psutil.Process(path.gateway.pid).children()
        if any(
            connection.laddr.port == path.port + 2 for connection in child.net_connections("tcp") if connection.laddr
        )
        and not any(connection.laddr.port == path.port for connection in child.net_connections("tcp"))
    ]
    admin.kill()
    path.gateway.wait_for("process ended", worker=-1)
    path.gateway.wait_until_ready()


class TwoGateways:
    """A data path with a second gateway beside the first, and connection points that dial both."""

    def __init__(self, path: DataPath) -> None:
        self.path = path
        self.second_port = free_ports(path.workers + 2)
        text = path.gateway_config.read_text()
        for offset in range(path.workers + 2):
            text = text.replace(f"port = {path.first_port + offset}\n", f"port = {self.second_port + offset}\n")
        text = text.replace('name = "gw1"', 'name = "gw2"').replace("gateway-state", "gateway-2-state")
        config = path.folder / "gateway-2.toml"
        config.write_text(text)
        admin_port = self.second_port + path.workers + 1
        self.second = Part(["gateway", "run", "--config", config], path.folder / "gateway-2.log", admin_port)
        for name in path.points:
            point_config = path.folder / f"{name}.toml"
            root = path.certificates.root
            with point_config.open("a") as file:
                file.write(f'\n[[gateway]]\naddress = "localhost:{self.second_port + 1}"\nauthority = "{root}"\n')

    def connect(self) -> Client:
        """To whichever gateway accepts, as behind a load balancer."""
        try:
            return self.path.connect()
        except ConnectionRefusedError:
            return Client(self.second_port, self.path.certificates.root)


def test_a_gateway_restarted_beside_another_under_load_fails_no_request(tmp_path_factory: Any) -> None:
    path = DataPath(tmp_path_factory.mktemp("two"), workers=1)
    two = TwoGateways(path)
    failures: list[str] = []
    answered = itertools.count()
    done = threading.Event()

    def load() -> None:
        while not done.is_set():
            client = two.connect()
            with client:
                for _ in range(20):
                    try:
                        answer = client.ask("CCM_POST", "/app/load", body=b"<Msg/>")
                    except (AssertionError, OSError) as error:
                        failures.append(repr(error))
                        break
                    if answer.status != 200:
                        failures.append(answer.reason)
                    next(answered)
                    if answer.header("Connection") == "close":
                        break

    with path.running(), running(two.second):
        two.second.wait_until_ready()
        threads = [threading.Thread(target=load) for _ in range(6)]
        for thread in threads:
            thread.start()
        for _ in range(2):
            assert path.gateway.stop() == 0
            path.gateway.start()
            path.gateway.wait_until_ready()
        done.set()
        for thread in threads:
            thread.join(60)
    assert failures == []
    assert next(answered) > 100
