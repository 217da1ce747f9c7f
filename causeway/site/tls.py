"""The TLS of the site's server: its certificate, whose client certificates it accepts, and handshakes that fail."""

import ssl
from collections.abc import Callable

from causeway.errors import OperatorError
from causeway.site.config import ServerConfig
from causeway.site.errors import HandshakeFailed


class _ObservedTls(ssl.SSLObject):
    """Tells of handshakes that fail; asyncio does not, and a connection that never was has no protocol."""

    on_failed: Callable[[HandshakeFailed], None]

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except _NO_FAILURE:
            raise
        except ssl.SSLError as error:
            self.on_failed(HandshakeFailed(getattr(error, "verify_message", "") or error.reason or str(error)))
            raise


# A handshake goes on in several steps; and a client that goes away (a port check, above all) has not been refused.
_NO_FAILURE = (
    ssl.SSLWantReadError,
    ssl.SSLWantWriteError,
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
    ssl.SSLSyscallError,
)


def tls_context(config: ServerConfig, on_failed: Callable[[HandshakeFailed], None]) -> ssl.SSLContext:
    """TLS 1.2 and 1.3; a client certificate is asked for and, when shown, verified by the handshake.

    Args:
        config: names the files.
        on_failed: told of each handshake that failed. The client's address is not known at that place.

    Raises:
        OperatorError: a file is missing, unreadable, no PEM, or the key is not the certificate's.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = type("ObservedTls", (_ObservedTls,), {"on_failed": staticmethod(on_failed)})
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_OPTIONAL
    # Intermediates in the bundle are trusted as they stand: an authority may be known without its root.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    load_certificates(context, config)
    return context


def load_certificates(context: ssl.SSLContext, config: ServerConfig) -> None:
    """Load the server's certificate and the client authorities, again where they were renewed.

    New connections use them. An authority that left the bundle stays trusted until the site is restarted.

    Raises:
        OperatorError: as for ``tls_context``.
    """
    try:
        context.load_cert_chain(config.certificate, config.key)
    except (OSError, ssl.SSLError) as error:
        raise OperatorError(
            f"{config.certificate} and {config.key}: not a certificate and its key: {_why(error)}"
        ) from error
    try:
        context.load_verify_locations(config.client_authority)
    except (OSError, ssl.SSLError) as error:
        raise OperatorError(f"{config.client_authority}: no authorities in PEM form: {_why(error)}") from error


def _why(error: OSError) -> str:
    return (getattr(error, "reason", None) or error.strerror or str(error)).lower()
