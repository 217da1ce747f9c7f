"""Session tickets: good at every worker, and no way in for whoever is not let in without one."""

import datetime as dt
import signal
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from causeway.pki.keys import new_rsa_key
from causeway.pki.roles import Role
from tests.system.certificates import Pair, certificates
from tests.system.data_path.client import Answer
from tests.system.data_path.path import MUTUAL, DataPath
from tests.system.data_path.test_client_certificates import VERSIONS, fingerprint_of
from tests.system.processes import wait_until

TARGET = f"{MUTUAL}/SMS_MP/x"
RESUMED = "causeway_gateway_handshakes_resumed_total"
_TRIES = 200

both_versions = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataPath]:
    """With an RSA key, for which tickets are issued whatever OpenSSL there is."""
    folder = tmp_path_factory.mktemp("tickets")
    pair = Pair(folder / "rsa.pem", folder / "rsa.key")
    authority = certificates("site").authority
    authority.issue_server(["localhost", "127.0.0.1"], new_rsa_key(), Role.GATEWAY).write(pair.certificate, pair.key)
    service = {"certificate": str(pair.certificate), "key": str(pair.key)}
    with ExitStack() as stack:
        yield stack.enter_context(DataPath(folder, gateway={"service": service}).running())


class Device:
    """Comes with the session that it took home the last time."""

    def __init__(self, path: DataPath, pair: Pair, version: ssl.TLSVersion) -> None:
        self._path = path
        self._pair = pair
        self._version = version
        self.session: ssl.SSLSession | None = None
        self.resumed: bool | None = None

    def ask(self) -> Answer:
        """On a connection of its own."""
        with self._path.connect(self._pair, version=self._version, session=self.session) as client:
            answer = client.ask("GET", TARGET)
            self.resumed = client.socket.session_reused
            self.session = client.socket.session
        return answer

    def ask_all_workers(self) -> list[Answer]:
        """Resume at each worker; answers by worker. The kernel spreads connections, so come until all have been met."""
        answers: dict[str, Answer] = {}
        for _ in range(_TRIES):
            answer = self.ask()
            assert self.resumed
            answers[answer.worker] = answer
            if len(answers) == self._path.workers:
                return list(answers.values())
        raise AssertionError(f"not all workers were met in {_TRIES} connections")


@both_versions
def test_a_ticket_is_good_at_every_worker_and_through_changes(path: DataPath, version: ssl.TLSVersion) -> None:
    device = Device(path, path.device, version)
    before = path.gateway.metric(RESUMED)
    assert device.ask().status == 200
    assert not device.resumed
    assert {answer.status for answer in device.ask_all_workers()} == {200}
    wait_until(lambda: path.gateway.metric(RESUMED) >= before + path.workers)
    path.change_everywhere(service_name="another")
    assert {answer.status for answer in device.ask_all_workers()} == {200}
    reloaded = len(path.gateway.events("certificate reloaded"))
    path.gateway.signal(signal.SIGHUP)
    path.gateway.wait_for("certificate reloaded", count=reloaded + path.workers)
    assert {answer.status for answer in device.ask_all_workers()} == {200}


@both_versions
def test_a_blocked_device_does_not_come_in_with_a_ticket(path: DataPath, version: ssl.TLSVersion) -> None:
    device = Device(path, path.certificates.client("PC2"), version)
    assert device.ask().status == 200
    path.change_everywhere(blocked_certificates=(fingerprint_of(path.certificates.client("PC2")),))
    assert {answer.reason for answer in device.ask_all_workers()} == {"CMGService_ClientCertificateBlocked"}
    path.change_everywhere(blocked_certificates=())
    assert {answer.status for answer in device.ask_all_workers()} == {200}


@both_versions
def test_a_device_whose_root_is_gone_does_not_come_in_with_a_ticket(path: DataPath, version: ssl.TLSVersion) -> None:
    second = certificates("second")
    roots = path.settings.trusted_roots
    path.change_everywhere(trusted_roots=(*roots, second.authority.pem.decode()))
    guest = Device(path, second.client("GUEST1"), version)
    assert guest.ask().status == 200
    path.change_everywhere(trusted_roots=roots)
    assert {answer.reason for answer in guest.ask_all_workers()} == {"CMGService_ClientCertificateUntrusted"}


def test_a_certificate_that_ends_ends_with_a_ticket_too(path: DataPath) -> None:
    pair = path.certificates.client("SHORT", lifetime=dt.timedelta(seconds=8))
    devices = [Device(path, pair, version) for version in VERSIONS]
    assert [device.ask().status for device in devices] == [200] * len(devices)
    for device in devices:
        wait_until(lambda one=device: one.ask().status == 403, what="the certificate's end")  # type: ignore[misc]
        assert {answer.reason for answer in device.ask_all_workers()} == {"CMGService_ClientCertificateExpired"}


@both_versions
def test_a_ticket_without_a_certificate_brings_no_identity(path: DataPath, version: ssl.TLSVersion) -> None:
    with path.connect(version=version) as client:
        assert client.ask("GET", "/app/x").status == 200
        session = client.socket.session
    with path.connect(version=version, session=session) as client:
        assert client.ask("GET", TARGET).reason == "CMGConnector_ClientCertificateRequired"
        assert client.socket.session_reused


def test_replaced_workers_have_new_keys_and_old_tickets_lead_to_a_full_handshake(path: DataPath) -> None:
    devices = [Device(path, path.device, version) for version in VERSIONS]
    for device in devices:
        assert device.ask().status == 200
    replaced = len(path.gateway.events("worker replaced"))
    path.gateway.signal(signal.SIGUSR2)
    path.gateway.wait_for("worker replaced", count=replaced + path.workers)
    for device in devices:
        assert device.ask().status == 200
        assert not device.resumed
        device.ask_all_workers()


def test_without_tickets_nobody_gets_one(own_path: Callable[..., DataPath]) -> None:
    path = own_path(gateway={"service": {"session_tickets": False}}, workers=1)
    for version in VERSIONS:
        device = Device(path, path.device, version)
        assert device.ask().status == 200
        assert device.session is None or not device.session.has_ticket
