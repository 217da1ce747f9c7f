"""A server certificate's chain: put in order, completed, and led to a root; or what is missing of it, by name."""

import ssl
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.utils import CryptographyDeprecationWarning

from causeway.pki.errors import CertificateFileError
from causeway.pki.keys import CertificateKey

_LONGEST = 12


@dataclass(frozen=True, slots=True)
class Chain:
    """From the server's certificate upwards.

    Attributes:
        certificates: the server's own, then each one's issuer; the root last, where it was at hand.
        missing: the name of the issuer that was not at hand; empty where the chain ends in a root.
        publicly_trusted: the root is one that this machine trusts.
    """

    certificates: tuple[x509.Certificate, ...]
    missing: str
    publicly_trusted: bool

    @property
    def leaf(self) -> x509.Certificate:
        """The server's own."""
        return self.certificates[0]

    @property
    def root(self) -> x509.Certificate | None:
        """The root, where the chain leads to one."""
        return None if self.missing else self.certificates[-1]

    @property
    def to_serve(self) -> tuple[x509.Certificate, ...]:
        """What a server sends: everything but the root, which clients have.

        A certificate that comes right from its root goes with it all the same: for one that stands alone OpenSSL
        searches a chain at every handshake.
        """
        if self.root is None or len(self.certificates) <= 2:
            return self.certificates
        return self.certificates[:-1]


def build_chain(leaf: x509.Certificate, others: Iterable[x509.Certificate]) -> Chain:
    """The chain of ``leaf`` out of ``others`` and the roots that this machine trusts."""
    candidates = list(others)
    trusted = trusted_roots()
    chain = [leaf]
    while not _issued(chain[-1], chain[-1]):
        issuer = _issuer_of(chain[-1], candidates) or _issuer_of(chain[-1], trusted)
        if issuer is None or issuer in chain or len(chain) == _LONGEST:
            return Chain(tuple(chain), chain[-1].issuer.rfc4514_string(), publicly_trusted=False)
        chain.append(issuer)
    return Chain(tuple(chain), "", publicly_trusted=chain[-1] in trusted)


def find_leaf(certificates: Sequence[x509.Certificate], key: CertificateKey | None, name: str) -> x509.Certificate:
    """The server's own certificate among ``certificates``: that of ``key``, or else the one that issued no other.

    Raises:
        CertificateFileError: there is none, or several could be it; ``name`` says where they came from.
    """
    if not certificates:
        raise CertificateFileError(f"{name}: a key, but no certificate")
    if key is not None:
        mine = [one for one in certificates if belongs_to(one, key)]
        if not mine:
            raise CertificateFileError(f"{name}: none of its certificates is for the key; was the request another's?")
        return mine[0]
    lowest = [one for one in certificates if not any(_issued(one, two) for two in certificates if two is not one)]
    ends = [one for one in lowest if not _is_authority(one)] or lowest
    if len(ends) != 1:
        raise CertificateFileError(f"{name}: {len(ends)} certificates could be the server's; name its file alone")
    return ends[0]


def belongs_to(certificate: x509.Certificate | x509.CertificateSigningRequest, key: CertificateKey) -> bool:
    """Whether ``key`` is the private half of the certificate's or request's key."""
    public = certificate.public_key()
    return isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) and public == key.public_key()


@lru_cache(maxsize=1)
def trusted_roots() -> tuple[x509.Certificate, ...]:
    """The roots that this machine trusts for servers; those that cannot be read count for nothing."""
    roots = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)  # old roots with odd serial numbers
        for der in ssl.create_default_context().get_ca_certs(binary_form=True):
            try:
                roots.append(x509.load_der_x509_certificate(der))
            except ValueError:
                continue
    return tuple(roots)


def _issuer_of(certificate: x509.Certificate, candidates: Iterable[x509.Certificate]) -> x509.Certificate | None:
    return next((one for one in candidates if one != certificate and _issued(one, certificate)), None)


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        if issuer.subject != certificate.issuer:
            return False
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.ExtensionNotFound):
        return False
