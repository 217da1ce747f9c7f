"""The site's own certificate authority: for those who have no PKI, and for what passes between Causeway's own parts.

The authority's key is RSA on purpose: a gateway verifies a device's certificate at every handshake, and verifying an
RSA signature costs a fifth of verifying an ECDSA one.
"""

import datetime
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from causeway.errors import StateError
from causeway.files import make_private_folder, read_state, write_atomically
from causeway.pki.errors import CertificateFileError
from causeway.pki.keys import CertificateKey, load_private_key, new_rsa_key, private_pem
from causeway.pki.roles import Role

_CLOCK_SKEW = datetime.timedelta(minutes=5)
_AUTHORITY_LIFETIME = datetime.timedelta(days=3650)
LEAF_LIFETIME = datetime.timedelta(days=397)
_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DNS_NAME = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
_MOST_DNS_NAME = 253


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key, in PEM; a server's certificate is followed by its chain, root included."""

    certificate_pem: bytes
    key_pem: bytes

    def __repr__(self) -> str:
        return "Issued(certificate_pem=…, key_pem=***)"

    def write(self, certificate: Path, key: Path) -> None:
        """Write both; the key first, so that a certificate on disk always has its key."""
        write_atomically(key, self.key_pem)
        write_atomically(certificate, self.certificate_pem, mode=0o644)


@dataclass(frozen=True, slots=True)
class Authority:
    """A root that issues server, connection point, site system and device certificates."""

    certificate: x509.Certificate
    key: CertificateKey

    @classmethod
    def create(cls, folder: Path, name: str) -> "Authority":
        """Make an authority called ``name`` and keep it in ``folder`` (``ca.pem``, ``ca.key``)."""
        make_private_folder(folder)
        key = new_rsa_key(3072)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _CLOCK_SKEW)
            .not_valid_after(now + _AUTHORITY_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(certificate_authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_atomically(folder / "ca.key", private_pem(key))
        write_atomically(folder / "ca.pem", certificate.public_bytes(Encoding.PEM), mode=0o644)
        return cls(certificate, key)

    @classmethod
    def open(cls, folder: Path) -> "Authority":
        """Read the authority kept in ``folder``.

        Raises:
            StateError: a file is missing, corrupt, or the key is not the certificate's.
        """
        path = folder / "ca.pem"
        if not path.exists() and not (folder / "ca.key").exists():
            raise StateError(
                f"{folder}: no authority is there; make one with `causeway authority create`, or name its folder with "
                "--authority"
            )
        key = load_private_key(folder / "ca.key")
        try:
            certificate = x509.load_pem_x509_certificate(read_state(path, "the authority's certificate"))
        except ValueError as error:
            raise StateError(f"{path}: not a certificate in PEM form; restore it from a backup") from error
        if certificate.public_key() != key.public_key() or not isinstance(key, CertificateKey):
            raise StateError(f"{path}: not the certificate of ca.key beside it; restore both from one backup")
        return cls(certificate, key)

    @property
    def pem(self) -> bytes:
        """The root certificate, to be trusted by the others."""
        return self.certificate.public_bytes(Encoding.PEM)

    def issue_server(self, names: Iterable[str], key: CertificateKey, role: Role) -> Issued:
        """A server certificate for DNS names and IP addresses; the first name is its common name.

        The root goes with it, though clients have it: for a certificate that stands alone OpenSSL searches and verifies
        a chain at every handshake, which costs a server more than a kilobyte sent.
        """
        issued = self._issue(list(names), key, role, [ExtendedKeyUsageOID.SERVER_AUTH])
        return Issued(issued.certificate_pem + self.pem, issued.key_pem)

    def sign_server_request(
        self, request: x509.CertificateSigningRequest, names: list[str], *, lifetime: datetime.timedelta = LEAF_LIFETIME
    ) -> bytes:
        """A gateway's certificate for the key of ``request`` and for ``names``, followed by the root, in PEM.

        Raises:
            CertificateFileError: the key is of another kind than RSA or EC.
            ValueError: a name is none that a certificate can hold.
        """
        key = request.public_key()
        if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            raise CertificateFileError("the request's key is neither RSA nor EC; have the request made anew")
        certificate = self._certificate(names, key, Role.GATEWAY, [ExtendedKeyUsageOID.SERVER_AUTH], lifetime)
        return certificate.public_bytes(Encoding.PEM) + self.pem

    def issue_client(
        self, name: str, key: CertificateKey, role: Role, *, lifetime: datetime.timedelta = LEAF_LIFETIME
    ) -> Issued:
        """A client certificate for a device or a connection point called ``name``."""
        return self._issue([name], key, role, [ExtendedKeyUsageOID.CLIENT_AUTH], lifetime)

    def _issue(
        self,
        names: list[str],
        key: CertificateKey,
        role: Role,
        usages: list[x509.ObjectIdentifier],
        lifetime: datetime.timedelta = LEAF_LIFETIME,
    ) -> Issued:
        certificate = self._certificate(names, key.public_key(), role, usages, lifetime)
        return Issued(certificate.public_bytes(Encoding.PEM), private_pem(key))

    def _certificate(
        self,
        names: list[str],
        key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
        role: Role,
        usages: list[x509.ObjectIdentifier],
        lifetime: datetime.timedelta,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        end = min(now + lifetime, self.certificate.not_valid_after_utc)
        start = min(now, end) - _CLOCK_SKEW  # an end in the past makes an expired certificate, for tests and drills
        alternative: list[x509.GeneralName] = [general_name(name) for name in names]
        alternative.append(x509.UniformResourceIdentifier(role))
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]))
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(leaf_key_usage(key), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.SubjectAlternativeName(alternative), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.certificate.public_key()),  # type: ignore[arg-type]
                critical=False,
            )
            .sign(self.key, hashes.SHA256())
        )


def general_name(name: str) -> x509.GeneralName:
    """A DNS name or an IP address, as it stands in a subject alternative name.

    Raises:
        ValueError: it is neither (a DNS name is ASCII; an international one comes in its ``xn--`` form).
    """
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        if len(name) > _MOST_DNS_NAME or not _DNS_NAME.fullmatch(name):
            raise ValueError(f"{name[:100]!r} is no DNS name, such as gateway.contoso.com, and no IP address") from None
        return x509.DNSName(name)


def leaf_key_usage(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> x509.KeyUsage:
    """The key usage of a certificate that is no authority's."""
    return _key_usage(encipherment=isinstance(key, rsa.RSAPublicKey))


def _key_usage(*, certificate_authority: bool = False, encipherment: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=encipherment,
        data_encipherment=encipherment,
        key_cert_sign=certificate_authority,
        crl_sign=certificate_authority,
        content_commitment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
