"""What a gateway knows of revoked certificates, and what it makes of that."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field

from causeway.pki.serials import DigestSet, pack_digests, serial_digest


def encode_digests(digests: Iterable[int]) -> str:
    """Digests of serial numbers as they stand in the gateway settings: packed, in base64."""
    return base64.b64encode(pack_digests(digests)).decode()


class RevokedSerials:
    """The serial numbers of one list."""

    __slots__ = ("_digests",)

    def __init__(self, encoded: str) -> None:
        """Decode.

        Raises:
            ValueError: it is not of the form that ``encode_digests`` gives.
        """
        try:
            self._digests = DigestSet(base64.b64decode(encoded, validate=True))
        except binascii.Error as error:
            raise ValueError("expected digests of serial numbers in base64") from error

    def __contains__(self, serial: int) -> bool:
        return serial_digest(serial) in self._digests

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
        revoked: SHA-256 of certificates that a responder says are revoked.
        asks: whether the site can be asked.
        asks_always: whether it is asked about every certificate that names a responder.
        lists: all that are known, by issuer.
    """

    check: bool = True
    accept_unknown_s: float = 0.0
    accept_unpublished: bool = True
    revoked: frozenset[str] = frozenset()
    asks: bool = False
    asks_always: bool = False
    lists: dict[str, tuple[KnownList, ...]] = field(default_factory=dict)
