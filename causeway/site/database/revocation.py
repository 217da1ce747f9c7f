"""Where revocation lists come from, and the newest list of each place."""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, defer

from causeway.pki.revocation_list import RevocationList, RevocationListInvalid
from causeway.pki.serials import DIGEST_BYTES, DigestSet, pack_digests
from causeway.site.database.engine import Database
from causeway.site.database.gateway_settings import note_change
from causeway.site.database.models import ChangeCounter, RevocationSource, RevokedCertificate

MAX_REVOKED = 400_000
"""Of all lists together: what fits into the gateway settings."""

_COUNTER = "revocation"
_MOST_DISCOVERED = 500
_REVOKED_KEPT = timedelta(days=1)
_ERROR_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Source:
    """A place that a list comes from.

    Attributes:
        source: a URL or a file.
        discovered: whether a client's certificate named it.
        checked_at: when it was last asked.
        error: why it gave no list then; empty where it did.
        issuer: of its list; empty where there is none yet.
        number: of its list.
        is_delta: whether that is a delta list.
        this_update: when it was issued.
        next_update: when the next one is due.
        freshest: where deltas to it are.
        revoked: how many certificates are on it.
    """

    source: str
    discovered: bool
    checked_at: datetime | None
    error: str
    issuer: str
    number: str
    is_delta: bool
    this_update: datetime | None
    next_update: datetime | None
    freshest: tuple[str, ...]
    revoked: int


def sources(database: Database) -> list[Source]:
    """All places that were ever asked and are still wanted."""
    with database.read() as session:
        rows = session.execute(
            select(RevocationSource, func.length(RevocationSource.revoked))
            .options(defer(RevocationSource.revoked), defer(RevocationSource.released))
            .order_by(RevocationSource.source)
        )
        return [
            Source(
                source=row.source,
                discovered=row.discovered,
                checked_at=row.checked_at,
                error=row.error,
                issuer=row.issuer or "",
                number=row.number,
                is_delta=row.base_number is not None,
                this_update=row.this_update,
                next_update=row.next_update,
                freshest=tuple(json.loads(row.freshest)),
                revoked=size // DIGEST_BYTES,
            )
            for row, size in rows
        ]


def lists(database: Database) -> list[RevocationList]:
    """The newest list of each place."""
    with database.read() as session:
        rows = session.scalars(select(RevocationSource).where(RevocationSource.issuer.is_not(None)))
        return [_list(row) for row in rows]


def keep(database: Database, source: str, new: RevocationList, *, now: datetime) -> bool:
    """Keep the list that ``source`` gave; False where it is the one that is known.

    Raises:
        RevocationListInvalid: it is older than the one that is known, or there would be too many revoked certificates.
    """
    with database.write(alone="revocation") as session:
        row = _row(session, source)
        before = _list(row) if row.issuer is not None else None
        if before == new:
            row.checked_at, row.error = now, ""
            return False
        if before is not None and before.issuer == new.issuer and new.this_update < before.this_update:
            raise RevocationListInvalid(
                f"it is of {new.this_update:%Y-%m-%d %H:%M}Z, older than the one of "
                f"{before.this_update:%Y-%m-%d %H:%M}Z that is known"
            )
        others = session.scalar(
            select(func.sum(func.length(RevocationSource.revoked))).where(RevocationSource.id != row.id)
        )
        total = (others or 0) // DIGEST_BYTES + len(new.revoked)
        if total > MAX_REVOKED:
            raise RevocationListInvalid(f"with it, {total} certificates would be revoked; {MAX_REVOKED} are possible")
        row.checked_at, row.error = now, ""
        row.issuer = new.issuer
        row.number = str(new.number)
        row.base_number = None if new.base_number is None else str(new.base_number)
        row.this_update, row.next_update = new.this_update, new.next_update
        row.points = json.dumps(sorted(new.points))
        row.users_only = new.users_only
        row.freshest = json.dumps(new.freshest)
        row.revoked, row.released = pack_digests(new.revoked), pack_digests(new.released)
        note_change(session)
        return True


