"""What devices have shown beside what they registered: what it takes to block a device however it shows who it is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from causeway.site.database.engine import Database
from causeway.site.database.gateway_settings import note_change
from causeway.site.database.models import ApprovalState, CredentialKind, Device, DeviceCredential

# Of each kind and device. A device has one or two at a time; who could show more than these has an authority.
_KEPT = 50


def note(database: Database, number: int, kind: CredentialKind, value: str, *, now: datetime) -> None:
    """Remember that the device of that number has shown it."""
    with database.write(alone="credentials") as session:
        device = session.scalar(select(Device).where(Device.id == number).with_for_update())
        if device is None:
            return
        known = session.get(DeviceCredential, (number, kind, value))
        if known is not None:
            known.seen_at = now
            return
        session.add(DeviceCredential(device_id=number, kind=kind, value=value, seen_at=now))
        session.flush()
        mine = select(DeviceCredential.value).where(DeviceCredential.device_id == number, DeviceCredential.kind == kind)
        kept = session.scalars(mine.order_by(DeviceCredential.seen_at.desc(), DeviceCredential.value).limit(_KEPT))
        session.execute(
            delete(DeviceCredential).where(
                DeviceCredential.device_id == number,
                DeviceCredential.kind == kind,
                DeviceCredential.value.not_in(list(kept)),
            )
        )
        if device.approval == ApprovalState.BLOCKED:
            note_change(session)


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """What a device has shown, and when (UTC): at first, or for the first time since the site was started."""

    kind: CredentialKind
    value: str
    seen_at: datetime


def of_device(database: Database, number: int) -> list[CredentialRow]:
    """What a device has shown, by kind."""
    query = (
        select(DeviceCredential)
        .where(DeviceCredential.device_id == number)
        .order_by(DeviceCredential.kind, DeviceCredential.value)
    )
    with database.read() as session:
        return [CredentialRow(CredentialKind(one.kind), one.value, one.seen_at) for one in session.scalars(query)]
