"""The gateway's two TLS contexts: for devices and for connection points."""

import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.errors import StateError
from causeway.gateway.config import GatewayConfig
from causeway.tunnel.handshake import ALPN


def service_context(config: GatewayConfig, trusted_roots: tuple[str, ...]) -> ssl.SSLContext:
    """For devices: a client certificate is asked for, verified when presented, never demanded.

    Without trusted roots none is asked for: any that came would break the handshake.

    Raises:
        StateError: the server certificate or its key is missing or does not fit.
    """
    context = _server_context(config)
    context.set_alpn_protocols(["http/1.1"])
    if trusted_roots:
        context.verify_mode = ssl.CERT_OPTIONAL
        # In DER, since OpenSSL by way of Python takes no PEM with comments in other letters than ASCII.
        certificates = [one for pem in trusted_roots for one in x509.load_pem_x509_certificates(pem.encode())]
        context.load_verify_locations(cadata=b"".join(one.public_bytes(Encoding.DER) for one in certificates))
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


def _server_context(config: GatewayConfig) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    # A ticket carries the client's certificate and costs more to issue than resuming saves; and what is not resumed is
    # verified. (TLS 1.2 resumes without tickets, too: see ``Worker._forget_sessions``.)
    context.num_tickets = 0
    service = config.service
    try:
        context.load_cert_chain(service.certificate, service.key)
    except (OSError, ssl.SSLError) as error:
        raise StateError(
            f"{service.certificate}: the server certificate and its key {service.key} cannot be used: {_reason(error)}"
        ) from error
    return context


def _reason(error: OSError | ssl.SSLError) -> str:
    return getattr(error, "reason", None) or error.strerror or str(error)
