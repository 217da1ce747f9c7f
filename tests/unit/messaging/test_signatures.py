import contextlib
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from causeway.messaging.client_auth import (
    ClientToken,
    parse_client_token,
    sign_message,
    sign_token_headers,
    verify_message,
    verify_token,
)
from causeway.messaging.errors import FieldError, MessagingError, SignatureError, UnsupportedError
from causeway.messaging.hooks import ClientAuth, Hooks
from causeway.messaging.message import Message, compose, decode, encode
from causeway.messaging.signatures import (
    client_id_bytes,
    decode_certificate,
    decode_public_key,
    encode_certificate,
    encode_public_key,
    require_sha256,
    rsa_key_of,
    sign,
    token_bytes,
    verify,
)

MINUTE = timedelta(minutes=1)


def test_a_signature_is_byte_reversed_upper_case_hex(key: rsa.RSAPrivateKey) -> None:
    signature = sign(key, b"data")
    assert signature == signature.upper()
    key.public_key().verify(bytes.fromhex(signature)[::-1], b"data", padding.PKCS1v15(), hashes.SHA256())
    verify(key.public_key(), b"data", signature)


def test_a_signature_by_another_key_or_over_other_data_is_refused(
    key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey
) -> None:
    with pytest.raises(SignatureError):
        verify(other_key.public_key(), b"data", sign(key, b"data"))
    with pytest.raises(SignatureError):
        verify(key.public_key(), b"other", sign(key, b"data"))


def test_a_sha1_signature_is_refused(key: rsa.RSAPrivateKey) -> None:
    old = key.sign(b"data", padding.PKCS1v15(), hashes.SHA1())[::-1].hex()
    with pytest.raises(SignatureError):
        verify(key.public_key(), b"data", old)
    with pytest.raises(UnsupportedError):
        require_sha256("1.2.840.113549.1.1.5")


@pytest.mark.parametrize("signature", ["", "xx", "ABC", "AB", "AB" * 2000, "\u0661\u0661"])
def test_a_malformed_signature_is_refused(key: rsa.RSAPrivateKey, signature: str) -> None:
    with pytest.raises(SignatureError):
        verify(key.public_key(), b"data", signature)


def test_the_signed_bytes_end_with_a_nul() -> None:
    assert client_id_bytes("guid:a") == b"G\0U\0I\0D\0:\0A\0\0\0"
    assert token_bytes("a") == b"a\0\0\0"
    assert token_bytes("a", terminated=False) == b"a\0"


def test_a_public_key_blob_has_microsofts_header(key: rsa.RSAPrivateKey) -> None:
    blob = encode_public_key(key.public_key())
    assert blob.startswith("0602000000A40000525341310008000001000100")
    assert len(blob) == 2 * (20 + 256)
    assert decode_public_key(blob).public_numbers() == key.public_key().public_numbers()


@given(st.text(max_size=50) | st.binary(max_size=300).map(lambda data: "0602000000A4000052534131" + data.hex()))
def test_an_arbitrary_public_key_is_taken_or_refused(text: str) -> None:
    with contextlib.suppress(MessagingError):
        decode_public_key(text)
    with contextlib.suppress(MessagingError):
        decode_certificate(text)


@pytest.mark.parametrize(
    ("bits", "exponent", "modulus", "error"),
    [
        (1024, 65537, b"\xff" * 128, UnsupportedError),
        (2**31, 65537, b"\xff" * 128, UnsupportedError),
        (2048, 65537, b"\xff" * 255, SignatureError),
        (2048, 65537, b"\xff" * 255 + b"\0", SignatureError),
        (2048, 0, b"\xff" * 256, SignatureError),
        (2049, 65537, b"\xff" * 257, SignatureError),
    ],
)
def test_a_lying_public_key_blob_is_refused(
    bits: int, exponent: int, modulus: bytes, error: type[MessagingError]
) -> None:
    blob = bytes.fromhex("0602000000a40000") + b"RSA1" + bits.to_bytes(4, "little") + exponent.to_bytes(4, "little")
    with pytest.raises(error):
        decode_public_key((blob + modulus).hex())


def test_a_certificate_comes_back(certificate: x509.Certificate) -> None:
    assert decode_certificate(encode_certificate(certificate)) == certificate


@pytest.mark.filterwarnings("ignore")  # the library says of some broken certificates that it will refuse them one day
def test_a_changed_certificate_is_whole_or_refused(certificate: x509.Certificate) -> None:
    der = certificate.public_bytes(Encoding.DER)

    @given(st.lists(st.tuples(st.integers(0, len(der) - 1), st.integers(0, 255)), min_size=1, max_size=3))
    def changed(changes: list[tuple[int, int]]) -> None:
        data = bytearray(der)
        for position, byte in changes:
            data[position] = byte
        with contextlib.suppress(MessagingError):
            found = decode_certificate(data.hex())
            assert found.subject.rfc4514_string() is not None
            assert found.not_valid_before_utc is not None
            assert len(found.extensions) >= 0
            rsa_key_of(found)

    changed()


def test_a_certificate_of_an_unknown_version_is_refused(certificate: x509.Certificate) -> None:
    der = encode_certificate(certificate)
    with pytest.raises(SignatureError):
        decode_certificate(der.replace("A003020102", "A003020105", 1))


