"""What a site system needs to verify the tokens that say who a client is."""

from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from causeway.connection_point.config import SETTINGS_FILE, ConnectionPointConfig
from causeway.connection_point.signed_identity import algorithm_of, encoded_chain, issuer_of, key_id_of, role_chain
from causeway.errors import StateError
from causeway.files import read_state
from causeway.gateway_settings import SettingsStore
from causeway.pki.chain import build_chain
from causeway.pki.export import pem_chain
from causeway.pki.keys import load_verification_key


@dataclass(frozen=True, slots=True)
class IdentityKeys:
    """What stays is the root: with it the certificate that comes in each token is verified, whoever signed.

    Attributes:
        issuer: ``iss``; empty before the first gateway settings.
        algorithm: what this connection point signs with.
        jwks: the public key of this connection point, a JSON Web Key Set (RFC 7517); another one has another.
        root: the root that its role certificate leads to, PEM; empty where that is not at hand.
        missing: the name of the certificate that is not at hand; empty where ``root`` is there.
    """

    issuer: str
    algorithm: str
    jwks: dict[str, Any]
    root: str
    missing: str


def identity_keys(config: ConnectionPointConfig) -> IdentityKeys:
    """Read them from the files of a connection point, which need not run.

    Raises:
        StateError: a file is missing or not what it should be, or the role certificate's key signs no tokens.
    """
    chain = role_chain(config.identity)
    algorithm = algorithm_of(chain[0])
    path = config.site.authority
    try:
        authorities = x509.load_pem_x509_certificates(read_state(path, "the site's authority"))
    except ValueError as error:
        raise StateError(f"{path}: not a certificate in PEM form") from error
    # Only what the operator has named counts: that this machine trusts a root for servers says nothing of roles.
    found = build_chain(chain[0], [*chain[1:], *authorities])
    root = found.root if found.root in authorities else None
    settings = SettingsStore(config.state / SETTINGS_FILE, load_verification_key(config.site.key)).load()
    key = {
        **_public_jwk(chain[0]),
        "use": "sig",
        "alg": algorithm,
        "kid": key_id_of(chain[0]),
        "x5c": encoded_chain(chain),
    }
    return IdentityKeys(
        issuer="" if settings is None else issuer_of(settings.site_code),
        algorithm=algorithm,
        jwks={"keys": [key]},
        root="" if root is None else pem_chain([root]).decode(),
        missing="" if root is not None else found.missing or found.certificates[-1].subject.rfc4514_string(),
    )


def _public_jwk(certificate: x509.Certificate) -> dict[str, Any]:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return RSAAlgorithm.to_jwk(key, as_dict=True)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return ECAlgorithm.to_jwk(key, as_dict=True)
    raise StateError("the role certificate's key signs no tokens")
