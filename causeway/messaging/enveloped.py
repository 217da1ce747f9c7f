"""Enveloped policy bodies: CMS EnvelopedData (RFC 5652, 6) for one client's encryption certificate.

A site sends secret policies so over plain HTTP, and clients accept them over HTTPS too. Known clients read
``aes256-cbc`` and ``des-ede3-cbc`` with RSA PKCS #1 v1.5 or OAEP; one of them reads triple DES only, which is why that
is here and why a site should not choose it without need.
"""

import os
from enum import StrEnum

from asn1crypto import algos, cms, core
from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.messaging.errors import DecryptionError, TooLargeError, UnsupportedError
from causeway.messaging.message import MAX_PLAINTEXT_BYTES
from causeway.messaging.signatures import rsa_key_of

_MAX_RECIPIENTS = 16


class ContentCipher(StrEnum):
    """How the content is encrypted; the values are the names of RFC 3565 and RFC 3370."""

    AES_256_CBC = "aes256_cbc"
    TRIPLE_DES_CBC = "tripledes_3key"


class KeyEncryption(StrEnum):
    """How the content's key is encrypted for the client."""

    PKCS1V15 = "rsaes_pkcs1v15"
    OAEP_SHA1 = "rsaes_oaep"


_OAEP_HASHES: dict[str, type[hashes.SHA1 | hashes.SHA256]] = {"sha1": hashes.SHA1, "sha256": hashes.SHA256}
_OWN_PADDING: dict[KeyEncryption, padding.AsymmetricPadding] = {
    KeyEncryption.PKCS1V15: padding.PKCS1v15(),
    # SHA-1 is OAEP's default, which the known clients write and read; nothing here depends on its collisions.
    KeyEncryption.OAEP_SHA1: padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None),  # noqa: S303
}


def is_enveloped(data: bytes) -> bool:
    """Return whether ``data`` looks like DER rather than text: a text starts with a byte order mark or ``<``."""
    return data[:1] == b"\x30" and data[1:2] not in {b"", b"\0"}


def seal(
    data: bytes,
    certificate: x509.Certificate,
    *,
    cipher: ContentCipher = ContentCipher.AES_256_CBC,
    key_encryption: KeyEncryption = KeyEncryption.PKCS1V15,
) -> bytes:
    """Return ``data`` as DER of CMS EnvelopedData for the owner of ``certificate``.

    Raises:
        UnsupportedError: the certificate's key is not RSA of 2048 to 4096 bits.
    """
    recipient_key = rsa_key_of(certificate)
    key_bytes, block_bits = (32, 128) if cipher is ContentCipher.AES_256_CBC else (24, 64)
    content_key = os.urandom(key_bytes)
    iv = os.urandom(block_bits // 8)
    padder = PKCS7(block_bits).padder()
    encryptor = Cipher(_algorithm(cipher, content_key), modes.CBC(iv)).encryptor()
    encrypted = encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()
    holder = cms.Certificate.load(certificate.public_bytes(Encoding.DER))
    recipient = cms.KeyTransRecipientInfo(
        {
            "version": "v0",
            "rid": cms.RecipientIdentifier(
                {
                    "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                        {"issuer": holder.issuer, "serial_number": holder.serial_number}
                    )
                }
            ),
            "key_encryption_algorithm": _algorithm_of(key_encryption),
            "encrypted_key": recipient_key.encrypt(content_key, _OWN_PADDING[key_encryption]),
        }
    )
    enveloped = cms.EnvelopedData(
        {
            "version": "v0",
            "recipient_infos": [cms.RecipientInfo({"ktri": recipient})],
            "encrypted_content_info": {
                "content_type": "data",
                "content_encryption_algorithm": algos.EncryptionAlgorithm(
                    {"algorithm": cipher.value, "parameters": core.OctetString(iv)}
                ),
                "encrypted_content": encrypted,
            },
        }
    )
    sealed: bytes = cms.ContentInfo({"content_type": "enveloped_data", "content": enveloped}).dump()
    return sealed


