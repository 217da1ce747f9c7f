"""Checks of a gateway's configuration, before it is started or while it runs."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

from cryptography import x509

from causeway.errors import OperatorError
from causeway.gateway.config import GatewayConfig
from causeway.gateway.tls import service_context, tunnel_context
from causeway.gateway.worker import SETTINGS_FILE
from causeway.gateway_settings import SettingsStore
from causeway.observability.checks import CheckResult, Status
from causeway.pki.in_use import ExpiresSoon, term_of
from causeway.pki.key_rights import check_key_rights
from causeway.pki.keys import load_verification_key


def check(config: GatewayConfig) -> list[CheckResult]:
    """Look at every file that the gateway needs and at the ports it is to listen on."""
    return [
        _attempt("gateway certificate", config.service.certificate, lambda: _certificate(config)),
        *check_key_rights(config.service.key),
        _attempt("connection point authority", config.tunnel.authority, lambda: _authority(config)),
        _attempt("site key", config.site_key, lambda: _site_key(config)),
        _attempt("gateway settings", config.state, lambda: _settings(config)),
        *(_port(address, port, purpose) for address, port, purpose in _ports(config)),
    ]


def _attempt(name: str, target: Path, look: Callable[[], str]) -> CheckResult:
    try:
        return CheckResult(name, str(target), Status.PASS, look())
    except (OperatorError, OSError, ValueError) as error:
        message, _, action = str(error).removeprefix(f"{target}: ").partition("; ")
        status = Status.WARN if isinstance(error, ExpiresSoon) else Status.FAIL
        return CheckResult(name, str(target), status, message, action or "correct the file or its path")


def _certificate(config: GatewayConfig) -> str:
    service_context(config, ())
    certificate = x509.load_pem_x509_certificate(config.service.certificate.read_bytes())
    return f"{certificate.subject.rfc4514_string()}, {term_of(certificate)}"


def _authority(config: GatewayConfig) -> str:
    tunnel_context(config)
    certificate = x509.load_pem_x509_certificate(config.tunnel.authority.read_bytes())
    return certificate.subject.rfc4514_string()


def _site_key(config: GatewayConfig) -> str:
    load_verification_key(config.site_key)
    return "an Ed25519 key"


def _settings(config: GatewayConfig) -> str:
    store = SettingsStore(config.state / SETTINGS_FILE, load_verification_key(config.site_key))
    settings = store.load()
    return "none yet; a connection point brings them" if settings is None else f"version {settings.version}"


def _ports(config: GatewayConfig) -> list[tuple[str, int, str]]:
    tunnels = [(config.tunnel.address, config.tunnel.port + n, "tunnel port") for n in range(config.workers)]
    return [
        (config.service.address, config.service.port, "service port"),
        *tunnels,
        (config.admin.address, config.admin.port, "admin port"),
    ]


def _port(address: str, port: int, name: str) -> CheckResult:
    """Free, or held by a gateway that runs already; anything else is in the way."""
    target = f"{address}:{port}"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if name != "admin port" and _speaks_tls(address, port):
                return CheckResult(name, target, Status.PASS, "in use by a TLS server, as when the gateway runs")
            if name == "admin port" and _speaks_http(address, port):
                return CheckResult(name, target, Status.PASS, "in use by a health endpoint, as when the gateway runs")
            return CheckResult(
                name, target, Status.FAIL, error.strerror or str(error), "free the port or choose another"
            )
    return CheckResult(name, target, Status.PASS, "free")


def _connect(address: str, port: int) -> socket.socket:
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104  # compared, not bound
    return socket.create_connection((local, port), timeout=2.0)


def _speaks_tls(address: str, port: int) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        with _connect(address, port) as sock, context.wrap_socket(sock, server_hostname="localhost"):
            return True
    except ssl.SSLCertVerificationError:
        return True  # it sent a certificate, which is all we ask
    except OSError:
        return False


def _speaks_http(address: str, port: int) -> bool:
    try:
        with _connect(address, port) as sock:
            sock.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            return b'"healthy"' in sock.recv(4096) + sock.recv(4096)
    except OSError:
        return False
