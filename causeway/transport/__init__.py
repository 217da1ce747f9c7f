"""TLS by OpenSSL directly on the socket, behind asyncio's transport interface."""

from causeway.transport.tls import TlsServerTransport

__all__ = ["TlsServerTransport"]
