"""Messages under SASL's security layer (RFC 4422, 3.7): four bytes of length, then what Kerberos sealed. No sockets."""

from collections.abc import Callable
from dataclasses import dataclass

from causeway.directory.errors import DirectoryAnswer

MAX_SEALED_BYTES = 8 * 1024 * 1024
"""What is taken at once; the server is told so, and may not send more (RFC 4752, 3.1)."""

_LENGTH = 4
NO_LAYER, SEALED = 1, 4
"""Security layers as GSSAPI's bits (RFC 4752, 3.3)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the server offers at the end of GSSAPI's exchange.

    Attributes:
        layers: the bits of the layers that it takes.
        most_bytes: the largest sealed message that it takes; 0 where there is no layer.
    """

    layers: int
    most_bytes: int


def read_offer(token: bytes) -> Offer:
    """Read the four bytes (RFC 4752, 3.1).

    Raises:
        DirectoryAnswer: there are more, or fewer.
    """
    if len(token) != _LENGTH:
        raise DirectoryAnswer("its offer of security layers is not four bytes long")
    return Offer(token[0], int.from_bytes(token[1:], "big"))


def choice(layer: int) -> bytes:
    """What is answered to the offer: one layer, and how much is taken at once (RFC 4752, 3.1)."""
    return bytes([layer]) + (MAX_SEALED_BYTES if layer != NO_LAYER else 0).to_bytes(3, "big")


class Sealing:
    """Both directions of one connection.

    Args:
        wrap: seals a message.
        unwrap: opens one; raises ``DirectoryAnswer``.
        most_bytes: the largest plain message that may be wrapped.
    """

    def __init__(self, wrap: Callable[[bytes], bytes], unwrap: Callable[[bytes], bytes], most_bytes: int) -> None:
        self._wrap, self._unwrap = wrap, unwrap
        self._most_bytes = most_bytes
        self._held = bytearray()

    def send(self, data: bytes) -> bytes:
        """Seal what is to be sent."""
        sealed = bytearray()
        for start in range(0, len(data), self._most_bytes):
            piece = self._wrap(data[start : start + self._most_bytes])
            sealed += len(piece).to_bytes(_LENGTH, "big") + piece
        return bytes(sealed)

    def receive(self, data: bytes) -> bytes:
        """Open what came, as far as it is whole.

        Raises:
            DirectoryAnswer: it is too large, or was changed on the way.
        """
        self._held += data
        opened = bytearray()
        while len(self._held) >= _LENGTH:
            size = int.from_bytes(self._held[:_LENGTH], "big")
            if not 0 < size <= MAX_SEALED_BYTES:
                raise DirectoryAnswer(f"a sealed message has {size} bytes, and {MAX_SEALED_BYTES} were agreed on")
            if len(self._held) < _LENGTH + size:
                break
            opened += self._unwrap(bytes(self._held[_LENGTH : _LENGTH + size]))
            del self._held[: _LENGTH + size]
        return bytes(opened)
