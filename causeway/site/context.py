"""What the request handlers share: the configuration in force, the keys, the database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.errors import OperatorError
from causeway.gateway_settings import GatewaySettings
from causeway.pki.fingerprints import fingerprints_of
from causeway.pki.keys import load_private_key, load_signing_key
from causeway.site.budget import ByteBudget
from causeway.site.config import SiteConfig
from causeway.site.credentials import Credentials
from causeway.site.database import Database
from causeway.site.metrics import Metrics
from causeway.site.revocation.answers import CertificateAnswers
from causeway.site.revocation.lists import ListsInDatabase
from causeway.site.revocation.watch import RevocationWatch
from causeway.site.settings import Publisher
from causeway.site.token_service import Admission
from causeway.site.token_service.entra_keys import EntraKeys
from causeway.site.token_service.sealing import Seal
from causeway.site.token_service.state import TokenState
from causeway.site.tokens import TokenLedger
from causeway.site.trust import TrustedRoots, read_certificates


@dataclass(frozen=True, slots=True)
class SigningIdentity:
    """A certificate and its RSA key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class InForce:
    """The configuration in force and what was read from the files that it names; replaced whole by a reload.

    Attributes:
        config: the file's content.
        roots: those that approve a device under ``approval = "trusted-root"``.
        client_authorities: the roots and intermediates that gateways trust.
        connection_point_roots: those whose certificates may carry the role of a connection point.
        site_signing: what the site signs with towards devices.
        server_certificate: the management point's.
        settings_key: signs the gateway settings.
        seal: opens the keys that sign tokens.
    """

    config: SiteConfig
    roots: TrustedRoots
    client_authorities: tuple[x509.Certificate, ...]
    connection_point_roots: TrustedRoots
    site_signing: SigningIdentity
    server_certificate: x509.Certificate
    settings_key: Ed25519PrivateKey
    seal: Seal

    @classmethod
    def read(cls, config: SiteConfig) -> "InForce":
        """Read the files that ``config`` names.

        Raises:
            OperatorError: one is missing, unreadable or not what it should be.
        """
        settings_key = load_signing_key(config.gateway.settings_key)
        return cls(
            config=config,
            roots=TrustedRoots(read_certificates(config.management_point.trusted_roots)),
            client_authorities=tuple(read_certificates(config.gateway.trusted_roots)),
            connection_point_roots=TrustedRoots(
                read_certificates([config.server.connection_point_authority or config.server.client_authority])
            ),
            site_signing=_signing_identity(config),
            server_certificate=_first_certificate(config.server.certificate),
            settings_key=settings_key,
            seal=Seal(settings_key),
        )


def _first_certificate(path: Path) -> x509.Certificate:
    return read_certificates([path])[0]


def _signing_identity(config: SiteConfig) -> SigningIdentity:
    certificate = _first_certificate(config.site.signing_certificate)
    key = load_private_key(config.site.signing_key)
    if not isinstance(key, rsa.RSAPrivateKey) or key.public_key() != certificate.public_key():
        raise OperatorError(
            f"{config.site.signing_key}: not the RSA key of {config.site.signing_certificate.name}; "
            "restore both from one backup"
        )
    return SigningIdentity(certificate, key)


class Site:
    """The state of a running site."""

    def __init__(self, in_force: InForce, database: Database) -> None:
        self.in_force = in_force
        self.database = database
        self.metrics = Metrics()
        self.publisher = Publisher(database)
        self.tokens = TokenLedger()
        self.credentials = Credentials(database)
        self.revocation = RevocationWatch(self)
        self.revocation_lists = ListsInDatabase(database)
        self.certificates = CertificateAnswers(self)
        self.draining = False
        self.buffered = ByteBudget(in_force.config.server.max_buffered_bytes)
        self._blocked: frozenset[str] = frozenset()
        self._blocked_names: frozenset[str] = frozenset()
        self._token_state: TokenState | None = None
        self._admission: Admission | None = None
        self.entra_keys = EntraKeys(in_force.config.entra_keys)

    @property
    def config(self) -> SiteConfig:
        """The configuration in force."""
        return self.in_force.config

    @property
    def token_state(self) -> TokenState:
        """The keys that sign tokens; known once the first gateway settings are published."""
        if self._token_state is None:
            raise RuntimeError("the site has not published its gateway settings yet")
        return self._token_state

    @property
    def admission(self) -> Admission:
        """Verifies the tokens that come with requests; known once the first gateway settings are published."""
        if self._admission is None:
            raise RuntimeError("the site has not published its gateway settings yet")
        return self._admission

    def admit(self, token_state: TokenState, settings: GatewaySettings) -> None:
        """Sign tokens with these keys, and take those that ``settings`` let pass, from now on."""
        self._token_state = token_state
        self.entra_keys.configure(settings.entra_tenants)
        self._admission = Admission(settings, self.entra_keys)

    def block(self, fingerprints: Iterable[str], names: Iterable[str] = ()) -> None:
        """Refuse these client certificates, beside those of the configuration, and these names from now on."""
        self._blocked = frozenset(fingerprints)
        self._blocked_names = frozenset(name.lower() for name in names)

    def blocked_name(self, names: Iterable[str]) -> str:
        """The first of ``names`` that is refused, without regard to case; empty where none is."""
        if not self._blocked_names:
            return ""
        return next((name for name in names if name.lower() in self._blocked_names), "")

    def is_blocked(self, fingerprint: str) -> bool:
        """Whether a client certificate, by SHA-256 in hexadecimal, is refused."""
        return fingerprint in self._blocked or fingerprint in self.config.gateway.blocked_certificates

    def is_certificate_blocked(self, certificate: x509.Certificate) -> bool:
        """Whether that certificate, or a twin of it, is refused."""
        return any(self.is_blocked(one) for one in fingerprints_of(certificate.public_bytes(Encoding.DER)))

    @staticmethod
    def now() -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)
