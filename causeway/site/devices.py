"""What an operator decides about devices; a running site follows within a second."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from causeway.errors import OperatorError
from causeway.site.database import Database, blocks, credentials, devices, gateway_settings
from causeway.site.database.devices import DeviceRow
from causeway.site.database.models import ApprovalState, BlockKind, CertificateUse, CredentialKind

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
    """Let a device in that waits.

    Raises:
        OperatorError: it is blocked.
    """
    if device.approval is ApprovalState.BLOCKED:
        raise OperatorError(f"{device.smsid} is blocked; `causeway site devices unblock` takes the block away")
    devices.approve(database, device.number, "approved by an operator")


def block(database: Database, device: DeviceRow, reason: str) -> None:
    """Refuse a device at the management point and at every gateway, however it shows who it is."""
    devices.block(database, device.number, reason or "blocked by an operator", now=datetime.now(UTC))


def unblock(database: Database, device: DeviceRow) -> ApprovalState:
    """Let a device be again what it was before it was blocked, and return that.

    Raises:
        OperatorError: it is not blocked.
    """
    approval = devices.unblock(database, device.number)
    if approval is None:
        raise OperatorError(
            f"{device.smsid} is not blocked; `causeway site devices list --approval blocked` shows who is"
        )
    return approval


def still_refused(database: Database, device: DeviceRow) -> list[str]:
    """What else refuses a device that is not blocked (any more), each with the command that takes it away."""
    certificates = {one.fingerprint for one in certificates_of(database, device)} | {
        one.value
        for one in credentials.of_device(database, device.number)
        if one.kind is CredentialKind.TLS_CERTIFICATE
    }
    found = [
        f"its certificate {one.fingerprint} is blocked: `causeway site certificates unblock {one.fingerprint}`"
        for one in gateway_settings.blocked(database)
        if one.fingerprint in certificates
    ]
    names = {device.netbios_name.lower(), device.fq_name.lower()}
    found += [
        f"its name {one.value} is blocked: `causeway site blocks remove name {one.value}`"
        for one in blocks.of_kind(database, BlockKind.NAME)
        if one.value in names
    ]
    return found


def remove(database: Database, device: DeviceRow) -> None:
    """Forget a device. It may register again, as another one; tokens that it has kept count for nothing.

    Raises:
        OperatorError: it is blocked: a device that is forgotten is not refused.
    """
    if device.approval is ApprovalState.BLOCKED:
        raise OperatorError(
            f"{device.smsid} is blocked, and could register again once it is forgotten; leave it blocked, or let it in "
            "first with `causeway site devices unblock`"
        )
    now = datetime.now(UTC)
    devices.remove(database, device.number, now=now, tokens_end_at=now + _LONGEST_TOKEN)