def unseal(
    data: bytes, certificate: x509.Certificate, key: rsa.RSAPrivateKey, *, max_bytes: int = MAX_PLAINTEXT_BYTES
) -> bytes:
    """Return the content of CMS EnvelopedData made for ``certificate``, whose key is ``key``.

    Raises:
        TooLargeError: ``data`` is longer than ``max_bytes``.
        UnsupportedError: another cipher or key encryption than those of this module.
        DecryptionError: malformed, for somebody else, or damaged.
    """
    if len(data) > max_bytes:
        raise TooLargeError(f"enveloped body of {len(data)} bytes, and at most {max_bytes} are accepted")
    try:
        return _unseal(data, certificate, key)
    except (ValueError, TypeError, KeyError, OverflowError):
        # asn1crypto parses lazily and says with any of these that the structure is not what it should be.
        raise DecryptionError("not an enveloped body for this client") from None


def _unseal(data: bytes, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> bytes:
    info = cms.ContentInfo.load(data, strict=True)
    if info["content_type"].native != "enveloped_data":
        raise DecryptionError("the body is CMS, but not EnvelopedData")
    recipients = info["content"]["recipient_infos"]
    if len(recipients) > _MAX_RECIPIENTS:
        raise DecryptionError(f"more than {_MAX_RECIPIENTS} recipients")
    recipient = next((one.chosen for one in recipients if _is_for(one, certificate)), None)
    if recipient is None:
        raise DecryptionError("the body is encrypted for another certificate")
    try:
        key_padding = _padding_of(recipient["key_encryption_algorithm"])
        encryption = info["content"]["encrypted_content_info"]["content_encryption_algorithm"]
        cipher = ContentCipher(encryption["algorithm"].native)
    except (ValueError, KeyError):
        raise UnsupportedError("the body is encrypted in a way that is not served") from None
    content_key = key.decrypt(recipient["encrypted_key"].native, key_padding)
    encrypted = info["content"]["encrypted_content_info"]["encrypted_content"].native
    decryptor = Cipher(_algorithm(cipher, content_key), modes.CBC(encryption["parameters"].native)).decryptor()
    unpadder = PKCS7(128 if cipher is ContentCipher.AES_256_CBC else 64).unpadder()
    return unpadder.update(decryptor.update(encrypted) + decryptor.finalize()) + unpadder.finalize()


def _is_for(recipient: cms.RecipientInfo, certificate: x509.Certificate) -> bool:
    if recipient.name != "ktri":
        return False
    identifier = recipient.chosen["rid"]
    if identifier.name == "issuer_and_serial_number":
        issuer: bytes = identifier.chosen["issuer"].dump()
        serial: int = identifier.chosen["serial_number"].native
        return serial == certificate.serial_number and issuer == certificate.issuer.public_bytes()
    wanted: bytes = identifier.chosen.native
    return wanted == x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def _algorithm(cipher: ContentCipher, key: bytes) -> AES | TripleDES:
    return AES(key) if cipher is ContentCipher.AES_256_CBC else TripleDES(key)


def _algorithm_of(key_encryption: KeyEncryption) -> cms.KeyEncryptionAlgorithm:
    # Both take parameters even where they say nothing: NULL (RFC 3370, 4.2.1), the defaults (RFC 4055, 4.1).
    # asn1crypto takes a sequence without fields for one that was forgotten, so it is read from its DER.
    defaults = algos.RSAESOAEPParams.load(b"\x30\0")
    parameters = defaults if key_encryption is KeyEncryption.OAEP_SHA1 else core.Null()
    return cms.KeyEncryptionAlgorithm({"algorithm": key_encryption.value, "parameters": parameters})


def _padding_of(algorithm: cms.KeyEncryptionAlgorithm) -> padding.AsymmetricPadding:
    """Return the padding that a recipient names; ValueError or KeyError: one that is not served."""
    key_encryption = KeyEncryption(algorithm["algorithm"].native)
    parameters = algorithm["parameters"]
    if key_encryption is KeyEncryption.PKCS1V15 or not isinstance(parameters, algos.RSAESOAEPParams):
        return _OWN_PADDING[key_encryption]
    if parameters["p_source_algorithm"]["parameters"].native:
        raise ValueError("a label")
    return padding.OAEP(
        mgf=padding.MGF1(_OAEP_HASHES[parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native]()),
        algorithm=_OAEP_HASHES[parameters["hash_algorithm"]["algorithm"].native](),
        label=None,
    )
