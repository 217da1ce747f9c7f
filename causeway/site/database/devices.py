"""Devices: who they are, whether they are approved, when they were last heard of."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from causeway.site.database import blocks, bulk_tokens
from causeway.site.database.engine import Database
from causeway.site.database.gateway_settings import note_change
from causeway.site.database.models import (
    NAME_CHARACTERS,
    ApprovalState,
    CertificateUse,
    Collection,
    CollectionMember,
    Device,
    DeviceCertificate,
    Registration,
)

ALL_SYSTEMS = "SMS00001"
_REGISTRATIONS_KEPT = 10
# A device that asks often need not cost a write each time: the column says when it was last heard of, to the minute.
_CONTACT_RESOLUTION = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device as the rest of the site sees it; the moments are in UTC."""

    number: int
    smsid: str
    netbios_name: str
    fq_name: str
    agent_version: str
    approval: ApprovalState
    approval_reason: str
    blocked_at: datetime | None
    registered_at: datetime
    last_contact_at: datetime
    last_policy_at: datetime | None
    last_heartbeat_at: datetime | None
    last_inventory_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device and its certificates, in DER, for checking what it signs and for encrypting to it."""

    device: DeviceRow
    signing_certificate: bytes
    encryption_certificate: bytes


@dataclass(frozen=True, slots=True)
class UsedBulkToken:
    """The bulk registration token of a registration: its id, and SHA-256 of its text, in hexadecimal."""

    id: str
    token_hash: str


@dataclass(frozen=True, slots=True)
class NewRegistration:
    """A registration whose signature was verified.

    Attributes:
        smsid: the id for a device that is new.
        approval_reason: why it is approved at once; empty where it is to wait.
        digest: SHA-256 of the signed data, in hexadecimal: the same message twice is one registration.
        message_time: when the device says that it registered; an older message than the last one changes nothing.
        address: where it came from.
        bulk_token: what it was let in with; a use of it is counted with the registration or not at all.
    """

    smsid: str
    signing_certificate: x509.Certificate
    encryption_certificate: x509.Certificate
    netbios_name: str
    fq_name: str
    agent_version: str
    approval_reason: str
    digest: str
    message_time: datetime
    address: str
    bulk_token: UsedBulkToken | None = None


def identity_of(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate's public key: what makes a device the same one after its certificate was renewed."""
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def register(database: Database, new: NewRegistration, *, now: datetime, max_pending: int) -> DeviceRow | None:
    """Record a registration and return its device, known by its key or new; None where too many wait for approval.

    Raises:
        SiteTokenRefused: its bulk registration token does not count (any more).
    """
    identity = identity_of(new.signing_certificate)
    with database.write(alone="registrations") as session:
        used = None
        if new.bulk_token is not None:
            used = bulk_tokens.use(session, new.bulk_token.id, new.bulk_token.token_hash, identity, now=now)
        device = session.scalar(select(Device).where(_is_identity(identity)))
        if device is None:
            if not new.approval_reason and _count_pending(session) >= max_pending:
                return None
            device = _new_device(session, new, now)
        elif new.message_time >= device.registration_time:
            _renew(device, new)
        device.last_contact_at = now
        if new.approval_reason and device.approval == ApprovalState.PENDING:
            device.approval, device.approval_reason = ApprovalState.APPROVED, new.approval_reason
        if used is not None:
            used.device_id = device.id
        _record(session, device, new, now)
        session.flush()
        return _row(device)


def find(database: Database, smsid: str) -> KnownDevice | None:
    """The device of that id, with its certificates."""
    with database.read() as session:
        device = session.scalar(select(Device).where(Device.smsid == smsid))
        if device is None:
            return None
        der = {certificate.use: certificate.der for certificate in device.certificates}
        return KnownDevice(_row(device), der[CertificateUse.SIGNING], der[CertificateUse.ENCRYPTION])


