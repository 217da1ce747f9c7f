"""Ticket keys: shared by all who have the same, and gone with their day."""

import contextlib
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from causeway.gateway.ticket_keys import DAY_S, TicketKeys
from tests.unit.certificates import root

START = 1000.0
both_versions = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    server = root("server", extensions=())
    path = tmp_path_factory.mktemp("server") / "server.pem"
    key = server.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(key + server.pem.encode())
    return path


class Client:
    """Comes with the session that it took home the last time."""

    def __init__(self, version: ssl.TLSVersion) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        self.context.minimum_version = self.context.maximum_version = version
        self.session: ssl.SSLSession | None = None

    def resumes(self, worker: "Worker", now: float = START) -> bool:
        """Shake hands; whether the session was resumed."""
        up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = self.context.wrap_bio(down, up, session=self.session)
        server = worker.wrap(up, down, now)
        for _ in range(4):
            for end in (client, server):
                with contextlib.suppress(ssl.SSLWantReadError):
                    end.do_handshake()
        server.write(b"x")
        assert client.read() == b"x"
        assert server.session_reused == client.session_reused
        self.session = client.session
        return bool(client.session_reused)


class Worker:
    """What a worker does with ticket keys: sessions are theirs, the certificate is in a context of its own."""

    def __init__(self, keys: TicketKeys, certificate: Path, *, tickets: int = 1) -> None:
        self.keys = keys
        self.tickets = tickets
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)

    def wrap(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, now: float) -> ssl.SSLObject:
        sessions = self.keys.context(now)
        sessions.num_tickets = self.tickets
        server = sessions.wrap_bio(incoming, outgoing, server_side=True)
        server.context = self.context
        return server


@both_versions
def test_a_ticket_is_good_at_another_worker_with_the_same_keys(version: ssl.TLSVersion, certificate: Path) -> None:
    keys, client = TicketKeys(START, tickets=True, days=2), Client(version)
    assert not client.resumes(Worker(keys, certificate))
    assert client.resumes(Worker(keys, certificate))
    assert client.resumes(Worker(keys, certificate))


@both_versions
def test_a_ticket_of_other_keys_leads_to_a_full_handshake(version: ssl.TLSVersion, certificate: Path) -> None:
    client = Client(version)
    assert not client.resumes(Worker(TicketKeys(START, tickets=True, days=2), certificate))
    assert not client.resumes(Worker(TicketKeys(START, tickets=True, days=2), certificate))


@both_versions
def test_a_ticket_is_good_until_its_day_is_over(version: ssl.TLSVersion, certificate: Path) -> None:
    worker, client = Worker(TicketKeys(START, tickets=True, days=2), certificate), Client(version)
    assert not client.resumes(worker)
    assert client.resumes(worker, START + DAY_S - 1)
    assert not client.resumes(worker, START + DAY_S)
    assert client.resumes(worker, START + DAY_S)


def test_every_day_has_keys_of_its_own_beyond_those_made_ahead_too(certificate: Path) -> None:
    keys = TicketKeys(START, tickets=True, days=2)
    contexts = [keys.context(START + day * DAY_S) for day in range(5)]
    assert len(set(map(id, contexts))) == 5
    assert keys.context(START + 4 * DAY_S + 1) is contexts[-1]
    worker, client = Worker(keys, certificate), Client(ssl.TLSVersion.TLSv1_3)
    assert not client.resumes(worker, START + 9 * DAY_S)
    assert client.resumes(worker, START + 9 * DAY_S)


def test_whoever_leaves_comes_back_with_the_next_day() -> None:
    keys = TicketKeys(START, tickets=True, days=2)
    tomorrow = keys._ahead[-1]
    today = keys.context(START)
    keys.leave()
    assert keys.context(START) is not today
    assert keys.context(START + DAY_S) is tomorrow


@both_versions
def test_without_tickets_none_is_issued(version: ssl.TLSVersion, certificate: Path) -> None:
    client = Client(version)
    client.resumes(Worker(TicketKeys(START, tickets=False, days=2), certificate, tickets=0))
    assert client.session is None or not client.session.has_ticket