def note(database: Database, source: str, error: str, *, now: datetime) -> None:
    """Note that ``source`` was asked, and why it gave nothing (or, where ``error`` is empty, nothing new)."""
    with database.write() as session:
        row = _row(session, source)
        row.checked_at, row.error = now, error[:_ERROR_CHARACTERS]


def forget_others(database: Database, wanted: Collection[str]) -> None:
    """Forget the places that are not wanted any more, with their lists."""
    with database.write() as session:
        gone = [row for row in session.scalars(select(RevocationSource.source)) if row not in wanted]
        if gone:
            session.execute(delete(RevocationSource).where(RevocationSource.source.in_(gone)))
            note_change(session)


def discover(database: Database, urls: Iterable[str]) -> None:
    """Ask these places, too, from now on: a client's certificate names them. There is room for some hundreds."""
    with database.write(alone="revocation") as session:
        known = session.scalar(select(func.count()).where(RevocationSource.discovered)) or 0
        for url in urls:
            if known < _MOST_DISCOVERED and session.get(RevocationSource, _key(url)) is None:
                _row(session, url).discovered = True
                known += 1


def note_revoked(database: Database, fingerprint: str, *, now: datetime) -> None:
    """Have all gateways refuse a certificate that a responder says is revoked."""
    with database.write() as session:
        row = session.get(RevokedCertificate, fingerprint)
        if row is not None:
            row.seen_at = now
            return
        session.add(RevokedCertificate(fingerprint=fingerprint, seen_at=now))
        note_change(session)


def revoked(database: Database) -> list[str]:
    """The certificates that responders say are revoked."""
    with database.read() as session:
        return list(session.scalars(select(RevokedCertificate.fingerprint)))


def forget_revoked(database: Database, *, now: datetime) -> None:
    """Forget what a responder said a day ago: who is still revoked is asked about again, and who is not comes back."""
    with database.write() as session:
        old = now - _REVOKED_KEPT
        gone = list(session.scalars(select(RevokedCertificate.fingerprint).where(RevokedCertificate.seen_at < old)))
        if gone:
            session.execute(delete(RevokedCertificate).where(RevokedCertificate.fingerprint.in_(gone)))
            note_change(session)


def ask_for_refresh(database: Database) -> None:
    """Have a running site ask every place now."""
    with database.write() as session:
        counter = session.get(ChangeCounter, _COUNTER, with_for_update=True)
        if counter is None:
            session.add(ChangeCounter(name=_COUNTER, value=1))
        else:
            counter.value += 1


def refreshes_asked(database: Database) -> int:
    """How often that has been asked for."""
    with database.read() as session:
        return session.scalar(select(ChangeCounter.value).where(ChangeCounter.name == _COUNTER)) or 0


def _key(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()


def _row(session: Session, source: str) -> RevocationSource:
    key = _key(source)
    row = session.get(RevocationSource, key)
    if row is None:
        row = RevocationSource(
            id=key,
            source=source,
            discovered=False,
            error="",
            number="",
            points="[]",
            users_only=False,
            freshest="[]",
            revoked=b"",
            released=b"",
        )
        session.add(row)
    return row


def _list(row: RevocationSource) -> RevocationList:
    assert row.issuer is not None
    assert row.this_update is not None
    assert row.next_update is not None
    return RevocationList(
        issuer=row.issuer,
        number=int(row.number),
        base_number=None if row.base_number is None else int(row.base_number),
        this_update=row.this_update,
        next_update=row.next_update,
        points=frozenset(json.loads(row.points)),
        users_only=row.users_only,
        freshest=tuple(json.loads(row.freshest)),
        revoked=frozenset(DigestSet(row.revoked)),
        released=frozenset(DigestSet(row.released)),
    )