def test_a_certificate_with_another_key_than_rsa_is_refused(certificate: x509.Certificate, when: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    elliptic = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(certificate.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(when)
        .not_valid_after(when + MINUTE)
        .sign(key, hashes.SHA256())
    )
    with pytest.raises(UnsupportedError):
        rsa_key_of(elliptic)
    assert rsa_key_of(certificate).key_size == 2048


def test_a_certificate_with_a_huge_exponent_is_refused(
    certificate: x509.Certificate, key: rsa.RSAPrivateKey, when: datetime
) -> None:
    slow = rsa.RSAPublicNumbers((1 << 64) + 1, key.public_key().public_numbers().n).public_key()
    made = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(certificate.subject)
        .public_key(slow)
        .serial_number(1)
        .not_valid_before(when)
        .not_valid_after(when + MINUTE)
        .sign(key, hashes.SHA256())
    )
    with pytest.raises(UnsupportedError, match="exponent"):
        rsa_key_of(made)


@pytest.fixture
def signed(key: rsa.RSAPrivateKey, smsid: str) -> Message:
    return sign_message(compose("<A/>", "MP_PolicyManager", source_host="PC1"), key, smsid)


def test_a_signed_message_proves_its_sender(signed: Message, key: rsa.RSAPrivateKey, smsid: str) -> None:
    assert verify_message(decode(*encode(signed)), key.public_key()) == smsid


def test_a_changed_payload_is_refused(signed: Message, key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(SignatureError):
        verify_message(replace(signed, payload=signed.payload + b"\0"), key.public_key())


def test_another_identity_than_the_signed_one_is_refused(signed: Message, key: rsa.RSAPrivateKey) -> None:
    other = replace(signed.header, source_id="GUID:00000000-0000-0000-0000-000000000001")
    with pytest.raises(SignatureError):
        verify_message(replace(signed, header=other), key.public_key())


def with_auth(message: Message, auth: ClientAuth | None) -> Message:
    return replace(message, header=replace(message.header, hooks=Hooks(True, auth)))


def test_a_key_in_the_hook_other_than_the_registered_one_is_refused(
    signed: Message, key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey, smsid: str
) -> None:
    forged = sign_message(compose("<A/>", "MP_PolicyManager"), other_key, smsid)
    with pytest.raises(SignatureError, match="another key"):
        verify_message(forged, key.public_key())
    auth = forged.header.hooks.client_auth
    assert auth is not None
    with pytest.raises(SignatureError):
        verify_message(with_auth(forged, replace(auth, public_key="")), key.public_key())


def test_an_unsigned_message_is_refused(signed: Message, key: rsa.RSAPrivateKey) -> None:
    for auth in (None, ClientAuth()):
        with pytest.raises(SignatureError, match="not signed"):
            verify_message(with_auth(signed, auth), key.public_key())


def test_a_message_that_names_another_algorithm_is_refused(signed: Message, key: rsa.RSAPrivateKey) -> None:
    auth = signed.header.hooks.client_auth
    assert auth is not None
    with pytest.raises(UnsupportedError):
        verify_message(with_auth(signed, replace(auth, hash_algorithm="1.2.840.113549.1.1.5")), key.public_key())


def test_a_payload_signature_alone_is_enough(signed: Message, key: rsa.RSAPrivateKey, smsid: str) -> None:
    auth = signed.header.hooks.client_auth
    assert auth is not None
    bare = with_auth(signed, ClientAuth(payload_signature=auth.payload_signature))
    assert verify_message(bare, key.public_key()) == smsid


def test_token_headers_prove_their_sender(key: rsa.RSAPrivateKey, smsid: str, when: datetime) -> None:
    headers = sign_token_headers(key, smsid, now=when)
    assert headers["ClientToken"] == f"{smsid};2026-11-23T05:06:08Z;2"
    token = verify_token(
        key.public_key(), headers["ClientToken"], headers["ClientTokenSignature"], max_age=MINUTE, now=when
    )
    assert token == ClientToken(smsid, when)


def test_a_token_signed_without_its_nul_and_in_braces_is_taken(
    key: rsa.RSAPrivateKey, smsid: str, when: datetime
) -> None:
    text = f"{{{smsid.removeprefix('GUID:').lower()}}};2026-11-23T05:06:08Z"
    signature = sign(key, token_bytes(text, terminated=False))
    token = verify_token(key.public_key(), text, signature, max_age=MINUTE, now=when)
    assert token == ClientToken(smsid, when, None)


@pytest.mark.parametrize("minutes", [-2, 2])
def test_a_token_from_another_time_is_refused(key: rsa.RSAPrivateKey, smsid: str, when: datetime, minutes: int) -> None:
    headers = sign_token_headers(key, smsid, now=when + minutes * MINUTE)
    with pytest.raises(SignatureError, match="time"):
        verify_token(
            key.public_key(), headers["ClientToken"], headers["ClientTokenSignature"], max_age=MINUTE, now=when
        )


def test_a_changed_token_is_refused(key: rsa.RSAPrivateKey, smsid: str, when: datetime) -> None:
    headers = sign_token_headers(key, smsid, now=when)
    with pytest.raises(SignatureError):
        verify_token(
            key.public_key(),
            str(ClientToken(smsid, when, 3)),
            headers["ClientTokenSignature"],
            max_age=MINUTE,
            now=when,
        )


@pytest.mark.parametrize(
    "text",
    ["", "GUID:x", "GUID:x;y;2", "GUID:2B0CC2E3-9A4D-4C53-B1B3-6E0C1C7D8A90;2026-11-23T05:06:08Z;2;9", "a;" * 200],
)
def test_a_malformed_token_is_refused(text: str) -> None:
    with pytest.raises(FieldError):
        parse_client_token(text)


@given(st.text())
def test_an_arbitrary_token_is_taken_or_refused(text: str) -> None:
    with contextlib.suppress(MessagingError):
        parse_client_token(text)
