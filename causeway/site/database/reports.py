"""Reports of devices: kept whole, the newest of each kind."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, select, update

from causeway.site.database.engine import Database
from causeway.site.database.models import NAME_CHARACTERS, Device, Report, ReportAttachment


class Kind(StrEnum):
    """What a report is about."""

    HEARTBEAT = "heartbeat"
    HARDWARE_INVENTORY = "hardware-inventory"
    SOFTWARE_INVENTORY = "software-inventory"
    STATE = "state"
    METERING = "software-metering"
    STATUS = "status"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class NewReport:
    """A report to keep.

    Attributes:
        message_id: the message's own id, for the log.
        verified: whether the device signed it.
        body: the body of the message, XML as sent.
        attachments: its attachments, by name.
        payload: what was signed; the same payload twice is one report.
    """

    kind: Kind
    message_id: str
    verified: bool
    body: str
    attachments: Mapping[str, bytes]
    payload: bytes


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A kept report; ``received_at`` is in UTC."""

    number: int
    kind: Kind
    verified: bool
    received_at: datetime
    characters: int


def keep(database: Database, device: int, new: NewReport, *, now: datetime, kept: int) -> bool:
    """Keep a report of a device, and only the newest ``kept`` of its kind; False for one that is there already."""
    digest = hashlib.sha256(new.payload).hexdigest()
    same = select(Report.id).where(
        Report.device_id == device,
        Report.kind == new.kind,
        Report.digest == digest,
        Report.verified == new.verified,
    )
    with database.write(alone=f"reports-{device}") as session:
        if session.scalar(same) is not None:
            return False
        report = Report(
            device_id=device,
            kind=new.kind,
            message_id=new.message_id[:NAME_CHARACTERS],
            received_at=now,
            verified=new.verified,
            digest=digest,
            body=new.body,
        )
        session.add(report)
        session.flush()
        for name, content in new.attachments.items():
            session.add(ReportAttachment(report_id=report.id, name=name[:NAME_CHARACTERS], content=content))
        # What is unsigned cannot push out what is signed.
        mine = select(Report.id).where(
            Report.device_id == device, Report.kind == new.kind, Report.verified == new.verified
        )
        newest = mine.order_by(Report.id.desc()).limit(kept)
        session.execute(delete(Report).where(Report.id.in_(mine), Report.id.not_in(newest)))
        if new.verified:
            session.execute(update(Device).where(Device.id == device).values(_contact(new.kind, now)))
        return True


def of_device(database: Database, device: int) -> list[ReportRow]:
    """The reports that are kept of a device, the newest first."""
    query = select(Report).where(Report.device_id == device).order_by(Report.id.desc())
    with database.read() as session:
        return [
            ReportRow(report.id, Kind(report.kind), report.verified, report.received_at, len(report.body))
            for report in session.scalars(query)
        ]


def body_of(database: Database, device: int, kind: Kind) -> str | None:
    """The newest report of a kind, whole: its attachment where it has one (heartbeats do), otherwise its body."""
    query = select(Report).where(Report.device_id == device, Report.kind == kind).order_by(Report.id.desc()).limit(1)
    with database.read() as session:
        report = session.scalar(query)
        if report is None:
            return None
        attachment = session.scalar(
            select(ReportAttachment.content).where(ReportAttachment.report_id == report.id).limit(1)
        )
        return report.body if attachment is None else attachment.decode("utf-16-le", "replace").rstrip("\0")


def _contact(kind: Kind, now: datetime) -> dict[str, datetime]:
    seen = {"last_contact_at": now}
    if kind is Kind.HEARTBEAT:
        seen["last_heartbeat_at"] = now
    elif kind in {Kind.HARDWARE_INVENTORY, Kind.SOFTWARE_INVENTORY}:
        seen["last_inventory_at"] = now
    return seen
