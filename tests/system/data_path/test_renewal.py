"""Certificates that are renewed while everything runs: nobody is told, and nothing fails."""

import datetime as dt
import re
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

from cryptography import x509

from causeway.configuration import load
from causeway.gateway.check import check as check_gateway
from causeway.gateway.config import GatewayConfig
from causeway.observability.checks import Status
from causeway.pki.export import key_pem
from causeway.pki.keys import new_p256_key
from causeway.pki.requests import ServerNames, new_request
from causeway.pki.roles import Role
from causeway.tunnel.handshake import ALPN
from tests.system.cert.running import cert
from tests.system.certificates import Pair, certificates
from tests.system.data_path.path import DataPath, endpoint
from tests.system.origin import Exchange, Origin
from tests.system.processes import wait_until
from tests.system.reliability.load import Load


def served_serial(port: int, *, alpn: str = "http/1.1") -> int:
    """The serial number of the certificate that openssl is shown at a port of this machine."""
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-alpn", alpn],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    ).stdout
    pem = re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", shown, re.DOTALL)
    assert pem is not None, shown
    return x509.load_pem_x509_certificate(pem[0].encode()).serial_number


def serial_of(path: Path) -> int:
    return x509.load_pem_x509_certificate(path.read_bytes()).serial_number


def test_cert_renew_under_load_fails_no_request_and_needs_no_signal(
    own_path: Callable[..., DataPath], tmp_path: Path
) -> None:
    authority = certificates("site").folder
    issued = cert("issue", "--authority", authority, "--name", "localhost", cwd=tmp_path)
    assert issued.returncode == 0, issued.stderr
    current = tmp_path / "certificate" / "current"
    files = {"certificate": str(current / "server.pem"), "key": str(current / "server.key")}
    path = own_path(gateway={"service": files})
    first = serial_of(current / "server.pem")
    with path.connect() as standing, Load(path, "/app/x", kept=4, fresh=4) as load:
        assert standing.ask("GET", "/app/x").status == 200
        for _ in range(2):
            before = serial_of(current / "server.pem")
            assert served_serial(path.port) == before
            renewed = cert("renew", cwd=tmp_path)
            assert renewed.returncode == 0, renewed.stderr
            serial = serial_of(current / "server.pem")
            assert serial != before
            path.gateway.wait_for("certificate in force", serial=f"{serial:x}", count=path.workers)
            assert {served_serial(path.port) for _ in range(4)} == {serial}
            assert served_serial(path.tunnel_port, alpn=ALPN) == serial
        report = load.stop()
        assert standing.ask("GET", "/app/x").status == 200
    assert report.done
    assert not report.failures
    assert not path.gateway.events("certificate reloaded")
    assert first not in {served_serial(path.port), serial}
    ends = x509.load_pem_x509_certificate((current / "server.pem").read_bytes()).not_valid_after_utc.timestamp()
    name = "causeway_gateway_certificate_not_after_seconds"
    assert path.gateway.metric(name, certificate="server") == ends * path.workers


def test_a_key_that_does_not_fit_yet_is_waited_for(own_path: Callable[..., DataPath], tmp_path: Path) -> None:
    site = certificates("site")
    pair = Pair(tmp_path / "server.pem", tmp_path / "server.key")
    site.authority.issue_server(["localhost"], new_p256_key(), Role.GATEWAY).write(pair.certificate, pair.key)
    files = {"certificate": str(pair.certificate), "key": str(pair.key)}
    path = own_path(workers=1, gateway={"service": files})
    before = serial_of(pair.certificate)
    issued = site.authority.issue_server(["localhost"], new_p256_key(), Role.GATEWAY)
    pair.key.write_bytes(issued.key_pem)
    path.gateway.wait_for("the certificate cannot be used, the one in force stays")
    assert served_serial(path.port) == before
    pair.certificate.write_bytes(issued.certificate_pem[:200])
    path.gateway.wait_for("the certificate cannot be used, the one in force stays", count=2)
    assert served_serial(path.port) == before
    pair.certificate.write_bytes(issued.certificate_pem)
    after = serial_of(pair.certificate)
    path.gateway.wait_for("certificate in force", serial=f"{after:x}")
    assert served_serial(path.port) == after


def test_a_connection_point_shows_its_renewed_certificate_to_site_system_site_and_gateway(
    own_path: Callable[..., DataPath], tmp_path: Path
) -> None:
    site = certificates("site")
    role = Pair(tmp_path / "role.pem", tmp_path / "role.key")

    def renew() -> str:
        site.authority.issue_client("cp1", new_p256_key(), Role.CONNECTION_POINT).write(role.certificate, role.key)
        return f"{serial_of(role.certificate):x}"

    renew()
    files = {"certificate": str(role.certificate), "key": str(role.key)}
    path = own_path(workers=1, point={"identity": files, "site_systems": {"authority": str(site.root), **files}})
    shown: list[int] = []
    system = _demanding(path, shown)
    point = path.points["cp1"]
    try:
        path.publish_also(endpoint("careful", "/careful", system.url))
        with path.connect() as client:
            assert client.ask("GET", "/careful/x").status == 200
            assert shown == [serial_of(role.certificate)]
            serial = renew()
            for name in ("role", "site_systems"):
                point.wait_for("certificate in force", certificate=name, serial=serial)
            system.close_connections()
            wait_until(lambda: not system.open_connections)
            assert client.ask("GET", "/careful/x").status == 200
            assert shown[-1] == serial_of(role.certificate)
        path.change_everywhere(service_name="another")  # the site is asked on, with the new certificate
        ends = x509.load_pem_x509_certificate(role.certificate.read_bytes()).not_valid_after_utc.timestamp()
        assert point.metric("causeway_connection_point_certificate_not_after_seconds") == 2 * ends
    finally:
        system.close()


def _demanding(path: DataPath, shown: list[int]) -> Origin:
    """A site system that demands a client certificate, and notes the serial numbers of those that it was shown."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=path.certificates.root)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(*path.certificates.server("localhost", role=Role.SITE_SYSTEM).both)
    system = Origin(context)

    def note(exchange: Exchange) -> None:
        sock = exchange._socket
        assert isinstance(sock, ssl.SSLSocket)
        der = sock.getpeercert(binary_form=True)
        assert der is not None
        shown.append(x509.load_der_x509_certificate(der).serial_number)
        exchange.answer(b"")

    system.on("/x", note)
    return system


def test_a_certificate_near_its_end_is_told_of_in_the_log_and_by_the_check(
    own_path: Callable[..., DataPath], tmp_path: Path
) -> None:
    authority = certificates("site").authority
    key = new_p256_key()
    pem = authority.sign_server_request(
        new_request(ServerNames("localhost"), key), ["localhost"], lifetime=dt.timedelta(days=20)
    )
    (tmp_path / "server.pem").write_bytes(pem)
    (tmp_path / "server.key").write_bytes(key_pem(key, None))
    files = {"certificate": str(tmp_path / "server.pem"), "key": str(tmp_path / "server.key")}
    path = own_path(workers=1, gateway={"service": files})
    (warned,) = path.gateway.wait_for("certificate expires soon")
    assert (warned["certificate"], warned["days_left"]) == ("server", 19)
    results = {one.name: one for one in check_gateway(load(path.gateway_config, GatewayConfig))}
    assert results["gateway certificate"].status is Status.WARN
    assert results["gateway certificate"].details == "expires in 19 days"
