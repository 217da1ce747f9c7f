"""A token of the site says who a device is, while its key, its dates and its audience are good."""

import dataclasses

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.identity import Denied, Identity, Kind
from causeway.identity.jwt import read_token
from causeway.identity.site_token import CLOCK_SKEW_S, SiteTokenVerifier, read_claims, sign, verify
from tests.unit.identity.tokens import (
    EC_KEY,
    ISSUER,
    NOW,
    RSA_KEY,
    SETTINGS,
    SMS_ID,
    THUMBPRINT,
    bulk_claims,
    device_claims,
    device_token,
    token_key,
)


def test_a_device_is_known_by_its_token() -> None:
    assert verify(device_token(), SETTINGS, NOW) == Identity(
        Kind.SITE_TOKEN, THUMBPRINT, "PC1", device=SMS_ID, token="11111111-2222-3333-4444-555555555555"
    )


def test_both_algorithms_sign() -> None:
    assert verify(sign(device_claims(), "ec", EC_KEY).encode(), SETTINGS, NOW).device == SMS_ID


def test_a_bulk_registration_token_makes_a_newcomer_and_no_device() -> None:
    identity = verify(sign(bulk_claims(), "rsa", RSA_KEY).encode(), SETTINGS, NOW)
    assert identity == Identity(Kind.BULK_TOKEN, token="11111111-2222-3333-4444-555555555555")


def test_the_payload_has_the_members_of_configuration_manager_and_a_third_party_verifies_it() -> None:
    payload = jwt.decode(
        sign(bulk_claims(), "rsa", RSA_KEY),
        RSA_KEY.public_key(),
        algorithms=["RS256"],
        audience="urn:sccm:service",
        issuer=ISSUER,
        options={"verify_exp": False, "verify_nbf": False},
    )
    assert payload == {
        "SCCMTokenCategory": "SCCMPreAuthToken",
        "Authority": "SCCM",
        "License": "SCCM",
        "Type": "BulkRegistration",
        "TenantId": "h1",
        "UniqueId": "11111111-2222-3333-4444-555555555555",
        "iss": ISSUER,
        "aud": "urn:sccm:service",
        "nbf": NOW - 60,
        "exp": NOW + 8 * 3600,
    }


printable = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=100)


@given(printable, printable, st.text(st.characters(categories=["L", "N"]), max_size=50), st.integers(0, 2**50))
def test_claims_are_read_as_they_were_written(unique_id: str, sms_id: str, name: str, expires: int) -> None:
    claims = device_claims(unique_id=unique_id, sms_id=sms_id, name=name, expires=expires)
    assert read_claims(read_token(sign(claims, "ec", EC_KEY).encode())) == claims


@pytest.mark.parametrize(
    ("now", "word"),
    [
        (NOW - 60 - CLOCK_SKEW_S - 1, "CMGService_TokenNotYetValid"),
        (NOW - 60 - CLOCK_SKEW_S, ""),
        (NOW + 8 * 3600 + CLOCK_SKEW_S - 1, ""),
        (NOW + 8 * 3600 + CLOCK_SKEW_S, "CMGService_TokenExpired"),
    ],
)
def test_a_token_counts_from_its_first_second_to_its_last_give_or_take_a_clock(now: float, word: str) -> None:
    if not word:
        assert verify(device_token(), SETTINGS, now).device == SMS_ID
        return
    with pytest.raises(Denied) as denied:
        verify(device_token(), SETTINGS, now)
    assert denied.value.refused_word == word
    assert not denied.value.denial.guessed


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "urn:sccm:oauth2:another"},
        {"audience": "urn:sccm:another"},
        {"sms_id": ""},
        {"thumbprint": ""},
        {"thumbprint": "AB" * 32},
        {"unique_id": "with a\ttab"},
        {"unique_id": "x" * 201},
        {"expires": -1},
        {"expires": 2**60},
        {"name": "n" * 201},
    ],
    ids=repr,
)
def test_a_signed_token_with_other_claims_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Denied) as denied:
        verify(device_token(**changes), SETTINGS, NOW)
    assert denied.value.refused_word == "CMGService_Invalid_Token"
    assert denied.value.denial.remedy


def test_a_token_of_a_withdrawn_key_holds_no_longer() -> None:
    verified = SiteTokenVerifier(SETTINGS).verify(read_token(device_token()), NOW)
    assert SiteTokenVerifier(dataclasses.replace(SETTINGS, keys=SETTINGS.keys[::-1])).still_holds(verified)
    for changed in (
        {"keys": SETTINGS.keys[1:]},
        {"keys": (token_key("rsa", EC_KEY), *SETTINGS.keys[1:])},
        {"issuer": "urn:x"},
        {"audience": "urn:x"},
    ):
        assert not SiteTokenVerifier(dataclasses.replace(SETTINGS, **changed)).still_holds(verified)


def test_a_key_counts_for_the_time_that_it_is_valid_for() -> None:
    until = NOW + 100
    settings = dataclasses.replace(SETTINGS, keys=(token_key("rsa", RSA_KEY, valid_from=NOW, valid_until=until),))
    token = read_token(device_token())
    assert SiteTokenVerifier(settings).verify(token, NOW).expires == until
    for now in (NOW - 1, until):
        with pytest.raises(Denied, match="not valid now"):
            SiteTokenVerifier(settings).verify(token, now)
