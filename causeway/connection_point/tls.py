"""TLS contexts of the connection point: all of them verify."""

import ssl
from pathlib import Path

from causeway.connection_point.config import ConnectionPointConfig, GatewaySection
from causeway.errors import StateError
from causeway.tunnel.handshake import ALPN


def gateway_context(config: ConnectionPointConfig, gateway: GatewaySection) -> ssl.SSLContext:
    """For tunnels: the gateway's name is verified, and our certificate shown.

    Raises:
        StateError: a file is missing or does not fit.
    """
    context = _client_context(gateway.authority)
    context.set_alpn_protocols([ALPN])
    _load(context, config.identity.certificate, config.identity.key)
    return context


def site_context(config: ConnectionPointConfig) -> ssl.SSLContext:
    """For the gateway settings.

    Raises:
        StateError: a file is missing or does not fit.
    """
    context = _client_context(config.site.authority)
    _load(context, config.identity.certificate, config.identity.key)
    return context


def site_system_context(config: ConnectionPointConfig) -> ssl.SSLContext:
    """For site systems: with a client certificate where one is set.

    Raises:
        StateError: a file is missing or does not fit.
    """
    systems = config.site_systems
    context = _client_context(systems.authority)
    context.set_alpn_protocols(["http/1.1"])
    if systems.certificate is not None:
        _load(context, systems.certificate, systems.key or systems.certificate)
        # IIS decides by the path whether it wants a certificate, and in TLS 1.3 asks after the handshake.
        context.post_handshake_auth = True
    return context


def _client_context(authority: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise StateError(f"{authority}: the authority's certificate cannot be used: {_reason(error)}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise StateError(
            f"{certificate}: the certificate and its key {key} cannot be used: {_reason(error)}"
        ) from error


def _reason(error: OSError | ssl.SSLError) -> str:
    return getattr(error, "reason", None) or error.strerror or str(error)