def find_by_identity(database: Database, identity: str) -> DeviceRow | None:
    """The device whose signing key has this digest, see ``identity_of``."""
    with database.read() as session:
        device = session.scalar(select(Device).where(_is_identity(identity)))
        return None if device is None else _row(device)


def matching(database: Database, text: str) -> list[DeviceRow]:
    """The devices whose number, id, or name is ``text``, without regard to case."""
    wanted = text.strip().lower()
    conditions: list[ColumnElement[bool]] = [
        func.lower(Device.smsid) == (wanted if wanted.startswith("guid:") else f"guid:{wanted}"),
        func.lower(Device.netbios_name) == wanted,
        func.lower(Device.fq_name) == wanted,
    ]
    if wanted.isdecimal() and len(wanted) < 10:
        conditions.append(Device.id == int(wanted))
    with database.read() as session:
        return [_row(device) for device in session.scalars(select(Device).where(or_(*conditions)).order_by(Device.id))]


def everything(database: Database, *, approval: ApprovalState | None = None) -> list[DeviceRow]:
    """All devices, or those of one approval, by number."""
    query = select(Device).order_by(Device.id)
    if approval is not None:
        query = query.where(Device.approval == approval)
    with database.read() as session:
        return [_row(device) for device in session.scalars(query)]


def count_by_approval(database: Database) -> dict[ApprovalState, int]:
    """How many devices stand where."""
    with database.read() as session:
        rows = session.execute(select(Device.approval, func.count()).group_by(Device.approval)).all()
    return dict.fromkeys(ApprovalState, 0) | {ApprovalState(state): number for state, number in rows}


def approve(database: Database, number: int, reason: str) -> None:
    """Approve a device that is not blocked."""
    with database.write() as session:
        session.execute(
            update(Device)
            .where(Device.id == number, Device.approval != ApprovalState.BLOCKED)
            .values(approval=ApprovalState.APPROVED, approval_reason=reason[:NAME_CHARACTERS])
        )
        note_change(session)


def block(database: Database, number: int, reason: str, *, now: datetime) -> None:
    """Block a device; what it was is kept for the day on which it is unblocked."""
    with database.write() as session:
        device = session.get(Device, number, with_for_update=True)
        if device is None:
            return
        if device.approval != ApprovalState.BLOCKED:
            device.approval_before_block, device.reason_before_block = device.approval, device.approval_reason
            device.blocked_at = now
        device.approval, device.approval_reason = ApprovalState.BLOCKED, reason[:NAME_CHARACTERS]
        note_change(session)


def unblock(database: Database, number: int) -> ApprovalState | None:
    """Let a device be again what it was before it was blocked, and return that; None where it is not blocked.

    One that was blocked by a version that did not keep that waits for approval.
    """
    with database.write() as session:
        device = session.get(Device, number, with_for_update=True)
        if device is None or device.approval != ApprovalState.BLOCKED:
            return None
        device.approval = device.approval_before_block or ApprovalState.PENDING
        device.approval_reason = device.reason_before_block or ""
        device.approval_before_block = device.reason_before_block = device.blocked_at = None
        note_change(session)
        return ApprovalState(device.approval)


def remove(database: Database, number: int, *, now: datetime, tokens_end_at: datetime) -> None:
    """Forget a device and all that it sent; tokens that it still has count for nothing until they have ended."""
    with database.write(alone="blocks") as session:
        smsid = session.scalar(select(Device.smsid).where(Device.id == number))
        if smsid is None:
            return
        session.execute(delete(Device).where(Device.id == number))
        blocks.note_removed_device(session, smsid, now=now, until=tokens_end_at)


def note_policy_request(database: Database, device: DeviceRow, *, now: datetime) -> None:
    """Remember that the device asked for policy."""
    if device.last_policy_at is not None and now - device.last_policy_at < _CONTACT_RESOLUTION:
        return
    with database.write() as session:
        session.execute(
            update(Device).where(Device.id == device.number).values(last_policy_at=now, last_contact_at=now)
        )


