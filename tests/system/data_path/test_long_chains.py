"""Chains and tokens with ten thousand certificates: refused soon and in bounded memory, while others are served."""

import base64
import contextlib
import dataclasses
import datetime as dt
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jwt
import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from causeway.pki.roles import Role
from tests.system.certificates import Pair
from tests.system.data_path.path import MUTUAL, DataPath
from tests.system.data_path.test_tokens import endpoints, token
from tests.system.data_path.tunnel_peer import TunnelPeer
from tests.system.memory import MemoryWatch
from tests.system.processes import wait_until
from tests.unit.identity.tokens import SETTINGS

pytestmark = [pytest.mark.measures]

MIB = 1024 * 1024
TARGET = f"{MUTUAL}/SMS_MP/x"
TOO_MANY = 10_000
MOST_THAT_TLS_ADMITS = 300  # OpenSSL reads a hundred kilobytes of certificates
ROUNDS = 10
SLOWEST_S = 3.0  # for a good client meanwhile, on a machine that has other things to do


def certificate(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, signed_with: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    start = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(signed_with, SHA256())
    )


KEY = ec.generate_private_key(ec.SECP256R1())
ROOT = certificate("root", x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")]), KEY, KEY)


def chain(count: int) -> list[x509.Certificate]:
    """So many certificates below a root that allows any number: the leaf first."""
    found = [ROOT]
    for number in range(count):
        found.append(certificate(f"PC{number}", found[-1].subject, KEY, KEY))
    return found[:0:-1]


def pair_of(count: int, folder: Path) -> Pair:
    pair = Pair(folder / f"chain-{count}.pem", folder / f"chain-{count}.key")
    pair.certificate.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in chain(count)))
    pair.key.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pair


def trust_root(path: DataPath) -> None:
    """So that nothing but its length is wrong with a chain."""
    pem = ROOT.public_bytes(Encoding.PEM).decode()
    path.change_everywhere(trusted_roots=(*path.settings.trusted_roots, pem))


@contextlib.contextmanager
def good_clients(path: DataPath) -> Iterator[list[float]]:
    """One at each worker, asking all the time; how long each answer took, in seconds."""
    took: list[float] = []
    over = threading.Event()
    clients = path.connect_to_every_worker(path.device)

    def ask() -> None:
        while not over.is_set():
            for client in clients:
                began = time.monotonic()
                assert client.ask("GET", TARGET).status == 200
                took.append(time.monotonic() - began)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()
        for client in clients:
            client.close()


def workers_cpu_s(path: DataPath) -> float:
    processes = psutil.Process(path.gateway.pid).children(recursive=True)
    return float(sum(sum(process.cpu_times()[:2]) for process in processes))


@pytest.mark.parametrize(("count", "reason"), [(TOO_MANY, "protocol"), (MOST_THAT_TLS_ADMITS, "certificate_untrusted")])
def test_a_handshake_with_a_chain_without_end_fails_soon_and_in_bounded_memory(
    own_path: Callable[..., DataPath], tmp_path: Path, count: int, reason: str
) -> None:
    path = own_path()
    trust_root(path)
    pair = pair_of(count, tmp_path)
    before = workers_cpu_s(path)
    with good_clients(path) as took, MemoryWatch(path.gateway.resident_bytes()) as memory:
        for _ in range(ROUNDS):
            with pytest.raises((ssl.SSLError, ConnectionError)), path.connect(pair) as client:
                client.ask("GET", "/app/x")
        failed = path.gateway.wait_for("handshake failed", reason=reason, count=ROUNDS)
        assert len(failed) == ROUNDS
        asked = len(took)
        wait_until(lambda: len(took) > asked + 10)
    # A handshake takes some 40 ms of a processor; what the good clients cost beside them is in here, too.
    assert workers_cpu_s(path) - before < ROUNDS * 0.5
    assert max(took) < SLOWEST_S
    assert max(memory.grown_bytes.values()) < 30 * MIB


def test_a_long_chain_that_openssl_takes_is_refused_since_its_intermediates_are_not_trusted(
    own_path: Callable[..., DataPath], tmp_path: Path
) -> None:
    path = own_path(workers=1)
    trust_root(path)
    with path.connect(pair_of(60, tmp_path)) as client:
        answer = client.ask("GET", TARGET)
        assert (answer.status, answer.reason) == (403, "CMGService_ClientCertificateUntrusted")
        (line,) = path.gateway.wait_for("refused", request_id=answer.request_id)
        assert "the certificate of CN=PC58 is missing" in line["details"]


def test_settings_that_trust_ten_thousand_certificates_are_refused_before_any_is_read(
    own_path: Callable[..., DataPath],
) -> None:
    path = own_path(workers=1)
    pem = "".join(one.public_bytes(Encoding.PEM).decode() for one in chain(TOO_MANY))
    version = path.settings.version + 1
    next(path._versions)
    # The site itself would not publish it, so it is signed by hand.
    content = {**dataclasses.asdict(path.settings), "version": version, "trusted_roots": [pem]}
    header = {"typ": "causeway-gateway-settings"}
    signed = jwt.PyJWS().encode(json.dumps(content).encode(), path.site.signing_key, "EdDSA", header)
    with good_clients(path) as took, MemoryWatch(path.gateway.resident_bytes()) as memory:
        pair = path.certificates.client("courier", Role.CONNECTION_POINT)
        with TunnelPeer(path.tunnel_port, path.certificates.root, pair) as courier:
            courier.hello("courier")
            courier.offer(signed.encode())
            (refused,) = path.gateway.wait_for("settings refused", word="GatewaySettingsInvalid")
        assert "expected at most 1000 certificates, not 10000" in refused["reason"]
        # A connection point does not even bring it.
        path.site.publish_bytes(version, signed.encode())
        path.points["cp1"].wait_for("no settings from the site", reason=refused["reason"])
        asked = len(took)
        wait_until(lambda: len(took) > asked + 10)
    assert max(took) < SLOWEST_S
    assert max(memory.grown_bytes.values()) < 60 * MIB
    path.change_everywhere(service_name="after")


def test_a_token_with_ten_thousand_certificates_in_its_header_is_refused(own_path: Callable[..., DataPath]) -> None:
    path = own_path(workers=1)
    path.change_everywhere(site_tokens=SETTINGS, endpoints=(*path.settings.endpoints, *endpoints(path)))
    good = token()
    fields = json.loads(base64.urlsafe_b64decode(good.partition(".")[0] + "=="))

    def with_certificates(count: int) -> str:
        head = base64.urlsafe_b64encode(json.dumps({**fields, "x5c": ["MA=="] * count}).encode()).rstrip(b"=").decode()
        return f"{head}.{good.partition('.')[2]}"

    with MemoryWatch(path.gateway.resident_bytes()) as memory:
        for count, status, word in (
            (100, 401, "CMGService_Invalid_Token"),
            (1200, 401, "CMGService_Invalid_Token"),
            (TOO_MANY, 431, "CMGService_HeadTooLarge"),
        ):
            with path.connect() as client:
                answer = client.ask("GET", "/devices/x", f"Authorization: Bearer {with_certificates(count)}")
                assert (answer.status, answer.reason) == (status, word)
        with path.connect() as client:
            assert client.ask("GET", "/devices/x", f"Authorization: Bearer {good}").status == 200
    assert max(memory.grown_bytes.values()) < 20 * MIB
