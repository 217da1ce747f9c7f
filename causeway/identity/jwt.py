"""Reading a JSON Web Token (RFC 7519) strictly and bounded, before any cryptography, and checking its signature.

A token comes from anybody on the internet. It is a compact JWS (RFC 7515, 3.1) of one reading or none: base64url
without padding, spare bits or other characters; JSON objects in UTF-8, without duplicate members, deep nesting, huge
numbers or characters that could break out of a log line or a header. The algorithm is the key's (RFC 8725, 3.1): the
header's ``alg`` has only to say the same. Keys that a token brings along (``jwk``, ``jku``, ``x5u``, ``x5c``) are never
looked at.
"""

import base64
import binascii
import functools
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from causeway.gateway_settings import TokenAlgorithm, TokenKey
from causeway.identity.denial import INVALID, Denied

MAX_TOKEN_BYTES = 16 * 1024
MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192  # a verification with a larger one takes milliseconds

_MAX_HEADER_BYTES = 4 * 1024
_MAX_SIGNATURE_BYTES = MAX_RSA_BITS // 8
_MAX_DEPTH = 6
_MAX_MEMBERS = 2000
_MAX_DIGITS = 18
_ALGORITHMS = [str(algorithm) for algorithm in TokenAlgorithm]  # a list, since alg may be anything, and unhashable
_PART = re.compile(rb"[A-Za-z0-9_-]+")
_BRACKET = re.compile(rb"[\[{]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_REMEDY = "Have the client fetch a new token; where this comes again, something else than a client sends it."

_UNKNOWN_KEY = (
    "Where the key was withdrawn or replaced, have the device fetch a new token; where another site issued the token, "
    "send the device to that site's gateway."
)
_NO_KEYS = "Publish the keys of this issuer; until then its tokens are good for nothing."


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A token that has been read; nothing in it is proven.

    Attributes:
        header: the JOSE header.
        claims: the payload.
        signed: what the signature is over.
        signature: as bytes.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    @property
    def key_id(self) -> str:
        """``kid``, or the certificate's thumbprint ``x5t`` where it has none; empty where it has neither."""
        for name in ("kid", "x5t"):
            if isinstance(value := self.header.get(name), str):
                return value
        return ""

    @property
    def issuer(self) -> str:
        """``iss``, as the token says; empty where it says none."""
        issuer = self.claims.get("iss")
        return issuer if isinstance(issuer, str) else ""


def read_token(compact: bytes) -> Token:
    """Read a compact JWS whose payload is a JSON object.

    Raises:
        Denied: it is none, or has more than one reading, or is larger than tokens are.
    """
    if len(compact) > MAX_TOKEN_BYTES:
        raise _malformed(f"it has {len(compact)} bytes; a token has at most {MAX_TOKEN_BYTES}")
    parts = compact.split(b".", 3)
    if len(parts) != 3:  # header, payload, signature
        raise _malformed("it does not have three parts with dots between them")
    header_bytes, payload, signature = map(_decoded, parts)
    if len(header_bytes) > _MAX_HEADER_BYTES or len(signature) > _MAX_SIGNATURE_BYTES:
        raise _malformed("its header or signature is larger than any")
    header = _object(header_bytes, "header")
    if "crit" in header or "b64" in header:
        raise _malformed("its header asks for an extension (crit, b64)")
    if header.get("alg") not in _ALGORITHMS:
        raise _malformed("its algorithm is none of " + ", ".join(TokenAlgorithm))
    if "zip" in header or "enc" in header:
        raise _malformed("it is encrypted or compressed")
    return Token(header, _object(payload, "payload"), compact[: -len(parts[2]) - 1], signature)


def _decoded(part: bytes) -> bytes:
    if _PART.fullmatch(part) is None or len(part) % 4 == 1:
        raise _malformed("a part is not base64url without padding")
    try:
        decoded = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except binascii.Error as error:
        raise _malformed("a part is not base64url") from error
    # The last character has bits to spare: with any but zeros there, many texts would be one token.
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != part:
        raise _malformed("a part is base64url with spare bits set")
    return decoded


def _object(data: bytes, what: str) -> Mapping[str, Any]:
    if len(_BRACKET.findall(data)) > _MAX_MEMBERS:
        raise _malformed(f"its {what} has too many parts")
    try:
        value = _DECODER.decode(data.decode("utf-8"))
        _check(value, _MAX_DEPTH)
    except (ValueError, RecursionError) as error:
        raise _malformed(f"its {what} is not a JSON object of one reading: {str(error)[:80]}") from None
    if not isinstance(value, dict):
        raise _malformed(f"its {what} is not a JSON object")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member comes twice")
    return members


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError("a number is too large")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_integer, parse_float=_float, parse_constant=_constant, strict=True
)


