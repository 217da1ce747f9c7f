"""Proofs that devices gave at the token service: each counts once, whichever server of the site it is given to."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from causeway.site.database.engine import Database
from causeway.site.database.models import TokenProof
from causeway.site.database.signing_keys import note_token
from causeway.site.errors import ProofReplayed


def use(database: Database, digest: str, *, now: datetime, forget_at: datetime, key_id: str, ends_at: datetime) -> None:
    """Take a proof, once, for tokens by ``key_id`` the last of which ends at ``ends_at``.

    Args:
        database: the site's.
        digest: SHA-256 of what was signed, in hexadecimal.
        now: proofs whose time is over by then are forgotten.
        forget_at: when this one would be refused for its age.
        key_id: the key that signs the tokens that it is for.
        ends_at: when the last of them ends.

    Raises:
        ProofReplayed: it was used before.
    """
    insert = (sqlite if database.is_sqlite else postgresql).insert(TokenProof)
    with database.write() as session:
        session.execute(delete(TokenProof).where(TokenProof.forget_at < now))
        values = insert.values(digest=digest, forget_at=forget_at)
        if session.scalar(values.on_conflict_do_nothing().returning(TokenProof.digest)) is None:
            raise ProofReplayed("the proof was used before")
        note_token(session, key_id, ends_at)
