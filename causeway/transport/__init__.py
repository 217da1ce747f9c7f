"""TLS by OpenSSL directly on the socket, and what else connections have in common."""

from causeway.transport.descriptors import allow_many_connections
from causeway.transport.protocols import PlainProtocol, for_uvloop
from causeway.transport.tls import TlsServerTransport

__all__ = ["PlainProtocol", "TlsServerTransport", "allow_many_connections", "for_uvloop"]
