"""The keys that sign site tokens: which one signs now, which are published, and when a new one is due.

A key's life: it is published (and verifies), ``key_lead_s`` later it signs in place of the one before it, and that one
stays published until the last token that it signed has ended. A key that is withdrawn is gone from the next version of
the gateway settings, and its tokens with it.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from causeway.errors import OperatorError
from causeway.gateway_settings import TokenAlgorithm, TokenKey
from causeway.identity.site_token import CLOCK_SKEW_S
from causeway.pki.keys import CertificateKey, new_p256_key, new_rsa_key
from causeway.site.config import TokensConfig
from causeway.site.database import Database, signing_keys
from causeway.site.database.signing_keys import KeyRow, NewKey
from causeway.site.token_service.sealing import Seal

_SKEW = timedelta(seconds=CLOCK_SKEW_S)


class KeyState(StrEnum):
    """Where a key stands."""

    NEXT = "next"
    SIGNS = "signs"
    VERIFIES = "verifies"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"
    LOCKED = "locked"
    """Its private half was sealed under another settings key: it verifies and cannot sign."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs."""

    key_id: str
    key: CertificateKey

    def __repr__(self) -> str:
        return f"Signer({self.key_id!r}, key=***)"


class SigningKeys:
    """The keys as they stood at one look at the database; times go on."""

    def __init__(self, rows: Sequence[KeyRow], seal: Seal) -> None:
        self._rows = sorted(rows, key=lambda row: (row.signs_from, row.key_id), reverse=True)
        self._signers = {
            row.key_id: Signer(row.key_id, key)
            for row in self._rows
            if row.withdrawn_at is None and (key := _opened(row, seal)) is not None
        }

    def signer(self, now: datetime) -> Signer:
        """What signs at ``now``.

        Raises:
            OperatorError: nothing does: the site has not run since its database is there.
        """
        current = self._current(now)
        if current is None:
            raise OperatorError(
                "no key signs tokens yet; start the site once, or make one with `causeway token keys rotate`"
            )
        return self._signers[current.key_id]

    def published(self, now: datetime) -> tuple[TokenKey, ...]:
        """What gateways and the site verify with, by id."""
        keys = [
            TokenKey(kid=row.key_id, algorithm=TokenAlgorithm(row.algorithm), public_key=row.public_key)
            for row in self._rows
            if self.state(row, now) not in {KeyState.WITHDRAWN, KeyState.ENDED}
        ]
        return tuple(sorted(keys, key=lambda key: key.kid))

    def state(self, row: KeyRow, now: datetime) -> KeyState:
        """Where a key stands at ``now``."""
        if row.withdrawn_at is not None:
            return KeyState.WITHDRAWN
        if row.signs_from > now:
            return KeyState.NEXT
        current = self._current(now)
        if current is not None and row.key_id == current.key_id:
            return KeyState.SIGNS
        # Another server may have signed its last token a moment after this one's look.
        if row.last_token_ends_at + _SKEW > now or (current is not None and current.signs_from + _SKEW > now):
            return KeyState.VERIFIES if row.key_id in self._signers else KeyState.LOCKED
        return KeyState.ENDED

    def due(self, config: TokensConfig, now: datetime) -> datetime | None:
        """From when a new key should sign; None where none is due."""
        usable = [row for row in self._rows if row.key_id in self._signers]
        if not usable:
            # There is nothing to overlap with: a token can only be signed by a key that gateways hear of meanwhile.
            return now
        if usable[0].signs_from + timedelta(days=config.key_days) - timedelta(seconds=config.key_lead_s) <= now:
            return now + timedelta(seconds=config.key_lead_s)
        return None

    def signs(self, now: datetime) -> bool:
        """Whether a key signs at ``now``."""
        return self._current(now) is not None

    def _current(self, now: datetime) -> KeyRow | None:
        return next((row for row in self._rows if row.key_id in self._signers and row.signs_from <= now), None)


def new_key(algorithm: TokenAlgorithm, seal: Seal) -> NewKey:
    """A new key; its id begins the thumbprint of RFC 7638."""
    key: CertificateKey = new_rsa_key() if algorithm is TokenAlgorithm.RS256 else new_p256_key()
    public = key.public_key()
    key_id = _thumbprint(public)
    return NewKey(
        key_id=key_id,
        algorithm=algorithm,
        public_key=public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii"),
        sealed_private_key=seal.close(key_id, key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
    )


def keep_going(database: Database, config: TokensConfig, seal: Seal, *, now: datetime) -> bool:
    """Make a new key where one is due; whether one was made."""
    # Looking costs nothing, and is right but for once in half a year.
    if SigningKeys(signing_keys.everything(database), seal).due(config, now) is None:
        return False
    return signing_keys.change(database, lambda rows: _next(rows, config, seal, now), now=now)


def rotate(database: Database, config: TokensConfig, seal: Seal, *, now: datetime, lead: timedelta) -> datetime:
    """Make a new key now, that signs after ``lead``; returns from when."""
    signs_from = now + lead
    made = new_key(config.algorithm, seal)
    signing_keys.change(database, lambda _rows: (made, signs_from), now=now)
    return signs_from


def withdraw(database: Database, config: TokensConfig, seal: Seal, key_id: str, reason: str, *, now: datetime) -> bool:
    """Withdraw a key, and make another where none would sign now; False where it was withdrawn already.

    Raises:
        KeyError: there is no such key.
    """

    def replace(rows: list[KeyRow]) -> tuple[NewKey, datetime] | None:
        if SigningKeys(rows, seal).signs(now):
            return None
        return new_key(config.algorithm, seal), now

    return signing_keys.withdraw(database, key_id, reason, replace, now=now)


def _next(rows: list[KeyRow], config: TokensConfig, seal: Seal, now: datetime) -> tuple[NewKey, datetime] | None:
    signs_from = SigningKeys(rows, seal).due(config, now)
    return None if signs_from is None else (new_key(config.algorithm, seal), signs_from)


def _opened(row: KeyRow, seal: Seal) -> CertificateKey | None:
    der = seal.open(row.key_id, row.sealed_private_key)
    if der is None:
        return None
    key = load_der_private_key(der, password=None)
    return key if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) else None


def _thumbprint(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> str:
    jwk = (
        RSAAlgorithm.to_jwk(key, as_dict=True)
        if isinstance(key, rsa.RSAPublicKey)
        else ECAlgorithm.to_jwk(key, as_dict=True)
    )
    members = ("e", "kty", "n") if isinstance(key, rsa.RSAPublicKey) else ("crv", "kty", "x", "y")
    canonical = json.dumps({name: jwk[name] for name in members}, separators=(",", ":"), sort_keys=True)
    # In hexadecimal, which a command line never takes for an option, and the first half of it, which is unique enough.
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]
