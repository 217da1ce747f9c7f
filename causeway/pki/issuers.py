"""Who issued a certificate: the authorities that are known, and the chains that they make."""

import hashlib
from collections.abc import Callable, Iterable

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from causeway.pki.unreadable import UNREADABLE

_LONGEST_CHAIN = 10


def issuer_id(certificate: x509.Certificate) -> str:
    """An authority by name and key, SHA-256 in hexadecimal: a renewed certificate of the same key is the same one."""
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(certificate.subject.public_bytes() + key).hexdigest()


def may_sign(certificate: x509.Certificate, what: Callable[[x509.KeyUsage], bool]) -> bool:
    """Whether the key usage allows ``what``, or does not limit it.

    Raises:
        ValueError: the extensions are malformed.
    """
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return what(usage)


class Authorities:
    """The roots and intermediates that are trusted, and who among them issued whom."""

    def __init__(self, certificates: Iterable[x509.Certificate]) -> None:
        """Only those that may issue certificates count."""
        self._by_name: dict[bytes, list[x509.Certificate]] = {}
        self.all = tuple(one for one in dict.fromkeys(certificates) if _may_issue(one))
        for certificate in self.all:
            self._by_name.setdefault(certificate.subject.public_bytes(), []).append(certificate)
        self._chains: dict[x509.Certificate, list[tuple[x509.Certificate, ...]]] = {}

    def issuers_of(self, certificate: x509.Certificate) -> list[x509.Certificate]:
        """Those whose name and key fit its issuer and its signature: one, or a few where an authority was renewed."""
        named = self._by_name.get(certificate.issuer.public_bytes(), ())
        return [one for one in named if _issued(one, certificate)]

    def chains_of(self, certificate: x509.Certificate) -> list[tuple[x509.Certificate, ...]]:
        """The ways from a certificate's issuer up to a root; empty where there is none."""
        found: list[tuple[x509.Certificate, ...]] = []
        for issuer in self.issuers_of(certificate):
            found += self._upwards(issuer)
        return found

    def incomplete(self) -> dict[str, str]:
        """Who is missing: by the subject of an intermediate without its issuer, that issuer's name."""
        return {
            one.subject.rfc4514_string(): one.issuer.rfc4514_string()
            for one in self.all
            if not is_root(one) and not self.issuers_of(one)
        }

    def top_of(self, certificate: x509.Certificate) -> str:
        """The name of the first authority that is missing above ``certificate``; it has no chain."""
        for _ in range(_LONGEST_CHAIN):
            issuers = [one for one in self.issuers_of(certificate) if one != certificate]
            if not issuers:
                break
            certificate = issuers[0]
        return certificate.issuer.rfc4514_string()

    def _upwards(self, authority: x509.Certificate) -> list[tuple[x509.Certificate, ...]]:
        known = self._chains.get(authority)
        if known is None:
            known = self._chains[authority] = list(self._walk((authority,)))
        return known

    def _walk(self, so_far: tuple[x509.Certificate, ...]) -> Iterable[tuple[x509.Certificate, ...]]:
        top = so_far[-1]
        if is_root(top):
            yield so_far
        elif len(so_far) < _LONGEST_CHAIN:
            for issuer in self.issuers_of(top):
                if issuer not in so_far and _allows(issuer, below=len(so_far)):
                    yield from self._walk((*so_far, issuer))


def is_root(certificate: x509.Certificate) -> bool:
    """Whether it stands for itself."""
    return certificate.subject == certificate.issuer and _issued(certificate, certificate)


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def _may_issue(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        return constraints.ca and may_sign(certificate, lambda usage: usage.key_cert_sign)
    except (*UNREADABLE, x509.ExtensionNotFound):
        return False


def _allows(issuer: x509.Certificate, *, below: int) -> bool:
    """Whether its path length allows ``below`` authorities between it and the client's certificate."""
    constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
    return constraints.path_length is None or below <= constraints.path_length
