"""The site's answer about one certificate, as a gateway reads it."""

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from causeway.gateway_settings import SettingsError
from causeway.gateway_settings.errors import SettingsInvalid, SettingsSignatureWrong
from causeway.gateway_settings.status import (
    MAX_STATUS_BYTES,
    CertificateStatus,
    Standing,
    sign_status,
    verify_status,
)

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key()
STATUS = CertificateStatus("ab" * 32, Standing.GOOD, 1_800_000_000.0, "says http://ocsp.example")
CONTENT = {"certificate": "ab" * 32, "status": "good", "until": 1_800_000_000.0, "details": ""}
SIGNED = sign_status(STATUS, KEY)
HEADER = {"typ": "causeway-certificate-status"}

statuses = st.builds(
    CertificateStatus,
    st.text("0123456789abcdef", min_size=64, max_size=64),
    st.sampled_from(Standing),
    st.floats(0, 1e12),
    st.text(max_size=500),
)
values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def signed(payload: bytes, header: dict[str, Any] = HEADER, key: Ed25519PrivateKey = KEY) -> bytes:
    return jwt.PyJWS().encode(payload, key, "EdDSA", header).encode()


@given(statuses)
def test_what_the_site_signed_is_what_the_gateway_reads(status: CertificateStatus) -> None:
    assert verify_status(sign_status(status, KEY), PUBLIC) == status


@given(st.binary(max_size=300) | st.lists(st.binary(max_size=60), min_size=3, max_size=3).map(b".".join))
def test_bytes_that_are_no_answer_are_refused(data: bytes) -> None:
    with pytest.raises(SettingsSignatureWrong):
        verify_status(data, PUBLIC)


@given(st.lists(st.tuples(st.integers(0, len(SIGNED) - 1), st.integers(1, 255)), min_size=1, max_size=4))
def test_a_changed_answer_is_refused_or_says_the_same(changes: list[tuple[int, int]]) -> None:
    data = bytearray(SIGNED)
    for position, difference in changes:
        data[position] ^= difference
    try:
        read = verify_status(bytes(data), PUBLIC)
    except SettingsError:
        return
    assert read == STATUS  # base64url has bits to spare in the last character


@given(values | st.fixed_dictionaries({name: st.just(value) | values for name, value in CONTENT.items()}))
def test_whatever_the_site_s_own_key_signed_is_read_strictly_or_refused(content: Any) -> None:
    data = signed(json.dumps(content).encode())
    try:
        read = verify_status(data, PUBLIC)
    except SettingsError:
        return
    assert isinstance(read.fingerprint, str)
    assert isinstance(read.details, str)
    assert abs(read.until) < float("inf")


@pytest.mark.parametrize("until", ["NaN", "Infinity", "-Infinity", "1" + "0" * 400, '"soon"', "null", "[]"])
def test_an_answer_without_an_end_is_refused(until: str) -> None:
    text = json.dumps(CONTENT).replace("1800000000.0", until)
    with pytest.raises(SettingsInvalid):
        verify_status(signed(text.encode()), PUBLIC)


def test_an_answer_of_another_key_or_type_or_that_is_too_long_is_refused() -> None:
    payload = json.dumps(CONTENT).encode()
    assert verify_status(signed(payload), PUBLIC).standing is Standing.GOOD
    with pytest.raises(SettingsSignatureWrong):
        verify_status(signed(payload, key=Ed25519PrivateKey.generate()), PUBLIC)
    with pytest.raises(SettingsSignatureWrong):
        verify_status(signed(payload, {"typ": "causeway-gateway-settings"}), PUBLIC)
    with pytest.raises(SettingsInvalid):
        verify_status(signed(payload + b" " * MAX_STATUS_BYTES), PUBLIC)
    with pytest.raises(SettingsInvalid):
        verify_status(signed(b"[" * 3000), PUBLIC)
