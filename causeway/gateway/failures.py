"""How many tokens that were never good one address may send."""

import ipaddress
from collections import OrderedDict

PERIOD_S = 60.0
_MOST_ADDRESSES = 20_000
_NETWORK_BITS = 64  # of IPv6: what one customer has to itself


class FailureLimit:
    """Counts failures by address; a failure is forgotten bit by bit, all of them within a period.

    Args:
        most: failures of one address within a minute.
        most_addresses: those remembered; beyond them, whoever failed longest ago is forgotten.
    """

    def __init__(self, most: int, most_addresses: int = _MOST_ADDRESSES) -> None:
        self._most = most
        self._most_addresses = most_addresses
        self._failures: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._failures)

    def exceeded(self, peer: str, now: float) -> bool:
        """Whether ``peer`` has failed as often as it may."""
        return self._level(_network(peer), now) > self._most - 1

    def failed(self, peer: str, now: float) -> bool:
        """Note a failure of ``peer`` at ``now`` (seconds of any clock); True where it has now failed too often."""
        network = _network(peer)
        level = self._level(network, now) + 1
        self._failures[network] = level, now
        self._failures.move_to_end(network)
        if len(self._failures) > self._most_addresses:
            self._failures.popitem(last=False)
        return level > self._most - 1

    def _level(self, network: str, now: float) -> float:
        level, since = self._failures.get(network, (0.0, now))
        return max(0.0, level - (now - since) * self._most / PERIOD_S)


def _network(peer: str) -> str:
    if ":" not in peer:
        return peer
    address = ipaddress.IPv6Address(peer)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, _NETWORK_BITS), strict=False))
