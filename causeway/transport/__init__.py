"""TLS by OpenSSL directly on the socket, behind asyncio's transport interface."""

from causeway.transport.descriptors import allow_many_connections
from causeway.transport.tls import TlsServerTransport

__all__ = ["TlsServerTransport", "allow_many_connections"]
