"""How much of a worker each client address has, so that none can take it all."""

import ipaddress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from causeway.transport import TlsServerTransport

_NETWORK_BITS: Final = 64


class Address:
    """One client address, or an IPv6 network, for as long as it has connections.

    Attributes:
        connections: those in the handshake and those past it.
        handshakes: those in the handshake, the oldest first.
        requests: under way.
    """

    __slots__ = ("connections", "handshakes", "name", "requests")

    def __init__(self, name: str) -> None:
        self.name = name
        self.connections = 0
        self.handshakes: dict[TlsServerTransport, None] = {}
        self.requests = 0


class Addresses:
    """Those that have connections."""

    def __init__(self) -> None:
        self._all: dict[str, Address] = {}

    def __len__(self) -> int:
        return len(self._all)

    def of(self, peer: str) -> Address:
        """What ``peer`` is counted under."""
        name = counted_as(peer)
        address = self._all.get(name)
        if address is None:
            address = self._all[name] = Address(name)
        return address

    def forget(self, address: Address) -> None:
        """Its last connection is gone."""
        self._all.pop(address.name, None)


def counted_as(peer: str) -> str:
    """An IPv4 address as it is; of an IPv6 address the network of 64 bits, all of which one customer has to itself."""
    if ":" not in peer:
        return peer
    address = ipaddress.IPv6Address(peer)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, _NETWORK_BITS), strict=False))
