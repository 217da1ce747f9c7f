from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from causeway.errors import OperatorError
from causeway.gateway_settings import TokenAlgorithm
from causeway.site.config import TokensConfig
from causeway.site.database.signing_keys import KeyRow
from causeway.site.token_service.sealing import Seal
from causeway.site.token_service.signing_keys import KeyState, SigningKeys, new_key

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SEAL = Seal(Ed25519PrivateKey.generate())


def key(signs_from: datetime, *, ends: datetime | None = None, seal: Seal = SEAL) -> KeyRow:
    new = new_key(TokenAlgorithm.ES256, seal)
    return KeyRow(
        key_id=new.key_id,
        algorithm=new.algorithm,
        public_key=new.public_key,
        sealed_private_key=new.sealed_private_key,
        created_at=signs_from,
        signs_from=signs_from,
        last_token_ends_at=ends or signs_from,
        withdrawn_at=None,
        withdrawal_reason="",
    )


def published(keys: SigningKeys, now: datetime) -> set[str]:
    return {one.kid for one in keys.published(now)}


def test_a_rotation_overlaps() -> None:
    old, new = key(NOW, ends=NOW + 91 * DAY), key(NOW + DAY)
    keys = SigningKeys([old, new], SEAL)

    before, after, late = NOW + HOUR, NOW + DAY, NOW + 92 * DAY
    assert keys.signer(before).key_id == old.key_id
    assert published(keys, before) == {old.key_id, new.key_id}
    assert (keys.state(old, before), keys.state(new, before)) == (KeyState.SIGNS, KeyState.NEXT)

    assert keys.signer(after).key_id == new.key_id
    assert published(keys, after) == {old.key_id, new.key_id}
    assert (keys.state(old, after), keys.state(new, after)) == (KeyState.VERIFIES, KeyState.SIGNS)

    assert published(keys, late) == {new.key_id}
    assert keys.state(old, late) is KeyState.ENDED


def test_a_key_that_signed_nothing_stays_a_moment_for_servers_whose_look_is_old() -> None:
    old, new = key(NOW - DAY), key(NOW)
    keys = SigningKeys([old, new], SEAL)

    assert published(keys, NOW + timedelta(seconds=1)) == {old.key_id, new.key_id}
    assert published(keys, NOW + HOUR) == {new.key_id}


def test_a_withdrawn_key_neither_signs_nor_verifies() -> None:
    old, new = key(NOW - DAY, ends=NOW + DAY), replace(key(NOW), withdrawn_at=NOW)
    keys = SigningKeys([old, new], SEAL)

    assert keys.signer(NOW).key_id == old.key_id
    assert published(keys, NOW) == {old.key_id}
    assert keys.state(new, NOW) is KeyState.WITHDRAWN


def test_a_key_sealed_under_another_settings_key_verifies_and_does_not_sign() -> None:
    locked = key(NOW - DAY, ends=NOW + DAY, seal=Seal(Ed25519PrivateKey.generate()))
    keys = SigningKeys([locked], SEAL)

    assert published(keys, NOW) == {locked.key_id}
    assert keys.state(locked, NOW) is KeyState.LOCKED
    assert not keys.signs(NOW)
    with pytest.raises(OperatorError):
        keys.signer(NOW)
    assert keys.due(TokensConfig(), NOW) == NOW


@pytest.mark.parametrize(("age_days", "due"), [(0, False), (179, False), (181, True)])
def test_a_new_key_is_due_in_time_to_be_published_before_it_signs(age_days: int, due: bool) -> None:
    config = TokensConfig()
    keys = SigningKeys([key(NOW - age_days * DAY)], SEAL)

    expected = NOW + timedelta(seconds=config.key_lead_s) if due else None
    assert keys.due(config, NOW) == expected


def test_a_key_that_comes_next_is_enough() -> None:
    keys = SigningKeys([key(NOW - 200 * DAY), key(NOW + HOUR)], SEAL)

    assert keys.due(TokensConfig(), NOW) is None


def test_the_first_key_signs_at_once() -> None:
    assert SigningKeys([], SEAL).due(TokensConfig(), NOW) == NOW


@pytest.mark.parametrize("algorithm", list(TokenAlgorithm))
def test_a_key_comes_back_from_its_seal_and_is_never_shown(algorithm: TokenAlgorithm) -> None:
    new = new_key(algorithm, SEAL)
    row = replace(key(NOW), key_id=new.key_id, sealed_private_key=new.sealed_private_key, algorithm=new.algorithm)

    signer = SigningKeys([row], SEAL).signer(NOW)

    assert signer.key_id == new.key_id
    assert "PrivateKey" not in repr(signer)


def test_a_seal_holds_its_key_to_its_id_and_notices_changes() -> None:
    closed = SEAL.close("a", b"secret")

    assert SEAL.open("a", closed) == b"secret"
    assert b"secret" not in closed
    assert SEAL.open("b", closed) is None
    assert SEAL.open("a", closed[:-1] + bytes([closed[-1] ^ 1])) is None
    assert SEAL.open("a", b"") is None
    assert Seal(Ed25519PrivateKey.generate()).open("a", closed) is None
