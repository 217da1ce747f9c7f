"""The gateway's two TLS contexts: for devices and for connection points."""

import ssl
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.errors import StateError
from causeway.gateway.config import GatewayConfig
from causeway.gateway.ticket_keys import harden
from causeway.tunnel.handshake import ALPN

_CHEAP_TICKETS = (3, 5)


def service_context(config: GatewayConfig, trusted_roots: tuple[str, ...]) -> ssl.SSLContext:
    """For devices: a client certificate is asked for, verified when presented, never demanded.

    Without trusted roots none is asked for: any that came would break the handshake.

    Raises:
        StateError: the server certificate or its key is missing or does not fit, or a trusted root is no certificate.
    """
    context = _server_context(config)
    context.set_alpn_protocols(["http/1.1"])
    if config.service.session_tickets:
        context.num_tickets = _tickets_worth_issuing(config.service.certificate)
    if trusted_roots:
        context.verify_mode = ssl.CERT_OPTIONAL
        _trust(context, trusted_roots)
    return context


def tunnel_context(config: GatewayConfig) -> ssl.SSLContext:
    """For connection points: a certificate of the site's authority is demanded; its role is checked afterwards.

    Raises:
        StateError: a file is missing or does not fit.
    """
    context = _server_context(config)
    context.set_alpn_protocols([ALPN])
    context.verify_mode = ssl.CERT_REQUIRED
    load_authority(context, config.tunnel.authority)
    return context


def load_authority(context: ssl.SSLContext, path: Path) -> None:
    """Trust the certificates in ``path``.

    Raises:
        StateError: missing or no certificates.
    """
    try:
        context.load_verify_locations(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise StateError(f"{path}: the authority's certificate cannot be used: {_reason(error)}") from error


def _trust(context: ssl.SSLContext, trusted_roots: tuple[str, ...]) -> None:
    """In DER, since OpenSSL by way of Python takes no PEM with comments in other letters than ASCII."""
    try:
        certificates = [one for pem in trusted_roots for one in x509.load_pem_x509_certificates(pem.encode())]
        context.load_verify_locations(cadata=b"".join(one.public_bytes(Encoding.DER) for one in certificates))
    except (ValueError, ssl.SSLError) as error:
        raise StateError(f"the trusted roots of the gateway settings cannot be used: {error}") from error


def _server_context(config: GatewayConfig) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    harden(context)
    service = config.service
    try:
        context.load_cert_chain(service.certificate, service.key)
    except (OSError, ssl.SSLError) as error:
        raise StateError(
            f"{service.certificate}: the server certificate and its key {service.key} cannot be used: {_reason(error)}"
        ) from error
    return context


def _tickets_worth_issuing(certificate: Path) -> int:
    """How many tickets a TLS 1.3 client gets.

    A ticket carries the client's certificate. Older OpenSSL parses it at every turn, which costs more than the
    signature that resuming saves, unless that is an RSA one. (In TLS 1.2 a ticket always pays.)
    """
    if ssl.OPENSSL_VERSION_INFO >= _CHEAP_TICKETS:
        return 1
    try:
        leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
        return 1 if isinstance(leaf.public_key(), rsa.RSAPublicKey) else 0
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise StateError(f"{certificate}: the server certificate cannot be read: {error}") from error


def _reason(error: OSError | ssl.SSLError) -> str:
    return getattr(error, "reason", None) or error.strerror or str(error)
