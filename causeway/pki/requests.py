"""Certificate signing requests (PKCS #10, RFC 2986) for a server certificate, and the keys behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from causeway.pki.authority import general_name, leaf_key_usage
from causeway.pki.errors import CertificateFileError
from causeway.pki.keys import CertificateKey, new_rsa_key
from causeway.plan.values import KeyType

_RSA_BITS = {KeyType.RSA_2048: 2048, KeyType.RSA_3072: 3072, KeyType.RSA_4096: 4096}
_CURVES: dict[KeyType, ec.EllipticCurve] = {KeyType.P256: ec.SECP256R1(), KeyType.P384: ec.SECP384R1()}
_MOST_NAME = 64  # X.520's upper bound of a common name; the alternative names carry longer ones


@dataclass(frozen=True, slots=True)
class ServerNames:
    """Whom a server certificate is for.

    Attributes:
        common_name: of the subject; repeated as the first alternative name.
        organisation: of the subject; empty for none.
        alternative_names: further DNS names and IP addresses.
    """

    common_name: str
    organisation: str = ""
    alternative_names: tuple[str, ...] = ()

    @property
    def all_names(self) -> tuple[str, ...]:
        """Every name once, the common name first."""
        return tuple(dict.fromkeys((self.common_name, *self.alternative_names)))

    @property
    def subject(self) -> x509.Name:
        """The subject; without a common name where that is longer than one may be."""
        parts = []
        if self.organisation:
            parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organisation))
        if len(self.common_name) <= _MOST_NAME:
            parts.append(x509.NameAttribute(NameOID.COMMON_NAME, self.common_name))
        return x509.Name(parts)


def new_key(kind: KeyType) -> CertificateKey:
    """A fresh private key of that kind."""
    if kind in _RSA_BITS:
        return new_rsa_key(_RSA_BITS[kind])
    return ec.generate_private_key(_CURVES[kind])


def key_kind(key: object) -> str:
    """What an administrator calls a key, private or public: ``RSA 2048``, ``P-256``."""
    match key:
        case rsa.RSAPrivateKey() | rsa.RSAPublicKey():
            return f"RSA {key.key_size}"
        case ec.EllipticCurvePrivateKey() | ec.EllipticCurvePublicKey():
            return {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}.get(
                key.curve.name, key.curve.name
            )
    return type(key).__name__.removesuffix("PublicKey").removesuffix("PrivateKey")


def new_request(names: ServerNames, key: CertificateKey) -> x509.CertificateSigningRequest:
    """A signed request for server authentication.

    Raises:
        ValueError: a name is none that a certificate can hold.
    """
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(names.subject)
        .add_extension(x509.SubjectAlternativeName([general_name(name) for name in names.all_names]), critical=False)
        .add_extension(leaf_key_usage(key.public_key()), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def request_pem(request: x509.CertificateSigningRequest) -> bytes:
    """The request as certificate authorities take it."""
    return request.public_bytes(Encoding.PEM)


def read_request(data: bytes, name: str) -> x509.CertificateSigningRequest:
    """A request in PEM or DER whose own signature holds; ``name`` is named in errors.

    Raises:
        CertificateFileError: it is none, or its signature does not hold.
    """
    load = x509.load_pem_x509_csr if data.lstrip().startswith(b"-----") else x509.load_der_x509_csr
    try:
        request = load(data)
        good = request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise CertificateFileError(f"{name}: not a certificate signing request (PEM or DER)") from error
    if not good:
        raise CertificateFileError(f"{name}: the request's signature does not hold; have it made anew")
    return request


def names_in(alternative: x509.SubjectAlternativeName) -> Sequence[str]:
    """The DNS names and IP addresses of an extension, in order."""
    return [str(name.value) for name in alternative if isinstance(name, x509.DNSName | x509.IPAddress)]
