"""Private keys: made here, written with rights for their owner only."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from causeway.errors import StateError
from causeway.files import read_state, write_atomically

CertificateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def new_rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """An RSA key: what Configuration Manager's message signatures need."""
    return rsa.generate_private_key(65537, bits)


def new_p256_key() -> ec.EllipticCurvePrivateKey:
    """A P-256 key: the cheapest handshake for a server."""
    return ec.generate_private_key(ec.SECP256R1())


def private_pem(key: CertificateKey | Ed25519PrivateKey) -> bytes:
    """The key as PKCS#8 PEM, without a passphrase: its file's rights protect it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def load_private_key(path: Path) -> CertificateKey | Ed25519PrivateKey:
    """Read a PEM key.

    Raises:
        StateError: missing, unreadable, or not a key of a kind that Causeway uses.
    """
    data = read_state(path, "a private key")
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise StateError(
            f"{path}: not a private key in PEM form without a passphrase; restore it from a backup"
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey):
        raise StateError(f"{path}: a key of another kind than RSA, EC or Ed25519")
    return key


def new_signing_key(private: Path, public: Path) -> Ed25519PrivateKey:
    """Make the site's settings key: the private half for the site, the public half to be pinned by gateways."""
    key = Ed25519PrivateKey.generate()
    write_atomically(private, private_pem(key))
    write_atomically(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), mode=0o644)
    return key


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """Read the private half of the site's settings key.

    Raises:
        StateError: missing, unreadable, or not an Ed25519 key.
    """
    key = load_private_key(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise StateError(f"{path}: not an Ed25519 key; restore the site's settings key from a backup")
    return key


def load_verification_key(path: Path) -> Ed25519PublicKey:
    """Read the public half of the site's settings key, the one that gateways and connection points pin.

    Raises:
        StateError: missing, unreadable, or not an Ed25519 key.
    """
    data = read_state(path, "the site's public settings key")
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise StateError(f"{path}: not a public key in PEM form; copy it again from the site") from error
    if not isinstance(key, Ed25519PublicKey):
        raise StateError(f"{path}: not an Ed25519 key; copy the site's settings key again")
    return key
