"""Bulk registration tokens: what is known of them, and who registered with which. The tokens are not kept."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from causeway.site.database.engine import Database
from causeway.site.database.gateway_settings import note_change
from causeway.site.database.models import NAME_CHARACTERS, BulkToken, BulkTokenUse, Device
from causeway.site.database.signing_keys import note_token
from causeway.site.errors import BulkTokenBlocked, BulkTokenUnknown, BulkTokenUsedUp, SiteTokenExpired


@dataclass(frozen=True, slots=True)
class NewBulkToken:
    """A token to remember; ``token_hash`` is SHA-256 of its text, in hexadecimal, ``key_id`` says what signed it."""

    id: str
    token_hash: str
    note: str
    key_id: str
    expires_at: datetime
    max_uses: int | None


@dataclass(frozen=True, slots=True)
class BulkTokenRow:
    """What is known of a token; the moments are in UTC. ``max_uses`` None: as many devices as like."""

    id: str
    token_hash: str
    note: str
    key_id: str
    created_at: datetime
    expires_at: datetime
    max_uses: int | None
    uses: int
    last_used_at: datetime | None
    blocked_at: datetime | None
    block_reason: str

    def state(self, now: datetime) -> str:
        """In one word."""
        if self.blocked_at is not None:
            return "blocked"
        if self.expires_at <= now:
            return "expired"
        if self.max_uses is not None and self.uses >= self.max_uses:
            return "used-up"
        return "valid"


@dataclass(frozen=True, slots=True)
class BulkTokenUseRow:
    """A device that registered with a token; without an id and a name it has been removed since."""

    used_at: datetime
    smsid: str
    netbios_name: str


def add(database: Database, new: NewBulkToken, *, now: datetime) -> None:
    """Remember a token before it is shown."""
    with database.write() as session:
        note_token(session, new.key_id, new.expires_at)
        session.add(
            BulkToken(
                id=new.id,
                token_hash=new.token_hash,
                note=new.note[:NAME_CHARACTERS],
                key_id=new.key_id,
                created_at=now,
                expires_at=new.expires_at,
                max_uses=new.max_uses,
                uses=0,
                last_used_at=None,
                blocked_at=None,
                block_reason="",
            )
        )


def everything(database: Database) -> list[BulkTokenRow]:
    """All tokens, the newest first."""
    with database.read() as session:
        query = select(BulkToken).order_by(BulkToken.created_at.desc(), BulkToken.id)
        return [_row(token) for token in session.scalars(query)]


def find(database: Database, token_id: str) -> BulkTokenRow | None:
    """The token of that id."""
    with database.read() as session:
        token = session.get(BulkToken, token_id)
        return None if token is None else _row(token)


def uses_of(database: Database, token_id: str) -> list[BulkTokenUseRow]:
    """The devices that registered with a token, the newest first."""
    query = (
        select(BulkTokenUse.used_at, Device.smsid, Device.netbios_name)
        .outerjoin(Device, Device.id == BulkTokenUse.device_id)
        .where(BulkTokenUse.token_id == token_id)
        .order_by(BulkTokenUse.used_at.desc(), BulkTokenUse.identity)
    )
    with database.read() as session:
        return [BulkTokenUseRow(used_at, smsid or "", name or "") for used_at, smsid, name in session.execute(query)]


def blocked_ids(database: Database, *, now: datetime) -> list[str]:
    """The tokens that are blocked and would count otherwise."""
    query = select(BulkToken.id).where(BulkToken.blocked_at.is_not(None), BulkToken.expires_at > now)
    with database.read() as session:
        return list(session.scalars(query.order_by(BulkToken.id)))


def block(database: Database, token_id: str, reason: str, *, now: datetime) -> bool:
    """Block a token; False where it is blocked already.

    Raises:
        KeyError: there is no such token.
    """
    with database.write() as session:
        token = _get(session, token_id)
        if token.blocked_at is not None:
            return False
        token.blocked_at, token.block_reason = now, reason[:NAME_CHARACTERS]
        note_change(session)
        return True


def unblock(database: Database, token_id: str) -> bool:
    """Let a token count again; False where it is not blocked.

    Raises:
        KeyError: there is no such token.
    """
    with database.write() as session:
        token = _get(session, token_id)
        if token.blocked_at is None:
            return False
        token.blocked_at, token.block_reason = None, ""
        note_change(session)
        return True


def check(database: Database, token_id: str, token_hash: str, *, now: datetime) -> None:
    """See that a token whose signature holds is one of ours and counts.

    Raises:
        BulkTokenUnknown, BulkTokenBlocked, SiteTokenExpired: it does not.
    """
    with database.read() as session:
        _require_good(session.get(BulkToken, token_id), token_id, token_hash, now)


def use(session: Session, token_id: str, token_hash: str, identity: str, *, now: datetime) -> BulkTokenUse:
    """Within the transaction of a registration: count a use, once for each device, and return its row.

    Raises:
        BulkTokenUnknown, BulkTokenBlocked, SiteTokenExpired: it does not count.
        BulkTokenUsedUp: as many devices as it is for have used it.
    """
    token = session.get(BulkToken, token_id, with_for_update=True)
    token = _require_good(token, token_id, token_hash, now)
    used = session.get(BulkTokenUse, (token_id, identity))
    if used is not None:
        return used
    if token.max_uses is not None and token.uses >= token.max_uses:
        raise BulkTokenUsedUp(f"{token_id} is for {token.max_uses} devices, and as many have used it")
    token.uses += 1
    token.last_used_at = now
    used = BulkTokenUse(token_id=token_id, identity=identity, device_id=None, used_at=now)
    session.add(used)
    return used


def _require_good(token: BulkToken | None, token_id: str, token_hash: str, now: datetime) -> BulkToken:
    if token is None or token.token_hash != token_hash:
        raise BulkTokenUnknown(f"the site did not issue the bulk registration token {token_id}")
    if token.blocked_at is not None:
        raise BulkTokenBlocked(f"{token_id} is blocked: {token.block_reason}")
    if token.expires_at <= now:
        raise SiteTokenExpired(f"{token_id} ended at {token.expires_at:%Y-%m-%dT%H:%M:%SZ}")
    return token


def _get(session: Session, token_id: str) -> BulkToken:
    token = session.get(BulkToken, token_id, with_for_update=True)
    if token is None:
        raise KeyError(token_id)
    return token


def _row(token: BulkToken) -> BulkTokenRow:
    return BulkTokenRow(
        id=token.id,
        token_hash=token.token_hash,
        note=token.note,
        key_id=token.key_id,
        created_at=token.created_at,
        expires_at=token.expires_at,
        max_uses=token.max_uses,
        uses=token.uses,
        last_used_at=token.last_used_at,
        blocked_at=token.blocked_at,
        block_reason=token.block_reason,
    )