def certificates_of(database: Database, number: int) -> list[tuple[CertificateUse, bytes]]:
    """The certificates of a device, in DER."""
    query = (
        select(DeviceCertificate).where(DeviceCertificate.device_id == number).order_by(DeviceCertificate.use.desc())
    )
    with database.read() as session:
        return [(CertificateUse(certificate.use), certificate.der) for certificate in session.scalars(query)]


def fingerprint_of_thumbprint(database: Database, thumbprint: str) -> str | None:
    """The SHA-256 fingerprint of a registered certificate, by the SHA-1 that Windows shows; None where none has it."""
    with database.read() as session:
        for der in session.scalars(select(DeviceCertificate.der).execution_options(yield_per=1000)):
            if hashlib.sha1(der, usedforsecurity=False).hexdigest() == thumbprint:
                return hashlib.sha256(der).hexdigest()
    return None


def _is_identity(identity: str) -> ColumnElement[bool]:
    return Device.certificates.any(DeviceCertificate.identity == identity)


def _count_pending(session: Session) -> int:
    return session.scalar(select(func.count()).where(Device.approval == ApprovalState.PENDING)) or 0


def _new_device(session: Session, new: NewRegistration, now: datetime) -> Device:
    device = Device(
        smsid=new.smsid,
        approval=ApprovalState.PENDING,
        approval_reason="",
        registered_at=now,
        certificates=[
            DeviceCertificate(use=CertificateUse.SIGNING, identity=identity_of(new.signing_certificate)),
            DeviceCertificate(use=CertificateUse.ENCRYPTION, identity=None),
        ],
    )
    _renew(device, new)
    device.last_contact_at = now
    session.add(device)
    session.flush()
    all_systems = session.scalar(select(Collection.id).where(Collection.collection_id == ALL_SYSTEMS))
    if all_systems is not None:
        session.add(CollectionMember(collection_id=all_systems, device_id=device.id))
    return device


def _renew(device: Device, new: NewRegistration) -> None:
    device.netbios_name = new.netbios_name[:NAME_CHARACTERS]
    device.fq_name = new.fq_name[:NAME_CHARACTERS]
    device.agent_version = new.agent_version[:NAME_CHARACTERS]
    device.registration_time = new.message_time
    for certificate in device.certificates:
        signing = certificate.use == CertificateUse.SIGNING
        source = new.signing_certificate if signing else new.encryption_certificate
        certificate.fingerprint = source.fingerprint(SHA256()).hex()
        certificate.der = source.public_bytes(Encoding.DER)


def _record(session: Session, device: Device, new: NewRegistration, now: datetime) -> None:
    mine = select(Registration.id).where(Registration.device_id == device.id)
    if session.scalar(mine.where(Registration.digest == new.digest)) is not None:
        return
    session.add(
        Registration(
            device_id=device.id,
            received_at=now,
            message_time=new.message_time,
            address=new.address[:NAME_CHARACTERS],
            subject=new.signing_certificate.subject.rfc4514_string()[:NAME_CHARACTERS],
            digest=new.digest,
        )
    )
    session.flush()
    kept = mine.order_by(Registration.id.desc()).limit(_REGISTRATIONS_KEPT)
    session.execute(delete(Registration).where(Registration.device_id == device.id, Registration.id.not_in(kept)))


def _row(device: Device) -> DeviceRow:
    return DeviceRow(
        number=device.id,
        smsid=device.smsid,
        netbios_name=device.netbios_name,
        fq_name=device.fq_name,
        agent_version=device.agent_version,
        approval=ApprovalState(device.approval),
        approval_reason=device.approval_reason,
        blocked_at=device.blocked_at,
        registered_at=device.registered_at,
        last_contact_at=device.last_contact_at,
        last_policy_at=device.last_policy_at,
        last_heartbeat_at=device.last_heartbeat_at,
        last_inventory_at=device.last_inventory_at,
    )
