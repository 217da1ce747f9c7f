"""Who the client is, as a short-lived JSON Web Token that a site system can verify by itself.

The connection point signs with the key of its role certificate and sends the certificate along (``x5c``, RFC 7515,
4.1.6), so that a site system needs nothing but the root of the site's authority (``docs/signed-identity.md``).
"""

import base64
import json
from collections import OrderedDict
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.connection_point.config import IdentitySection
from causeway.errors import StateError
from causeway.files import read_state
from causeway.identity import Identity, Kind
from causeway.pki.chain import belongs_to, build_chain
from causeway.pki.keys import CertificateKey, load_private_key
from causeway.refusals import Refused

HEADER = "X-Causeway-Identity"
TYPE = "causeway-identity+jwt"
LIFETIME_S = 60
REUSED_FOR_S = 30
"""A token that is sent has at least the rest of its lifetime left."""

_MOST_CLIENTS = 4096
_NOT_SIGNED = "CMGConnector_IdentityNotSigned"


class IdentitySigner:
    """The key and certificate of the connection point's role, as a signer of tokens.

    Attributes:
        algorithm: what it signs with; empty where it cannot.
        problem: why it cannot sign; empty where it can.
    """

    def __init__(self, identity: IdentitySection) -> None:
        """Nothing is read before ``load``; until then nothing can be signed."""
        self._files = identity
        self._key: CertificateKey | None = None
        self._header: dict[str, Any] = {}
        self.algorithm = ""
        self.problem = "the role certificate has not been read"

    def load(self) -> None:
        """Take key and certificate from their files, also where they were renewed; what was in force stays if it fails.

        Raises:
            StateError: they cannot be read, do not belong together, or are of a kind that signs no tokens.
        """
        try:
            chain = role_chain(self._files)
            key = load_private_key(self._files.key)
            if not isinstance(key, CertificateKey) or not belongs_to(chain[0], key):
                raise StateError(f"{self._files.key}: not the RSA or EC key of {self._files.certificate}")
            self.algorithm, self._header = algorithm_of(chain[0]), _header(chain)
            self._key = key
        except StateError as error:
            if self._key is None:
                self.problem = str(error)
            raise
        self.problem = ""

    def sign(self, claims: dict[str, Any]) -> bytes:
        """A token with these claims. Costs some 60 µs with a P-256 key, half a millisecond with RSA 2048.

        Raises:
            Refused: there is no key that could sign.
        """
        if self._key is None:
            raise Refused(_NOT_SIGNED, self.problem)
        payload = json.dumps(claims, separators=(",", ":")).encode()
        return jwt.PyJWS().encode(payload, self._key, algorithm=self.algorithm, headers=self._header).encode()


class SignedIdentities:
    """The header lines of one endpoint. A client's is signed once and reused for half of its lifetime."""

    __slots__ = ("_audience", "_endpoint", "_issuer", "_lines", "_signer")

    def __init__(self, signer: IdentitySigner | None, issuer: str, audience: str, endpoint: str) -> None:
        self._signer = signer
        self._issuer = issuer
        self._audience = audience
        self._endpoint = endpoint
        self._lines: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()  # the oldest first

    def line(self, identity: bytes, now: float) -> bytes:
        """The header line for the client of a prelude, with its CRLF; empty for an anonymous one.

        Args:
            identity: as it stands in the prelude.
            now: seconds since 1970: tokens are good by that clock, so it also says which may be reused.

        Raises:
            Refused: it cannot be signed.
            ValueError: the identity is of no known form.
        """
        known = self._lines.get(identity)
        if known is not None and known[0] <= now < known[0] + REUSED_FOR_S:
            return known[1]
        line = self._signed(identity, int(now))
        self._lines.pop(identity, None)
        if len(self._lines) >= _MOST_CLIENTS:
            self._lines.popitem(last=False)
        self._lines[identity] = now, line
        return line

    def _signed(self, identity: bytes, now: int) -> bytes:
        client = Identity.decode(identity)
        if client.kind is Kind.ANONYMOUS:
            return b""
        if self._signer is None:
            raise Refused(_NOT_SIGNED)
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": client.device or client.fingerprint or client.user or client.token,
            "iat": now,
            "exp": now + LIFETIME_S,
            "endpoint": self._endpoint,
            **client.facts(),
        }
        return b"%b: %b\r\n" % (HEADER.encode(), self._signer.sign(claims))


def issuer_of(site_code: str) -> str:
    """``iss``: the same at every connection point of a site."""
    return f"urn:causeway:site:{site_code}"


def audience_of(upstream: str) -> str:
    """``aud``: the origin of the internal URL (RFC 6454, 6.2), in lower case and without the scheme's own port."""
    url = urlsplit(upstream)
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    port = url.port if url.port not in {None, {"https": 443}.get(url.scheme, 80)} else None
    return f"{url.scheme}://{host}" + (f":{port}" if port else "")


def role_chain(identity: IdentitySection) -> tuple[x509.Certificate, ...]:
    """The role certificate and the intermediates of its file, in order; without a root.

    Raises:
        StateError: the file holds no certificate.
    """
    try:
        leaf, *others = x509.load_pem_x509_certificates(read_state(identity.certificate, "the role certificate"))
    except ValueError as error:
        raise StateError(f"{identity.certificate}: not a certificate in PEM form") from error
    own = {leaf, *others}
    chain = build_chain(leaf, others)
    return tuple(one for one in chain.certificates if one in own and (one is leaf or one.subject != one.issuer))


def algorithm_of(certificate: x509.Certificate) -> str:
    """What the certificate's key signs with (RFC 7518, 3.1).

    Raises:
        StateError: it is of a kind that signs no tokens.
    """
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        return "RS256"
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return "ES256"
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP384R1):
        return "ES384"
    raise StateError(
        "the role certificate's key signs no tokens; have the site issue one with a P-256, P-384 or RSA key (2048 bits)"
    )


def key_id_of(certificate: x509.Certificate) -> str:
    """``kid``: the certificate's SHA-256 in base64url, as in ``x5t#S256`` (RFC 7515, 4.1.8)."""
    return base64.urlsafe_b64encode(certificate.fingerprint(SHA256())).rstrip(b"=").decode()


def encoded_chain(chain: tuple[x509.Certificate, ...]) -> list[str]:
    """``x5c``: each certificate's DER in base64, the role certificate first."""
    return [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in chain]


def _header(chain: tuple[x509.Certificate, ...]) -> dict[str, Any]:
    return {"typ": TYPE, "kid": key_id_of(chain[0]), "x5c": encoded_chain(chain)}
