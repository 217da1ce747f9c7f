"""Blocks of what has no row of its own to say so, and all that follows from the block of a device."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from causeway.site.database.engine import Database
from causeway.site.database.gateway_settings import Blocked, note_change
from causeway.site.database.models import (
    NAME_CHARACTERS,
    ApprovalState,
    Block,
    BlockKind,
    CredentialKind,
    Device,
    DeviceCertificate,
    DeviceCredential,
)

# Fewer than the variables that SQLite takes in a statement.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class BlockRow:
    """A block, since when, and until when (UTC); ``ends_at`` None: for good."""

    kind: BlockKind
    value: str
    reason: str
    blocked_at: datetime
    ends_at: datetime | None


def of_kind(database: Database, kind: BlockKind) -> list[BlockRow]:
    """The blocks of a kind, the newest first."""
    query = select(Block).where(Block.kind == kind).order_by(Block.blocked_at.desc(), Block.value)
    with database.read() as session:
        return [
            BlockRow(BlockKind(row.kind), row.value, row.reason, row.blocked_at, row.ends_at)
            for row in session.scalars(query)
        ]


def block(database: Database, kind: BlockKind, value: str, reason: str, *, now: datetime) -> bool:
    """Block something for good; False where it is blocked already."""
    with database.write(alone="blocks") as session:
        if session.get(Block, (kind, value)) is not None:
            return False
        session.add(Block(kind=kind, value=value, reason=reason[:NAME_CHARACTERS], blocked_at=now, ends_at=None))
        note_change(session)
        return True


def unblock(database: Database, kind: BlockKind, value: str) -> bool:
    """Take a block away; False where there is none."""
    with database.write(alone="blocks") as session:
        row = session.get(Block, (kind, value))
        if row is None:
            return False
        session.delete(row)
        note_change(session)
        return True


@dataclass(frozen=True, slots=True)
class DeviceBlocks:
    """All that devices are refused by.

    Attributes:
        ids: of devices that are blocked, by an operator's decision on them, on their name or on their id at a tenant;
            of devices that were removed not long ago; and what those that are blocked are called at Entra tenants.
        certificates: those that the blocked ones registered or have shown.
    """

    ids: tuple[str, ...]
    certificates: tuple[Blocked, ...]


def of_devices(database: Database, *, now: datetime) -> DeviceBlocks:
    """What to refuse, so that a blocked device is refused however it shows who it is."""
    with database.read() as session:
        ids = set(session.scalars(select(Block.value).where(Block.kind == BlockKind.DEVICE)))
        found = _blocked(session, ids)
        ids |= {smsid for smsid, _ in found.values()}
        ids |= set(
            session.scalars(select(Block.value).where(Block.kind == BlockKind.REMOVED_DEVICE, Block.ends_at > now))
        )
        certificates: dict[str, Blocked] = {}
        for numbers in _portions(found):
            registered = select(DeviceCertificate.device_id, DeviceCertificate.fingerprint)
            fingerprints = [
                (number, value)
                for number, value in session.execute(registered.where(DeviceCertificate.device_id.in_(numbers)))
            ]
            shown = select(DeviceCredential.device_id, DeviceCredential.kind, DeviceCredential.value)
            for number, kind, value in session.execute(shown.where(DeviceCredential.device_id.in_(numbers))):
                if kind == CredentialKind.TLS_CERTIFICATE:
                    fingerprints.append((number, value))
                else:
                    ids.add(value)
            for number, fingerprint in fingerprints:
                smsid, why = found[number]
                certificates.setdefault(fingerprint, Blocked(fingerprint, why, None, smsid))
    return DeviceBlocks(tuple(sorted(ids)), tuple(certificates[key] for key in sorted(certificates)))


def _blocked(session: Session, ids: set[str]) -> dict[int, tuple[str, str]]:
    """The devices that are blocked: by number, their id and why."""
    query = select(Device.id, Device.smsid)
    found = {
        number: (smsid, f"device {smsid} is blocked")
        for number, smsid in session.execute(query.where(Device.approval == ApprovalState.BLOCKED))
    }
    names = set(session.scalars(select(Block.value).where(Block.kind == BlockKind.NAME)))
    if names:
        # Compared here and not by the database: SQLite knows no capital letters but those of ASCII.
        for number, smsid, *called in session.execute(
            select(Device.id, Device.smsid, Device.netbios_name, Device.fq_name)
        ):
            if blocked := names & {name.lower() for name in called}:
                found.setdefault(number, (smsid, f"the name {min(blocked)} of device {smsid} is blocked"))
    for values in _portions(sorted(ids)):
        of_tenant = (
            select(Device.id, Device.smsid, DeviceCredential.value)
            .join(DeviceCredential, DeviceCredential.device_id == Device.id)
            .where(DeviceCredential.kind == CredentialKind.ENTRA_DEVICE, DeviceCredential.value.in_(values))
        )
        for number, smsid, value in session.execute(of_tenant):
            found.setdefault(number, (smsid, f"the id {value} of device {smsid} is blocked"))
    return found


def _portions(values: Iterable[Any]) -> Iterator[list[Any]]:
    everything = list(values)
    for start in range(0, len(everything), _AT_ONCE):
        yield everything[start : start + _AT_ONCE]


def note_removed_device(session: Session, smsid: str, *, now: datetime, until: datetime) -> None:
    """Within a transaction: the device is forgotten, and tokens that it still has count for nothing."""
    session.execute(delete(Block).where(Block.kind == BlockKind.REMOVED_DEVICE, Block.ends_at <= now))
    session.add(Block(kind=BlockKind.REMOVED_DEVICE, value=smsid, reason="removed", blocked_at=now, ends_at=until))
    note_change(session)
