"""Which certificates the site believes: those that chain to a trusted root, are valid now, and are not blocked."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from causeway.errors import OperatorError

_AUTHORITY = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)


def _for_clients(_policy: Policy, _certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
    if usage is not None and not {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(
        usage
    ):
        raise ValueError("the certificate is not meant for clients")


_DEVICE = ExtensionPolicy.permit_all().may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _for_clients)

_MAX_FILE_BYTES = 1024 * 1024


def read_certificates(paths: Iterable[Path]) -> list[x509.Certificate]:
    """The certificates in files, in order: PEM, any number of them, or DER, a single one.

    Raises:
        OperatorError: a file is missing, unreadable, too large or holds no certificate.
    """
    found: list[x509.Certificate] = []
    for path in paths:
        try:
            with path.open("rb") as file:
                data = file.read(_MAX_FILE_BYTES + 1)
            if len(data) > _MAX_FILE_BYTES:
                raise OperatorError(f"{path}: has more than {_MAX_FILE_BYTES} bytes; it is no file of authorities")
            if b"-----BEGIN" in data:
                found += x509.load_pem_x509_certificates(data)
            else:
                found.append(x509.load_der_x509_certificate(data))
        except OSError as error:
            raise OperatorError(f"{path}: cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise OperatorError(f"{path}: no certificates in PEM or DER form") from error
    return found


class TrustedRoots:
    """Roots, and intermediates that are trusted as they stand."""

    def __init__(self, certificates: list[x509.Certificate]) -> None:
        self._store = Store(certificates) if certificates else None

    def vouch_for(self, certificate: x509.Certificate, *, now: datetime) -> bool:
        """Whether ``certificate`` is valid at ``now`` (UTC) and chains to one of the roots."""
        if self._store is None:
            return False
        # Certificates of an organisation's own authority follow its habits, not the web's: a device's may have no
        # alternative name, an old root no key identifier. Signatures, times and constraints are checked all the same.
        verifier = (
            PolicyBuilder()
            .store(self._store)
            .time(now)
            .extension_policies(ca_policy=_AUTHORITY, ee_policy=_DEVICE)
            .build_client_verifier()
        )
        try:
            verifier.verify(certificate, [])
        except (VerificationError, ValueError, UnsupportedAlgorithm):
            return False
        return True


def is_valid_at(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether ``now`` (UTC) lies in the certificate's time."""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
