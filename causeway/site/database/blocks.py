"""Blocks of what has no row of its own to say so: tenants, and devices that were removed while their tokens live."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from causeway.site.database.engine import Database
from causeway.site.database.gateway_settings import note_change
from causeway.site.database.models import NAME_CHARACTERS, ApprovalState, Block, BlockKind, Device


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


def blocked_devices(database: Database, *, now: datetime) -> list[str]:
    """The ids of the devices whose tokens count for nothing: those blocked, and those removed not long ago."""
    blocked = select(Device.smsid).where(Device.approval == ApprovalState.BLOCKED)
    removed = select(Block.value).where(Block.kind == BlockKind.REMOVED_DEVICE, Block.ends_at > now)
    with database.read() as session:
        return sorted({*session.scalars(blocked), *session.scalars(removed)})


def note_removed_device(session: Session, smsid: str, *, now: datetime, until: datetime) -> None:
    """Within a transaction: the device is forgotten, and tokens that it still has count for nothing."""
    session.execute(delete(Block).where(Block.kind == BlockKind.REMOVED_DEVICE, Block.ends_at <= now))
    session.add(Block(kind=BlockKind.REMOVED_DEVICE, value=smsid, reason="removed", blocked_at=now, ends_at=until))
    note_change(session)
