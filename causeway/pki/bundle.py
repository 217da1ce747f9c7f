"""A certificate with its chain and its key, from whatever file an authority or an administrator hands over.

PEM (any number of certificates, with or without a key), DER, PFX (PKCS #12, RFC 7292) and PKCS #7 (RFC 2315, ``.p7b``).
"""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from causeway.files import read_state
from causeway.pki.errors import CertificateFileError, PassphraseError
from causeway.pki.keys import CertificateKey

MAX_FILE_BYTES = 1024 * 1024
"""Far above any chain; a file beyond it is something else."""

_KEY = b"PRIVATE KEY-----"
_PKCS7 = b"-----BEGIN PKCS7-----"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a file or several hold.

    Attributes:
        certificates: in the order in which they came; the server's own is among them, wherever.
        key: the private key, where one came along.
    """

    certificates: tuple[x509.Certificate, ...]
    key: CertificateKey | None = None

    def __repr__(self) -> str:
        return f"Bundle({len(self.certificates)} certificates, key={'***' if self.key else None})"


def read_bundle(path: Path, passphrase: bytes | None = None) -> Bundle:
    """Read a file of any of those forms.

    Raises:
        StateError: it is missing or unreadable.
        CertificateFileError: it holds neither a certificate nor a key.
        PassphraseError: it needs a passphrase, or another one.
    """
    return parse_bundle(read_state(path, "a certificate or key"), str(path), passphrase)


def read_bundles(paths: Iterable[Path], passphrase: bytes | None = None) -> Bundle:
    """What several files hold together; the first key counts.

    Raises:
        StateError: a file is missing or unreadable.
        CertificateFileError: one of them holds neither a certificate nor a key.
        PassphraseError: one needs a passphrase, or another one.
    """
    bundles = [read_bundle(path, passphrase) for path in paths]
    certificates = dict.fromkeys(certificate for bundle in bundles for certificate in bundle.certificates)
    return Bundle(tuple(certificates), next((bundle.key for bundle in bundles if bundle.key is not None), None))


def parse_bundle(data: bytes, name: str, passphrase: bytes | None = None) -> Bundle:
    """The same of bytes; ``name`` is named in errors.

    Raises:
        CertificateFileError: they hold neither a certificate nor a key.
        PassphraseError: they need a passphrase, or another one.
    """
    if len(data) > MAX_FILE_BYTES:
        raise CertificateFileError(f"{name}: has {len(data)} bytes; no certificate file is as large as that")
    try:
        if b"-----BEGIN" in data:
            return _pem(data, name, passphrase)
        return _binary(data, name, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateFileError(
            f"{name}: holds no certificate or key that can be read (PEM, DER, PFX or PKCS #7): {_first_line(error)}"
        ) from error


def _pem(data: bytes, name: str, passphrase: bytes | None) -> Bundle:
    if _PKCS7 in data:
        return Bundle(_pkcs7(pkcs7.load_pem_pkcs7_certificates, data))
    certificates: list[x509.Certificate] = []
    if b"-----BEGIN CERTIFICATE-----" in data:
        certificates = x509.load_pem_x509_certificates(data)
    key = _private_key(data, name, passphrase) if _KEY in data else None
    if not certificates and key is None:
        raise ValueError("no certificate and no private key among its PEM blocks")
    return Bundle(tuple(certificates), key)


def _binary(data: bytes, name: str, passphrase: bytes | None) -> Bundle:
    try:
        return Bundle((x509.load_der_x509_certificate(data),))
    except ValueError:
        pass
    try:
        return Bundle(_pkcs7(pkcs7.load_der_pkcs7_certificates, data))
    except (ValueError, UnsupportedAlgorithm):
        return _pfx(data, name, passphrase)


def _pkcs7(load: Callable[[bytes], list[x509.Certificate]], data: bytes) -> tuple[x509.Certificate, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # OpenSSL and Windows write their sets in an order of their own
        found = tuple(load(data))
    if not found:
        raise ValueError("PKCS #7 without certificates")
    return found


def _pfx(data: bytes, name: str, passphrase: bytes | None) -> Bundle:
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(data, passphrase)
    except ValueError as error:
        if "password" in str(error).lower():
            wrong = "the passphrase is not this file's" if passphrase else "it needs a passphrase"
            raise PassphraseError(f"{name}: {wrong}; give the right one with --passphrase-file") from error
        raise
    if certificate is None and not others and key is None:
        raise ValueError("an empty PFX")
    return Bundle(((certificate,) if certificate else ()) + tuple(others), _usable(key, name))


def _private_key(data: bytes, name: str, passphrase: bytes | None) -> CertificateKey | None:
    start = data.index(b"-----BEGIN", max(0, data.index(_KEY) - 40))
    block = data[start:]
    encrypted = b"ENCRYPTED" in block.split(b"-----END", 1)[0]
    try:
        key = serialization.load_pem_private_key(block, passphrase if encrypted else None)
    except (TypeError, ValueError) as error:
        if encrypted:
            wrong = "the passphrase is not this key's" if passphrase else "the key needs its passphrase"
            raise PassphraseError(f"{name}: {wrong}; give the right one with --passphrase-file") from error
        raise
    return _usable(key, name)


def _usable(key: object, name: str) -> CertificateKey | None:
    if key is None or isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        return key
    raise CertificateFileError(f"{name}: its key is neither RSA nor EC; servers of the field take no other")


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
