"""Bulk registration tokens as the site writes them: with one, newcomers register."""

import uuid
from datetime import datetime, timedelta

from causeway.identity.site_token import SiteTokenClaims, TokenType, sign, token_digest
from causeway.pki.keys import load_signing_key
from causeway.site.config import SiteConfig
from causeway.site.database import Database, bulk_tokens
from causeway.site.database.bulk_tokens import NewBulkToken
from causeway.site.token_service import signing_keys
from causeway.site.token_service.issue import issuer_of
from causeway.site.token_service.sealing import Seal
from causeway.site.token_service.state import TokenState

LONGEST_BULK_LIFETIME = timedelta(days=7)


def new_bulk_token(
    database: Database, site: SiteConfig, *, lifetime: timedelta, max_uses: int | None, note: str, now: datetime
) -> tuple[str, str]:
    """A new bulk registration token: its id, and the token, which is not kept and so is seen this once.

    Args:
        database: the site's, open.
        site: the site's configuration; its settings key opens the keys that sign tokens.
        lifetime: how long devices may register with it, at most ``LONGEST_BULK_LIFETIME``.
        max_uses: how many devices may; None: any number.
        note: what it is for.
        now: from when it counts.

    Raises:
        OperatorError: the settings key cannot be read, or no key signs.
    """
    seal = Seal(load_signing_key(site.gateway.settings_key))
    signing_keys.keep_going(database, site.tokens, seal, now=now)
    state = TokenState.read(database, seal)
    signer = state.keys.signer(now)
    token_id = str(uuid.uuid4())
    expires_at = now + lifetime
    claims = SiteTokenClaims(
        type=TokenType.BULK_REGISTRATION,
        unique_id=token_id,
        issuer=issuer_of(state.hierarchy_id),
        not_before=int(now.timestamp()),
        expires=int(expires_at.timestamp()),
        tenant_id=state.hierarchy_id,
    )
    token = sign(claims, signer.key_id, signer.key)
    new = NewBulkToken(token_id, token_digest(token.encode("ascii")), note, signer.key_id, expires_at, max_uses)
    bulk_tokens.add(database, new, now=now)
    return token_id, token
