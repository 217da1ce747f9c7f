"""Checks of a site: its files, its database, its ports, and what it would publish."""

import socket
from collections.abc import Callable
from pathlib import Path

from cryptography import x509

from causeway.errors import CausewayError, OperatorError
from causeway.observability.checks import CheckResult, Status
from causeway.pki.in_use import ExpiresSoon, term_of
from causeway.pki.key_rights import check_key_rights
from causeway.pki.keys import load_signing_key
from causeway.site.config import Approval, SiteConfig
from causeway.site.context import InForce
from causeway.site.database import Database, database_name
from causeway.site.http_server import listen
from causeway.site.revocation.check import check_chains, check_lists
from causeway.site.settings import build_content
from causeway.site.tls import ServerTls
from causeway.site.trust import read_certificates


def check(config: SiteConfig) -> list[CheckResult]:
    """Look at every file that the site needs, at its database, and at the ports it is to listen on."""
    server = config.server
    return [
        _attempt("server certificate", server.certificate, lambda: _certificate(config)),
        _attempt("client authority", server.client_authority, lambda: _authorities([server.client_authority])),
        *_point_authority(config),
        _attempt("site signing key", config.site.signing_certificate, lambda: _signing(config)),
        _attempt("settings key", config.gateway.settings_key, lambda: _settings_key(config)),
        *check_key_rights(server.key, config.site.signing_key, config.gateway.settings_key),
        _trusted_roots(config),
        *_client_authorities(config),
        _attempt("gateway settings", config.gateway.service_name, lambda: _settings(config)),
        _attempt("database", database_name(config.database), lambda: _database(config)),
        *(_port(address, port, name) for address, port, name in _ports(config)),
    ]


def _attempt(name: str, target: Path | str, look: Callable[[], str]) -> CheckResult:
    try:
        return CheckResult(name, str(target), Status.PASS, look())
    except (CausewayError, OSError, ValueError) as error:
        message, _, action = str(error).removeprefix(f"{target}: ").partition("; ")
        status = Status.WARN if isinstance(error, ExpiresSoon) else Status.FAIL
        return CheckResult(name, str(target), status, message, action or "correct the file or its path")


def _certificate(config: SiteConfig) -> str:
    ServerTls(config.server, lambda _failure: None)
    certificate = read_certificates([config.server.certificate])[0]
    names = _names(certificate)
    if not any(_matches(config.server.public_name, name) for name in names):
        raise OperatorError(
            f"it is for {', '.join(names) or 'no name'}, and not for {config.server.public_name}; "
            "get one for that name, or correct server.public_name"
        )
    return f"{', '.join(names)}, {term_of(certificate)}"


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [
        *names.get_values_for_type(x509.DNSName),
        *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    ]


def _matches(wanted: str, name: str) -> bool:
    if name.startswith("*."):
        return wanted.lower().partition(".")[2] == name[2:].lower()
    return wanted.lower() == name.lower()


def _authorities(paths: list[Path]) -> str:
    return "; ".join(one.subject.rfc4514_string() for one in read_certificates(paths))


def _point_authority(config: SiteConfig) -> list[CheckResult]:
    path = config.server.connection_point_authority
    return [] if path is None else [_attempt("connection point authority", path, lambda: _authorities([path]))]


def _signing(config: SiteConfig) -> str:
    signing = InForce.read(config).site_signing
    return signing.certificate.subject.rfc4514_string()


def _settings_key(config: SiteConfig) -> str:
    load_signing_key(config.gateway.settings_key)
    return "an Ed25519 key"


def _trusted_roots(config: SiteConfig) -> CheckResult:
    point = config.management_point
    name, target = "trusted roots", f'approval = "{point.approval}"'
    if point.approval is not Approval.TRUSTED_ROOT:
        return CheckResult(name, target, Status.SKIP, "not used by this kind of approval")
    if not point.trusted_roots:
        details = "none, so only devices that a gateway has verified are approved as they register"
        return CheckResult(name, target, Status.PASS, details)
    return _attempt(name, target, lambda: _authorities(list(point.trusted_roots)))


def _client_authorities(config: SiteConfig) -> list[CheckResult]:
    """Nothing where the files cannot be read: the gateway settings cannot be made, either, and say why."""
    try:
        authorities = tuple(read_certificates(config.gateway.trusted_roots))
    except OperatorError:
        return []
    return [*check_chains(authorities), *check_lists(config.revocation, authorities)]


def _settings(config: SiteConfig) -> str:
    settings = build_content(config).settings
    return f"{len(settings.endpoints)} endpoints, {len(settings.trusted_roots)} trusted roots"


def _database(config: SiteConfig) -> str:
    database = Database(config.database)
    try:
        return database.describe()
    finally:
        database.close()


def _ports(config: SiteConfig) -> list[tuple[str, int, str]]:
    ports = [(config.server.address, config.server.port, "server port")]
    if config.server.http_port is not None:
        ports.append((config.server.address, config.server.http_port, "plain HTTP port"))
    return [*ports, (config.admin.address, config.admin.port, "admin port")]


def _port(address: str, port: int, name: str) -> CheckResult:
    target = f"{address}:{port}"
    try:
        listen(address, port, name).close()
    except OperatorError as error:
        if _is_served(address, port):
            return CheckResult(name, target, Status.SKIP, "in use, as when the site runs")
        cause = error.__cause__
        details = (cause.strerror if isinstance(cause, OSError) else None) or str(error)
        return CheckResult(name, target, Status.FAIL, details, "choose another address or port")
    return CheckResult(name, target, Status.PASS, "free")


def _is_served(address: str, port: int) -> bool:
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104  # compared, not bound
    try:
        socket.create_connection((local, port), timeout=2.0).close()
    except OSError:
        return False
    return True
