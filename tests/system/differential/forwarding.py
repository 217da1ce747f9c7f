"""From what a client sends to what comes to the site system, by way of the whole data path in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fuzz.data_path import DataPath
from fuzz.wire import ReadRequest, requests_in

EXTERNAL, INTERNAL, INTERNAL_HOST = b"/files", b"/internal/files", b"origin.example:8080"
_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(slots=True)
class Forwarded:
    """What became of one client's bytes.

    Attributes:
        requests: what came to the site system, each request whole, as bytes.
        readings: the same as h11 reads it.
        answered: what the client received.
    """

    requests: list[bytes] = field(default_factory=list)
    readings: list[ReadRequest] = field(default_factory=list)
    answered: bytes = b""

    @property
    def refused(self) -> bool:
        """Whether anything was refused."""
        return b"X-Causeway-Error: " in self.answered


async def forward(path: DataPath, pieces: Sequence[bytes]) -> Forwarded:
    """Have a new client send ``pieces``; every request that comes whole to the site system is answered."""
    outcome = Forwarded()
    device = path.connect()
    for piece in pieces:
        device.send(piece)
        await path.settle()
        while await _answer_one(path, outcome):
            await path.settle()
    outcome.answered = device.received
    await path.dismiss(device)
    return outcome


async def _answer_one(path: DataPath, outcome: Forwarded) -> bool:
    """Answer the request that is whole and waits, if there is one."""
    for system in path.site_systems:
        found, rest = requests_in(system.received)
        assert len(found) <= len(system.begun) <= 1, "the site system reads a request that was not sent to it"
        if found and found[0].complete:
            assert not rest, "something follows a request that is whole"
            outcome.requests.append(system.received)
            outcome.readings += found
            system.received = b""
            system.begun.clear()
            system.answer(_ANSWER)
            return True
    return False
