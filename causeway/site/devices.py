"""What an operator decides about devices; a running site follows within a second."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from causeway.site.database import Database, devices, gateway_settings
from causeway.site.database.devices import DeviceRow
from causeway.site.database.models import ApprovalState, CertificateUse

# As long as the configuration lets a device's token last.
_LONGEST_TOKEN = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A device's certificate, for people."""

    use: CertificateUse
    subject: str
    not_valid_after: datetime
    fingerprint: str


def certificates_of(database: Database, device: DeviceRow) -> list[CertificateFacts]:
    """The certificates that the device registered."""
    found = []
    for use, der in devices.certificates_of(database, device.number):
        certificate = x509.load_der_x509_certificate(der)
        found.append(
            CertificateFacts(
                use,
                certificate.subject.rfc4514_string(),
                certificate.not_valid_after_utc,
                certificate.fingerprint(SHA256()).hex(),
            )
        )
    return found


def approve(database: Database, device: DeviceRow) -> None:
    """Let a device in, whatever it was before."""
    for certificate in certificates_of(database, device):
        gateway_settings.unblock(database, certificate.fingerprint)
    devices.decide(database, device.number, ApprovalState.APPROVED, "approved by an operator")


def block(database: Database, device: DeviceRow, reason: str) -> None:
    """Refuse a device at the management point, and its certificates at every gateway."""
    devices.decide(database, device.number, ApprovalState.BLOCKED, reason or "blocked by an operator")
    for certificate in certificates_of(database, device):
        gateway_settings.block(
            database, certificate.fingerprint, f"device {device.smsid} is blocked", now=datetime.now(UTC)
        )


def remove(database: Database, device: DeviceRow) -> None:
    """Forget a device. It may register again, as another one; tokens that it has kept count for nothing."""
    now = datetime.now(UTC)
    devices.remove(database, device.number, now=now, tokens_end_at=now + _LONGEST_TOKEN)
