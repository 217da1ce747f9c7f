"""The TLS of the site's server: its certificate, whose client certificates it accepts, and handshakes that fail."""

import ssl
from collections.abc import Callable

from causeway.errors import OperatorError
from causeway.site.config import ServerConfig
from causeway.site.errors import HandshakeFailed


class _ServerConnection(ssl.SSLObject):
    """Begins its handshake with the certificate in force, and tells where it fails.

    asyncio does not tell, and a connection that never was has no protocol.
    """

    newest: Callable[[], ssl.SSLContext]
    on_failed: Callable[[HandshakeFailed], None]
    _begun = False

    def do_handshake(self) -> None:
        if not self._begun:
            self._begun = True
            # OpenSSL stays with the first context for sessions, and takes all else from this one.
            self.context = self.newest()
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


class ServerTls:
    """TLS 1.2 and 1.3; a client certificate is asked for and, when shown, verified by the handshake.

    Attributes:
        context: what connections begin under; each goes on with the files that were loaded last.
    """

    def __init__(self, config: ServerConfig, on_failed: Callable[[HandshakeFailed], None]) -> None:
        """Load the files that ``config`` names.

        Args:
            config: names the files.
            on_failed: told of each handshake that failed. The client's address is not known at that place.

        Raises:
            OperatorError: a file is missing, unreadable, no PEM, or the key is not the certificate's.
        """
        self._newest = _loaded(config)
        self.context = _empty()
        members = {"newest": staticmethod(lambda: self._newest), "on_failed": staticmethod(on_failed)}
        self.context.sslobject_class = type("ServerConnection", (_ServerConnection,), members)

    def load(self, config: ServerConfig) -> None:
        """Have new connections use the files as they are now: all of them, or none where one cannot be used.

        Raises:
            OperatorError: as above.
        """
        self._newest = _loaded(config)


def _empty() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_OPTIONAL
    # Intermediates in the bundle are trusted as they stand: an authority may be known without its root.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _loaded(config: ServerConfig) -> ssl.SSLContext:
    context = _empty()
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
    return context


def _why(error: OSError) -> str:
    return (getattr(error, "reason", None) or error.strerror or str(error)).lower()
