"""The keys that sign site tokens: one set for all servers of the site. What is in here is public or sealed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from causeway.site.database.engine import Database
from causeway.site.database.gateway_settings import note_change
from causeway.site.database.models import NAME_CHARACTERS, TokenSigningKey

_ALONE = "token-keys"
# A key's last moment is written down a day ahead, so that signing a token seldom costs a write of its own.
_RESOLUTION = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to keep; ``public_key`` is PEM, ``sealed_private_key`` is nothing without the site's settings key."""

    key_id: str
    algorithm: str
    public_key: str
    sealed_private_key: bytes


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key and its times, in UTC.

    Attributes:
        signs_from: from when on it signs, unless a newer one does.
        last_token_ends_at: when the last token that it signed has ended for certain.
        withdrawn_at: since when its tokens count for nothing; None: they count.
    """

    key_id: str
    algorithm: str
    public_key: str
    sealed_private_key: bytes
    created_at: datetime
    signs_from: datetime
    last_token_ends_at: datetime
    withdrawn_at: datetime | None
    withdrawal_reason: str

    def __repr__(self) -> str:
        return f"KeyRow({self.key_id!r}, {self.algorithm})"


def everything(database: Database) -> list[KeyRow]:
    """All keys, those that sign last first."""
    with database.read() as session:
        return _rows(session)


def change(
    database: Database, decide: Callable[[list[KeyRow]], tuple[NewKey, datetime] | None], *, now: datetime
) -> bool:
    """Add the key that ``decide`` makes of the keys so far, with the moment from which it signs; False for none.

    No two servers decide at once.
    """
    with database.write(alone=_ALONE) as session:
        decided = decide(_rows(session))
        if decided is None:
            return False
        _add(session, *decided, now=now)
        note_change(session)
        return True


def withdraw(
    database: Database,
    key_id: str,
    reason: str,
    replace: Callable[[list[KeyRow]], tuple[NewKey, datetime] | None],
    *,
    now: datetime,
) -> bool:
    """Withdraw a key and add the one that ``replace`` makes of those left, if any; False where it was withdrawn.

    Raises:
        KeyError: there is no such key.
    """
    with database.write(alone=_ALONE) as session:
        row = session.get(TokenSigningKey, key_id, with_for_update=True)
        if row is None:
            raise KeyError(key_id)
        if row.withdrawn_at is not None:
            return False
        row.withdrawn_at, row.withdrawal_reason = now, reason[:NAME_CHARACTERS]
        session.flush()
        replacement = replace(_rows(session))
        if replacement is not None:
            _add(session, *replacement, now=now)
        note_change(session)
        return True


def restore(database: Database, key_id: str) -> bool:
    """Have the tokens of a withdrawn key count again; False where it is not withdrawn.

    Raises:
        KeyError: there is no such key.
    """
    with database.write(alone=_ALONE) as session:
        row = session.get(TokenSigningKey, key_id, with_for_update=True)
        if row is None:
            raise KeyError(key_id)
        if row.withdrawn_at is None:
            return False
        row.withdrawn_at, row.withdrawal_reason = None, ""
        note_change(session)
        return True


def note_token(session: Session, key_id: str, ends_at: datetime) -> None:
    """Within a transaction: the key signs a token that ends at ``ends_at``, so it stays published until then."""
    session.execute(
        update(TokenSigningKey)
        .where(TokenSigningKey.key_id == key_id, TokenSigningKey.last_token_ends_at < ends_at)
        .values(last_token_ends_at=ends_at + _RESOLUTION)
    )


def _add(session: Session, new: NewKey, signs_from: datetime, *, now: datetime) -> None:
    session.add(
        TokenSigningKey(
            key_id=new.key_id,
            algorithm=new.algorithm,
            public_key=new.public_key,
            sealed_private_key=new.sealed_private_key,
            created_at=now,
            signs_from=signs_from,
            last_token_ends_at=signs_from,
            withdrawn_at=None,
            withdrawal_reason="",
        )
    )


def _rows(session: Session) -> list[KeyRow]:
    query = select(TokenSigningKey).order_by(TokenSigningKey.signs_from.desc(), TokenSigningKey.key_id)
    return [
        KeyRow(
            key_id=row.key_id,
            algorithm=row.algorithm,
            public_key=row.public_key,
            sealed_private_key=row.sealed_private_key,
            created_at=row.created_at,
            signs_from=row.signs_from,
            last_token_ends_at=row.last_token_ends_at,
            withdrawn_at=row.withdrawn_at,
            withdrawal_reason=row.withdrawal_reason,
        )
        for row in session.scalars(query)
    ]
