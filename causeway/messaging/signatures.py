"""RSA signatures as the protocol writes them, and the byte strings that they cover.

A signature is RSA PKCS #1 v1.5 with SHA-256, its bytes reversed (CryptoAPI is little-endian), in upper-case hex. Texts
are signed as UTF-16 little-endian without a byte order mark; short values with their closing NUL character.
"""

import binascii

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.messaging.errors import SignatureError, UnsupportedError
from causeway.messaging.text import encode_utf16

SHA256_WITH_RSA = "1.2.840.113549.1.1.11"
MIN_KEY_BITS = 2048
MAX_KEY_BITS = 4096
_MAX_EXPONENT_BITS = 32
_MAX_CERTIFICATE_HEX = 32 * 1024

# What the library raises for a certificate that is not one; few of them have a parent in common.
_BROKEN_CERTIFICATE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)

# CryptoAPI's PUBLICKEYSTRUC: PUBLICKEYBLOB, version 2, reserved, CALG_RSA_SIGN is 0x2400 and CALG_RSA_KEYX 0xA400.
_BLOB_HEADER = bytes.fromhex("0602000000a40000")
_BLOB_SIGN_HEADER = bytes.fromhex("0602000000240000")
_BLOB_MAGIC = b"RSA1"


def sign(key: rsa.RSAPrivateKey, data: bytes) -> str:
    """Return the signature of ``data`` as the protocol writes it."""
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())[::-1].hex().upper()


def verify(key: rsa.RSAPublicKey, data: bytes, signature: str) -> None:
    """Check a byte-reversed hex signature over ``data``.

    Raises:
        SignatureError: it is not hex of the key's size, or does not match.
    """
    raw = unhex(signature, "a signature", max_characters=MAX_KEY_BITS // 4)
    try:
        key.verify(raw[::-1], data, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise SignatureError("a signature does not match what it should cover") from None


def require_sha256(algorithm: str) -> None:
    """Refuse every signature algorithm but RSA with SHA-256; an empty name stands for it.

    Raises:
        UnsupportedError: another algorithm, the older SHA-1 (``1.2.840.113549.1.1.5``) above all.
    """
    if algorithm and algorithm.strip() != SHA256_WITH_RSA:
        raise UnsupportedError(f"signature algorithm {algorithm[:40]!r}; only {SHA256_WITH_RSA} is accepted")


def registration_bytes(data_xml: str) -> bytes:
    """Return what a registration's ``SignatureValue`` covers: the ``<Data>`` element exactly as sent."""
    return encode_utf16(data_xml)


def client_id_bytes(smsid: str) -> bytes:
    """Return what ``ClientIDSignature`` covers: the identity in upper case and a NUL."""
    return encode_utf16(smsid.upper(), terminated=True)


def token_bytes(token: str, *, terminated: bool = True) -> bytes:
    """Return what ``ClientTokenSignature`` covers: the token, and a NUL except with some media clients."""
    return encode_utf16(token, terminated=terminated)


def encode_public_key(key: rsa.RSAPublicKey) -> str:
    """Return the hex of the key's PUBLICKEYBLOB (Microsoft's "Base Provider Key BLOBs": header, RSAPUBKEY, modulus)."""
    numbers = key.public_numbers()
    blob = (
        _BLOB_HEADER
        + _BLOB_MAGIC
        + key.key_size.to_bytes(4, "little")
        + numbers.e.to_bytes(4, "little")
        + numbers.n.to_bytes(key.key_size // 8, "little")
    )
    return blob.hex().upper()


def decode_public_key(text: str) -> rsa.RSAPublicKey:
    """Return the key of a PUBLICKEYBLOB in hex.

    Raises:
        SignatureError: not such a blob, or its sizes contradict each other.
        UnsupportedError: the key is smaller than 2048 or larger than 4096 bits.
    """
    blob = unhex(text, "a public key", max_characters=2 * (20 + MAX_KEY_BITS // 8))
    if len(blob) < 20 or blob[:8] not in {_BLOB_HEADER, _BLOB_SIGN_HEADER} or blob[8:12] != _BLOB_MAGIC:
        raise SignatureError("a public key is not an RSA PUBLICKEYBLOB")
    bits = int.from_bytes(blob[12:16], "little")
    if not MIN_KEY_BITS <= bits <= MAX_KEY_BITS:
        raise UnsupportedError(f"RSA key of {bits} bits; {MIN_KEY_BITS} to {MAX_KEY_BITS} are accepted")
    if bits % 8 or len(blob) != 20 + bits // 8:
        raise SignatureError("a public key's length contradicts its own header")
    modulus = int.from_bytes(blob[20:], "little")
    if modulus.bit_length() != bits:
        raise SignatureError("a public key's modulus is not as long as its header says")
    try:
        return rsa.RSAPublicNumbers(int.from_bytes(blob[16:20], "little"), modulus).public_key()
    except ValueError:
        raise SignatureError("a public key's numbers are not an RSA key") from None


def encode_certificate(certificate: x509.Certificate) -> str:
    """Return a certificate as upper-case hex of its DER, as registrations and location replies carry it."""
    return certificate.public_bytes(Encoding.DER).hex().upper()


def decode_certificate(text: str) -> x509.Certificate:
    """Return the certificate in ``text``, hex of its DER. Whether it is valid is not looked at.

    Names, times and extensions are readable in what this returns: the library reads them only when they are asked for,
    and nobody who asks later should meet a certificate that is broken there.

    Raises:
        SignatureError: not hex, or not a whole certificate.
    """
    der = unhex(text, "a certificate", max_characters=_MAX_CERTIFICATE_HEX)
    try:
        certificate = x509.load_der_x509_certificate(der)
        _read_every_field(certificate)
    except _BROKEN_CERTIFICATE:
        raise SignatureError("a certificate is not DER of an X.509 certificate") from None
    return certificate


def _read_every_field(certificate: x509.Certificate) -> tuple[object, ...]:
    return (
        certificate.subject.rfc4514_string(),
        certificate.issuer.rfc4514_string(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        certificate.signature_hash_algorithm,
        certificate.extensions,
    )


def rsa_key_of(certificate: x509.Certificate) -> rsa.RSAPublicKey:
    """Return the certificate's RSA key.

    Raises:
        UnsupportedError: another kind of key, or one outside 2048 to 4096 bits, or with a public exponent over 32 bits.
    """
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise UnsupportedError("the certificate's public key cannot be read") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise UnsupportedError("the message format signs with RSA; the certificate's key is of another kind")
    if not MIN_KEY_BITS <= key.key_size <= MAX_KEY_BITS:
        raise UnsupportedError(f"RSA key of {key.key_size} bits; {MIN_KEY_BITS} to {MAX_KEY_BITS} are accepted")
    # A long exponent makes every verification as slow as a signature, and no client has one.
    if key.public_numbers().e.bit_length() > _MAX_EXPONENT_BITS:
        raise UnsupportedError("the certificate's public exponent is unusually large")
    return key


def unhex(text: str, what: str, *, max_characters: int) -> bytes:
    """Return the bytes of hex text; ``what`` names it in the error.

    Raises:
        SignatureError: empty, too long, or not hex.
    """
    text = text.strip()
    if not text or len(text) > max_characters:
        raise SignatureError(f"{what} is missing or longer than {max_characters} hex digits")
    try:
        return binascii.unhexlify(text)
    except (binascii.Error, ValueError):
        raise SignatureError(f"{what} is not hex") from None
