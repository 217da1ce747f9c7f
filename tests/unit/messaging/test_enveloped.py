import contextlib

import pytest
from asn1crypto import algos, cms
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.algorithms import AES128, AES256
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7EnvelopeBuilder,
    PKCS7Options,
    pkcs7_decrypt_der,
)
from hypothesis import given
from hypothesis import strategies as st

from causeway.messaging.enveloped import ContentCipher, KeyEncryption, is_enveloped, seal, unseal
from causeway.messaging.errors import DecryptionError, MessagingError, TooLargeError, UnsupportedError
from causeway.messaging.policy import PolicyBody


@pytest.mark.parametrize("cipher", ContentCipher)
@pytest.mark.parametrize("key_encryption", KeyEncryption)
def test_a_sealed_body_is_opened_by_its_client(
    certificate: x509.Certificate, key: rsa.RSAPrivateKey, cipher: ContentCipher, key_encryption: KeyEncryption
) -> None:
    data = PolicyBody("{p}", "1.00", ()).to_bytes()
    sealed = seal(data, certificate, cipher=cipher, key_encryption=key_encryption)
    assert is_enveloped(sealed)
    assert not is_enveloped(data)
    assert unseal(sealed, certificate, key) == data


def test_a_sealed_body_is_not_opened_by_another_client(
    certificate: x509.Certificate, other_certificate: x509.Certificate, other_key: rsa.RSAPrivateKey
) -> None:
    with pytest.raises(DecryptionError):
        unseal(seal(b"secret", certificate), other_certificate, other_key)


def test_a_sealed_body_over_the_limit_is_refused(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(TooLargeError):
        unseal(seal(b"secret", certificate), certificate, key, max_bytes=10)


def test_a_damaged_sealed_body_never_raises_anything_else(
    certificate: x509.Certificate, key: rsa.RSAPrivateKey
) -> None:
    sealed = seal(b"secret", certificate)

    @given(st.integers(0, len(sealed) - 1), st.integers(1, 255))
    def damaged(position: int, change: int) -> None:
        data = bytearray(sealed)
        data[position] ^= change
        with contextlib.suppress(MessagingError):
            unseal(bytes(data), certificate, key)

    @given(st.binary(), st.integers(0, len(sealed)))
    def cut(other: bytes, length: int) -> None:
        for data in (other, sealed[:length] + other):
            with contextlib.suppress(MessagingError):
                unseal(data, certificate, key)

    damaged()
    cut()


def test_another_implementation_opens_what_is_sealed(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> None:
    assert pkcs7_decrypt_der(seal(b"secret", certificate), certificate, key, []) == b"secret"


def sealed_elsewhere(certificate: x509.Certificate, cipher: type[AES128 | AES256]) -> bytes:
    builder = PKCS7EnvelopeBuilder().set_data(b"secret").set_content_encryption_algorithm(cipher)
    return builder.add_recipient(certificate).encrypt(Encoding.DER, [PKCS7Options.Binary])


def test_what_another_implementation_sealed_is_opened(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> None:
    assert unseal(sealed_elsewhere(certificate, AES256), certificate, key) == b"secret"


def test_a_cipher_that_is_not_served_is_refused(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(UnsupportedError):
        unseal(sealed_elsewhere(certificate, AES128), certificate, key)


def with_oaep(certificate: x509.Certificate, key: rsa.RSAPrivateKey, parameters: object, oaep: padding.OAEP) -> bytes:
    """Seal with the parameters given, whatever they are."""
    info = cms.ContentInfo.load(seal(b"secret", certificate))
    recipient = info["content"]["recipient_infos"][0].chosen
    content_key = key.decrypt(recipient["encrypted_key"].native, padding.PKCS1v15())
    algorithm: dict[str, object] = {"algorithm": "rsaes_oaep"}
    if parameters is not None:
        algorithm["parameters"] = parameters
    recipient["key_encryption_algorithm"] = algorithm
    recipient["encrypted_key"] = key.public_key().encrypt(content_key, oaep)
    made: bytes = info.dump(force=True)
    return made


def mask(name: str) -> dict[str, object]:
    return {"algorithm": "mgf1", "parameters": {"algorithm": name}}


def test_oaep_is_taken_with_the_parameters_that_it_names(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> None:
    sha1 = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)
    sha256 = padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)
    for parameters, oaep in (
        (None, sha1),
        (algos.RSAESOAEPParams.load(b"\x30\0"), sha1),
        ({"hash_algorithm": {"algorithm": "sha256"}, "mask_gen_algorithm": mask("sha256")}, sha256),
    ):
        assert unseal(with_oaep(certificate, key, parameters, oaep), certificate, key) == b"secret"


def test_oaep_with_other_parameters_is_refused(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> None:
    sha1 = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)
    label = {"p_source_algorithm": {"algorithm": "p_specified", "parameters": b"label"}}
    for parameters in ({"hash_algorithm": {"algorithm": "md5"}}, {"mask_gen_algorithm": mask("sha512")}, label):
        with pytest.raises(UnsupportedError):
            unseal(with_oaep(certificate, key, parameters, sha1), certificate, key)
