"""The keys that a device proves itself with, and the certificate that it registers.

Without a PKI the certificate is self-signed, in the form of a Configuration Manager client in mixed mode: its two
purposes are the client's own signing and encryption (public clients, and the "SMS" certificate store of a client).
"""

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from causeway.device.config import DeviceConfig
from causeway.errors import ConfigurationError, StateError
from causeway.files import read_state, write_atomically
from causeway.messaging.signatures import MAX_KEY_BITS, MIN_KEY_BITS
from causeway.pki.keys import load_private_key, new_rsa_key, private_pem

_KEY_FILE = "signing.key"
_CERTIFICATE_FILE = "registration.pem"
_LIFETIME = datetime.timedelta(days=3650)
# The site may be behind this machine's clock.
_CLOCK_SKEW = datetime.timedelta(days=1)
_SMS_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.311.101.2")
_SMS_ENCRYPTION = x509.ObjectIdentifier("1.3.6.1.4.1.311.101")


@dataclass(frozen=True, slots=True)
class DeviceKeys:
    """The registration certificate and the RSA key behind it, which signs messages and opens policies."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the registration certificate in hex: what the state belongs to."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def __repr__(self) -> str:
        return f"DeviceKeys(key=***, certificate={self.certificate.subject.rfc4514_string()!r})"


def load_or_make_keys(config: DeviceConfig) -> DeviceKeys:
    """Return the device's keys: the PKI certificate when it is RSA, otherwise those in its state folder.

    The folder's are made when it has none.

    Raises:
        StateError: the folder's files are damaged or belong to different keys.
        ConfigurationError: the PKI certificate and key cannot be read.
    """
    if config.certificate is not None and config.key is not None:
        key, certificate = _pki_pair(config.certificate, config.key)
        if isinstance(key, rsa.RSAPrivateKey) and MIN_KEY_BITS <= key.key_size <= MAX_KEY_BITS:
            return DeviceKeys(key, certificate)
    key_file, certificate_file = config.state / _KEY_FILE, config.state / _CERTIFICATE_FILE
    if not key_file.exists():
        # The key first: a certificate on the disk always has its key.
        write_atomically(key_file, private_pem(new_rsa_key()))
        certificate_file.unlink(missing_ok=True)
    key = load_private_key(key_file)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise StateError(f"{key_file}: not an RSA key; delete it and register again")
    if not certificate_file.exists():
        made = self_signed(key, config.name)
        write_atomically(certificate_file, made.public_bytes(Encoding.PEM))
    try:
        certificate = x509.load_pem_x509_certificate(read_state(certificate_file, "the registration certificate"))
        matches = certificate.public_key() == key.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise StateError(f"{certificate_file}: not a certificate in PEM form; delete it and register again") from None
    if not matches:
        raise StateError(f"{certificate_file}: belongs to another key than {key_file}; delete it and register again")
    return DeviceKeys(key, certificate)


def self_signed(key: rsa.RSAPrivateKey, name: str) -> x509.Certificate:
    """Return a new mixed-mode registration certificate for ``key``, with the device's name as a DNS name."""
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ConfigMgr Client")])
    usage = x509.KeyUsage(
        digital_signature=True,
        data_encipherment=True,
        content_commitment=False,
        key_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
        .add_extension(usage, critical=False)
        .add_extension(x509.ExtendedKeyUsage([_SMS_SIGNING, _SMS_ENCRYPTION]), critical=False)
    )
    try:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    except ValueError:
        # A host name that is not ASCII cannot be written there; the name travels in the registration anyway.
        return builder.sign(key, hashes.SHA256())
    return builder.sign(key, hashes.SHA256())


def _pki_pair(certificate_file: Path, key_file: Path) -> tuple[object, x509.Certificate]:
    try:
        certificate = x509.load_pem_x509_certificate(read_state(certificate_file, "the PKI certificate"))
        key = load_private_key(key_file)
    except (ValueError, x509.InvalidVersion, StateError) as error:
        raise ConfigurationError(f"{certificate_file} with {key_file}: cannot be used: {error}") from None
    return key, certificate
