"""What a gateway knows of revoked certificates: for each list, short digests of the serial numbers, sorted.

A serial number has up to twenty bytes, and a hundred thousand of them do not compress. Eight bytes of a digest do: a
revoked certificate is always found, and that any of a hundred thousand good ones is mistaken for one of a hundred
thousand revoked ones has a chance of one in a billion.
"""

import base64
import binascii
import hashlib
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

_DIGEST_BYTES = 8


def _digest(serial: int) -> int:
    encoded = serial.to_bytes(serial.bit_length() // 8 + 1, "big", signed=True)
    return int.from_bytes(hashlib.sha256(encoded).digest()[:_DIGEST_BYTES], "big")


def pack_serials(serials: Iterable[int]) -> str:
    """The digests of ``serials``, eight bytes each, big-endian, sorted, in base64."""
    packed = array("Q", sorted({_digest(serial) for serial in serials}))
    if sys.byteorder == "little":
        packed.byteswap()
    return base64.b64encode(packed.tobytes()).decode()


class RevokedSerials:
    """A packed set, for look-ups."""

    __slots__ = ("_digests",)

    def __init__(self, packed: str) -> None:
        """Unpack.

        Raises:
            ValueError: it is not of the form that ``pack_serials`` gives.
        """
        try:
            raw = base64.b64decode(packed, validate=True)
        except binascii.Error as error:
            raise ValueError("expected digests of serial numbers in base64") from error
        if len(raw) % _DIGEST_BYTES:
            raise ValueError(f"expected digests of {_DIGEST_BYTES} bytes each")
        digests = array("Q", raw)
        if sys.byteorder == "little":
            digests.byteswap()
        self._digests = digests

    def __contains__(self, serial: int) -> bool:
        digest = _digest(serial)
        index = bisect_left(self._digests, digest)
        return index < len(self._digests) and self._digests[index] == digest

    def __len__(self) -> int:
        return len(self._digests)


@dataclass(frozen=True, slots=True)
class KnownList:
    """A revocation list as a gateway knows it.

    Attributes:
        issuer: the authority by name and key, see ``causeway.pki.issuers``.
        next_update: until when it says who is good, in seconds since 1970; who is revoked, it says for ever.
        revoked: the serial numbers.
        points: where it covers only certificates that name one of these URLs; empty where it covers all.
        users_only: it covers no certificates of authorities.
    """

    issuer: str
    next_update: float
    revoked: RevokedSerials
    points: frozenset[str] = frozenset()
    users_only: bool = False


@dataclass(frozen=True, slots=True)
class RevocationRules:
    """What is made of revocation.

    Attributes:
        check: whether it is looked at.
        accept_unknown_s: how long certificates of which nobody can tell are accepted; 0 for not at all.
        accept_unpublished: whether certificates are accepted whose authority publishes nothing.
        lists: all that are known, by issuer.
    """

    check: bool = True
    accept_unknown_s: float = 0.0
    accept_unpublished: bool = True
    lists: dict[str, tuple[KnownList, ...]] = field(default_factory=dict)
