"""The versions of the gateway settings, the certificates that are blocked, and the counter that tells of changes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from causeway.site.database.engine import Database
from causeway.site.database.models import NAME_CHARACTERS, BlockedCertificate, ChangeCounter, PublishedSettings

_VERSIONS_KEPT = 20
_COUNTER = "gateway-settings"


@dataclass(frozen=True, slots=True)
class Published:
    """A signed version of the gateway settings."""

    version: int
    signed: bytes


@dataclass(frozen=True, slots=True)
class Blocked:
    """A blocked certificate: its SHA-256, why, and since when (UTC); None where that follows from a device's block.

    ``device`` is the id of that device, or empty.
    """

    fingerprint: str
    reason: str
    blocked_at: datetime | None
    device: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a running site compares to notice a change: the counter, and the newest version."""

    counter: int
    version: int


def publish(
    database: Database, content_digest: str, make: Callable[[int, datetime], bytes], *, now: datetime
) -> Published:
    """Publish what ``make(version, issued_at)`` signs, unless the newest version has the same content already.

    The version is above every earlier one, and not below the time in seconds since 1970: a site restored from an old
    backup does not fall behind what gateways have.
    """
    with database.write(alone="gateway-settings") as session:
        last = session.scalar(select(PublishedSettings).order_by(PublishedSettings.version.desc()).limit(1))
        if last is not None and last.content_digest == content_digest:
            return Published(last.version, last.signed)
        version = max(last.version + 1 if last else 1, int(now.timestamp()))
        signed = make(version, now)
        session.add(PublishedSettings(version=version, content_digest=content_digest, issued_at=now, signed=signed))
        session.flush()
        kept = select(PublishedSettings.version).order_by(PublishedSettings.version.desc()).limit(_VERSIONS_KEPT)
        session.execute(delete(PublishedSettings).where(PublishedSettings.version.not_in(kept)))
        return Published(version, signed)


def newest(database: Database) -> Published | None:
    """The newest version."""
    with database.read() as session:
        row = session.scalar(select(PublishedSettings).order_by(PublishedSettings.version.desc()).limit(1))
        return None if row is None else Published(row.version, row.signed)


def changes(database: Database) -> Changes:
    """Where things stand: cheap enough to be asked every second."""
    with database.read() as session:
        counter = session.scalar(select(ChangeCounter.value).where(ChangeCounter.name == _COUNTER))
        version = session.scalar(select(func.max(PublishedSettings.version)))
        return Changes(counter or 0, version or 0)


def blocked(database: Database) -> list[Blocked]:
    """The blocked certificates, the newest first."""
    with database.read() as session:
        rows = session.scalars(
            select(BlockedCertificate).order_by(BlockedCertificate.blocked_at.desc(), BlockedCertificate.fingerprint)
        )
        return [Blocked(row.fingerprint, row.reason, row.blocked_at) for row in rows]


def block(database: Database, fingerprint: str, reason: str, *, now: datetime) -> bool:
    """Block a certificate; False where it was blocked already."""
    with database.write() as session:
        if session.get(BlockedCertificate, fingerprint) is not None:
            return False
        session.add(BlockedCertificate(fingerprint=fingerprint, reason=reason[:NAME_CHARACTERS], blocked_at=now))
        note_change(session)
        return True


def unblock(database: Database, fingerprint: str) -> bool:
    """Unblock a certificate; False where it was not blocked."""
    with database.write() as session:
        row = session.get(BlockedCertificate, fingerprint)
        if row is None:
            return False
        session.delete(row)
        note_change(session)
        return True


def note_change(session: Session) -> None:
    """Tell running sites, once the transaction is through, that what they publish has changed."""
    counter = session.get(ChangeCounter, _COUNTER, with_for_update=True)
    if counter is None:
        session.add(ChangeCounter(name=_COUNTER, value=1))
    else:
        counter.value += 1
