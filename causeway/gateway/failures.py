"""How many tokens that were never good one address may send."""

from collections import OrderedDict

from causeway.gateway.addresses import counted_as

PERIOD_S = 60.0
_MOST_ADDRESSES = 20_000


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
        return self._level(counted_as(peer), now) > self._most - 1

    def failed(self, peer: str, now: float) -> bool:
        """Note a failure of ``peer`` at ``now`` (seconds of any clock); True where it has now failed too often."""
        network = counted_as(peer)
        level = self._level(network, now) + 1
        self._failures[network] = level, now
        self._failures.move_to_end(network)
        if len(self._failures) > self._most_addresses:
            self._failures.popitem(last=False)
        return level > self._most - 1

    def _level(self, network: str, now: float) -> float:
        level, since = self._failures.get(network, (0.0, now))
        return max(0.0, level - (now - since) * self._most / PERIOD_S)
