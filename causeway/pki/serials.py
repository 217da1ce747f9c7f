"""Serial numbers of certificates as short digests: what revocation lists are boiled down to.

A serial number has up to twenty bytes, and a hundred thousand of them do not compress. Eight bytes of a digest do: a
revoked certificate is always found, and that any of a hundred thousand good ones is mistaken for one of a hundred
thousand revoked ones has a chance of one in a billion.
"""

import hashlib
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator

DIGEST_BYTES = 8


def serial_digest(serial: int) -> int:
    """The first eight bytes of the SHA-256 of a serial number, which is encoded as in DER."""
    encoded = serial.to_bytes(serial.bit_length() // 8 + 1, "big", signed=True)
    return int.from_bytes(hashlib.sha256(encoded).digest()[:DIGEST_BYTES], "big")


def pack_digests(digests: Iterable[int]) -> bytes:
    """Digests as eight bytes each, big-endian, sorted."""
    packed = array("Q", sorted(set(digests)))
    if sys.byteorder == "little":
        packed.byteswap()
    return packed.tobytes()


class DigestSet:
    """Packed digests, for look-ups; eight bytes of memory each."""

    __slots__ = ("_digests",)

    def __init__(self, packed: bytes) -> None:
        """Unpack.

        Raises:
            ValueError: it is no whole number of digests.
        """
        if len(packed) % DIGEST_BYTES:
            raise ValueError(f"expected digests of {DIGEST_BYTES} bytes each")
        self._digests = array("Q", packed)
        if sys.byteorder == "little":
            self._digests.byteswap()

    def __contains__(self, digest: int) -> bool:
        index = bisect_left(self._digests, digest)
        return index < len(self._digests) and self._digests[index] == digest

    def __iter__(self) -> Iterator[int]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)