def _check(value: Any, depth: int) -> None:
    """Bound the nesting, and refuse characters that are no part of any name."""
    if isinstance(value, str):
        if _CONTROL.search(value):
            raise ValueError("a control character in a string")
    elif isinstance(value, dict | list):
        if not depth:
            raise ValueError("it is nested too deeply")
        for each in value:
            _check(each, depth - 1)
        if isinstance(value, dict):
            for each in value.values():
                _check(each, depth - 1)


def _malformed(details: str) -> Denied:
    return Denied(INVALID, f"no token: {details}", _REMEDY)


# Keys.


@functools.lru_cache(maxsize=256)
def public_key(key: TokenKey) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    """The key itself.

    Raises:
        ValueError: it is not a public key for its algorithm, or of a size that is not safe.
    """
    try:
        loaded = load_pem_public_key(key.public_key.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"token key {key.kid}: expected a public key in PEM form") from error
    if key.algorithm is TokenAlgorithm.RS256:
        if isinstance(loaded, rsa.RSAPublicKey) and MIN_RSA_BITS <= loaded.key_size <= MAX_RSA_BITS:
            return loaded
        raise ValueError(f"token key {key.kid}: expected an RSA key of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits")
    if isinstance(loaded, ec.EllipticCurvePublicKey) and isinstance(loaded.curve, ec.SECP256R1):
        return loaded
    raise ValueError(f"token key {key.kid}: expected a key on the curve P-256")


class KeyRing:
    """The keys by which one issuer's tokens are verified."""

    def __init__(self, keys: Iterable[TokenKey]) -> None:
        """Take ``keys``; one that cannot be used is as good as absent (the site checks before it publishes)."""
        self._keys: dict[str, TokenKey] = {}
        for key in keys:
            try:
                public_key(key)
            except ValueError:
                continue
            self._keys[key.kid] = key

    def __contains__(self, key: TokenKey) -> bool:
        return self._keys.get(key.kid) == key

    def __len__(self) -> int:
        return len(self._keys)

    def knows(self, key_id: str) -> bool:
        """Whether there is a key of that id."""
        return key_id in self._keys

    def verify(self, token: Token, now: float) -> TokenKey:
        """The key that signed ``token``, as long as that is valid.

        An unknown key costs the same work as a wrong signature: one verification, whose outcome does not count.

        Raises:
            Denied: no key of the ring signed it; always the same word.
        """
        key = self._keys.get(token.key_id) or self._decoy(token)
        if key is None:
            raise Denied(INVALID, "there are no keys for tokens of its issuer", _NO_KEYS)
        good = jwt.get_algorithm_by_name(key.algorithm).verify(token.signed, public_key(key), token.signature)
        if key.kid != token.key_id:
            known = ", ".join(self._keys)
            raise Denied(INVALID, f"its key {token.key_id[:64]!r} is not known; known are {known}", _UNKNOWN_KEY)
        if token.header["alg"] != key.algorithm:
            raise Denied(INVALID, f"its header says {token.header['alg']}, its key is for {key.algorithm}", _REMEDY)
        if not good:
            raise Denied(INVALID, f"its signature is not by the key {key.kid}", _REMEDY)
        if not key.valid_from <= now < key.valid_until:
            raise Denied(
                INVALID,
                f"its key {key.kid} is not valid now",
                "Have the device fetch a new token, which a newer key signs.",
            )
        return key

    def _decoy(self, token: Token) -> TokenKey | None:
        """A key that did not sign ``token``, of the algorithm that it claims where there is one."""
        keys = sorted(self._keys.values(), key=lambda key: key.algorithm != token.header["alg"])
        return keys[0] if keys else None
