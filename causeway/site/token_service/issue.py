"""Tokens as the site writes them for devices; ``bulk`` has those for newcomers."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from causeway.identity.site_token import ISSUER_PREFIX, SiteTokenClaims, TokenType, sign
from causeway.messaging.tokens import GivenToken, TokenKind
from causeway.site.config import TokensConfig
from causeway.site.token_service.signing_keys import Signer

# A token is renewed while a quarter of its time is left, so that a site that is away for an hour or two is no loss.
_USED_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Holder:
    """A registered device, as its tokens name it; ``thumbprint`` is SHA-256 of its signing certificate."""

    smsid: str
    thumbprint: str
    name: str
    tenant_id: str = ""
    user_id: str = ""


def issuer_of(hierarchy_id: str) -> str:
    """What the tokens of a hierarchy say in ``iss``."""
    return ISSUER_PREFIX + hierarchy_id


def lifetime_of(kind: TokenKind, config: TokensConfig) -> timedelta:
    """How long a new token lasts."""
    if kind is TokenKind.CCM:
        return timedelta(hours=config.token_hours)
    return timedelta(days=config.device_token_days)


def device_token(
    kind: TokenKind, holder: Holder, signer: Signer, issuer: str, config: TokensConfig, *, now: datetime
) -> GivenToken:
    """A token for a device."""
    lifetime = lifetime_of(kind, config)
    expires = now + lifetime
    if kind is TokenKind.CCM:
        token_type = TokenType.USER_DEVICE if holder.user_id else TokenType.DEVICE
        renew_after = now + lifetime * _USED_SHARE
    else:
        token_type = TokenType.SELF_PROVE
        renew_after = now + min(timedelta(days=config.device_token_renewal_days), lifetime * _USED_SHARE)
    claims = SiteTokenClaims(
        type=token_type,
        unique_id=str(uuid.uuid4()),
        issuer=issuer,
        not_before=int(now.timestamp()),
        expires=int(expires.timestamp()),
        sms_id=holder.smsid,
        thumbprint=holder.thumbprint,
        name=holder.name,
        tenant_id=holder.tenant_id,
        user_id=holder.user_id,
    )
    return GivenToken(kind, sign(claims, signer.key_id, signer.key), expires, renew_after)
