"""Signed, verified, kept, and never taken back to an older version."""

import base64
import dataclasses
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from causeway.errors import StateError
from causeway.gateway_settings import (
    GatewaySettings,
    SettingsError,
    SettingsInvalid,
    SettingsOlder,
    SettingsSignatureWrong,
    SettingsStore,
    sign,
    verify,
)
from causeway.gateway_settings.document import MAX_DOCUMENT_BYTES

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key()
SETTINGS = GatewaySettings(version=5, issued_at="2026-01-01T00:00:00Z", site_code="PS1")
SIGNED = sign(SETTINGS, KEY)


def version(number: int, **changes: Any) -> bytes:
    return sign(dataclasses.replace(SETTINGS, version=number, **changes), KEY)


def segment(value: object) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def signed_as(header: dict[str, Any], payload: bytes = b"{}", key: Ed25519PrivateKey = KEY) -> bytes:
    return jwt.PyJWS().encode(payload, key, algorithm="EdDSA", headers=header).encode()


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_a_document_changed_in_any_byte_is_refused(position: int, change: int) -> None:
    tampered = bytearray(SIGNED)
    tampered[position] ^= change
    try:
        settings = verify(bytes(tampered), PUBLIC)
    except SettingsError:
        return
    assert settings == SETTINGS  # the last character of a part has bits that say nothing


@given(st.binary(max_size=300) | st.lists(st.binary(max_size=40), min_size=3, max_size=3).map(b".".join))
def test_any_other_bytes_are_refused(document: bytes) -> None:
    with pytest.raises(SettingsError):
        verify(document, PUBLIC)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )
)
def test_any_signed_content_of_another_form_is_refused(content: object) -> None:
    with pytest.raises(SettingsInvalid):
        verify(signed_as({"typ": "causeway-gateway-settings"}, json.dumps(content).encode()), PUBLIC)


def test_another_key_is_refused() -> None:
    with pytest.raises(SettingsSignatureWrong):
        verify(sign(SETTINGS, OTHER), PUBLIC)


def test_no_signature_and_other_algorithms_are_refused() -> None:
    payload = SIGNED.split(b".")[1]
    pem = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for header in ({"alg": "none"}, {"alg": "HS256", "typ": "causeway-gateway-settings"}):
        with pytest.raises(SettingsSignatureWrong):
            verify(segment(header) + b"." + payload + b".", PUBLIC)
    signing_input = segment({"alg": "HS256", "typ": "causeway-gateway-settings"}) + b"." + payload
    mac = base64.urlsafe_b64encode(hmac.new(pem, signing_input, hashlib.sha256).digest()).rstrip(b"=")
    with pytest.raises(SettingsSignatureWrong):
        verify(signing_input + b"." + mac, PUBLIC)


def test_something_else_that_the_site_signed_is_refused() -> None:
    payload = base64.urlsafe_b64decode(SIGNED.split(b".")[1] + b"==")
    for header in ({"typ": "JWT"}, {"typ": "causeway-token"}):
        with pytest.raises(SettingsSignatureWrong, match="as something else"):
            verify(signed_as(header, payload), PUBLIC)


def test_a_deeply_nested_header_is_refused() -> None:
    nested = base64.urlsafe_b64encode(b"[" * 200_000).rstrip(b"=")
    with pytest.raises(SettingsError):
        verify(nested + b"." + SIGNED.split(b".", 1)[1], PUBLIC)


def test_a_document_beyond_the_limit_is_refused_unread() -> None:
    with pytest.raises(SettingsInvalid, match="the limit is"):
        verify(b"x" * (MAX_DOCUMENT_BYTES + 1), PUBLIC)


# The store.


@pytest.fixture
def store(tmp_path: Path) -> SettingsStore:
    return SettingsStore(tmp_path / "settings", PUBLIC)


def test_an_empty_store_has_nothing(store: SettingsStore) -> None:
    assert store.load() is None
    assert (store.current, store.signed) == (None, b"")


def test_a_newer_document_is_taken_and_kept(store: SettingsStore) -> None:
    assert store.offer(SIGNED) == SETTINGS
    assert store.path.read_bytes() == SIGNED
    newer = version(6)
    assert store.offer(newer) is not None
    again = SettingsStore(store.path, PUBLIC)
    loaded = again.load()
    assert loaded is not None
    assert (loaded.version, again.signed) == (6, newer)


def test_the_same_document_is_nothing_new(store: SettingsStore) -> None:
    store.offer(SIGNED)
    assert store.offer(SIGNED) is None


@pytest.mark.parametrize("offered", [version(4), version(1), version(5, service_name="evil")])
def test_an_older_document_or_another_of_the_same_version_is_refused(store: SettingsStore, offered: bytes) -> None:
    store.offer(SIGNED)
    with pytest.raises(SettingsOlder):
        store.offer(offered)
    assert store.current == SETTINGS
    assert store.path.read_bytes() == SIGNED


def test_a_restart_does_not_bring_an_older_document_back(store: SettingsStore) -> None:
    store.offer(version(9))
    again = SettingsStore(store.path, PUBLIC)
    again.load()
    with pytest.raises(SettingsOlder):
        again.offer(version(8))


def test_a_refused_document_leaves_the_store_as_it_was(store: SettingsStore) -> None:
    store.offer(SIGNED)
    for bad in (b"nonsense", sign(dataclasses.replace(SETTINGS, version=9), OTHER), signed_as({"typ": "JWT"})):
        with pytest.raises(SettingsError):
            store.offer(bad)
    assert store.current == SETTINGS
    assert store.path.read_bytes() == SIGNED


def test_several_workers_never_write_an_older_document_over_a_newer_one(store: SettingsStore) -> None:
    other = SettingsStore(store.path, PUBLIC)
    store.offer(version(7))
    assert other.offer(version(6)) is not None  # newer than what this one has, older than what is kept
    assert other.current is not None
    assert other.current.version == 6
    assert verify(store.path.read_bytes(), PUBLIC).version == 7


def test_loading_never_goes_back_either(store: SettingsStore) -> None:
    store.offer(version(7))
    store.path.write_bytes(version(6))
    loaded = store.load()
    assert loaded is not None
    assert loaded.version == 7


@pytest.mark.parametrize("content", [b"", b"nonsense", SIGNED[:-3], sign(SETTINGS, OTHER)])
def test_a_corrupt_file_is_named_with_what_to_do(store: SettingsStore, content: bytes) -> None:
    store.path.write_bytes(content)
    with pytest.raises(StateError) as caught:
        store.load()
    assert str(caught.value).startswith(f"{store.path}: corrupt gateway settings: ")
    assert str(caught.value).endswith("; remove it, a connection point brings them again")


def test_a_corrupt_file_is_written_over_by_the_next_good_document(store: SettingsStore) -> None:
    store.path.write_bytes(b"nonsense")
    store.offer(SIGNED)
    assert store.path.read_bytes() == SIGNED


def test_what_cannot_be_kept_is_not_in_force(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "none" / "settings", PUBLIC)
    with pytest.raises(StateError, match="cannot be written"):
        store.offer(SIGNED)
    assert store.current is None
    assert store.signed == b""
