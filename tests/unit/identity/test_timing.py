"""How long a refusal takes does not tell which keys a site has, nor how near a forged token came."""

import base64
import statistics
import time
from collections.abc import Callable
from unittest import mock

import jwt
import pytest

from causeway.gateway_settings import GatewaySettings
from causeway.identity import Denied
from causeway.identity.site_token import sign
from causeway.identity.tokens import TokenVerifier
from tests.unit.identity.tokens import EC_KEY, NOW, RSA_KEY, SETTINGS, device_claims

VERIFIER = TokenVerifier(GatewaySettings(version=1, issued_at="", site_code="PS1", site_tokens=SETTINGS))
GOOD = sign(device_claims(), "rsa", RSA_KEY).encode()
ROUNDS = 60


def with_signature(token: bytes, change: Callable[[bytearray], None]) -> bytes:
    signed, _, encoded = token.rpartition(b".")
    signature = bytearray(base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4)))
    change(signature)
    return signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")


def flip_first(signature: bytearray) -> None:
    signature[1] ^= 1


def flip_last(signature: bytearray) -> None:
    signature[-1] ^= 1


TOKENS = {
    "good": GOOD,
    "wrong in its first byte": with_signature(GOOD, flip_first),
    "wrong in its last byte": with_signature(GOOD, flip_last),
    "of a key that nobody has": sign(device_claims(), "unknown", RSA_KEY).encode(),
    "of a key that signs otherwise": sign(device_claims(), "ec", RSA_KEY).encode(),
    "expired": sign(device_claims(not_before=NOW - 9000, expires=NOW - 8000), "rsa", RSA_KEY).encode(),
}


def verify(token: bytes) -> str:
    try:
        VERIFIER.verify(token, NOW)
    except Denied as denied:
        return denied.denial.word
    return ""


@pytest.mark.parametrize("name", TOKENS)
def test_every_token_costs_one_verification_whatever_becomes_of_it(name: str) -> None:
    calls = []
    real = jwt.get_algorithm_by_name

    def counted(algorithm: str) -> object:
        calls.append(algorithm)
        return real(algorithm)

    with mock.patch("causeway.identity.jwt.jwt.get_algorithm_by_name", counted):
        word = verify(TOKENS[name])
    assert len(calls) == 1
    assert word == {"good": "", "expired": "CMGService_TokenExpired"}.get(name, "CMGService_Invalid_Token")


def test_forged_tokens_of_known_and_of_unknown_keys_take_as_long() -> None:
    """CPU time, taken in turn, and the lower half of it: other work on the machine makes some rounds longer."""
    names = ["wrong in its first byte", "wrong in its last byte", "of a key that nobody has"]
    took: dict[str, list[int]] = {name: [] for name in names}
    for _ in range(ROUNDS):
        for name in names:
            began = time.thread_time_ns()
            verify(TOKENS[name])
            took[name].append(time.thread_time_ns() - began)
    typical = [statistics.median(sorted(values)[: ROUNDS // 2]) for values in took.values()]
    assert max(typical) < 1.6 * min(typical), dict(zip(names, typical, strict=True))


def test_the_decoy_is_of_the_algorithm_that_the_token_claims() -> None:
    used = []
    real = jwt.get_algorithm_by_name

    def counted(algorithm: str) -> object:
        used.append(str(algorithm))
        return real(algorithm)

    with mock.patch("causeway.identity.jwt.jwt.get_algorithm_by_name", counted):
        verify(sign(device_claims(), "unknown", RSA_KEY).encode())
        verify(sign(device_claims(), "unknown", EC_KEY).encode())
    assert used == ["RS256", "ES256"]
