"""What the gateway settings take from the database: who is blocked, and which keys sign tokens."""

from dataclasses import dataclass
from datetime import datetime

from causeway.gateway_settings import SiteTokens
from causeway.gateway_settings.certificates import RevocationListSection
from causeway.site.config import SiteConfig
from causeway.site.database import Database, blocks, bulk_tokens, gateway_settings, revocation
from causeway.site.database.models import BlockKind
from causeway.site.revocation.lists import ListsInDatabase
from causeway.site.token_service.state import TokenState


@dataclass(frozen=True, slots=True)
class Decisions:
    """Decided at the command line, or by the site itself.

    Attributes:
        blocked_certificates: SHA-256, in hexadecimal.
        blocked_devices: their ids, ``GUID:…``, or those at Entra tenants.
        blocked_names: names of devices.
        blocked_tokens: ids of tokens.
        blocked_tenants: ids of Entra tenants.
        site_tokens: how tokens of the site are known.
        revocation_lists: of client certificates; empty where they are not checked.
        revoked_certificates: SHA-256 of those that responders say are revoked.
    """

    blocked_certificates: tuple[str, ...] = ()
    blocked_devices: tuple[str, ...] = ()
    blocked_names: tuple[str, ...] = ()
    blocked_tokens: tuple[str, ...] = ()
    blocked_tenants: tuple[str, ...] = ()
    site_tokens: SiteTokens | None = None
    revocation_lists: tuple[RevocationListSection, ...] = ()
    revoked_certificates: tuple[str, ...] = ()


NOTHING_DECIDED = Decisions()


def read_decisions(
    database: Database, config: SiteConfig, tokens: TokenState, lists: ListsInDatabase, *, now: datetime
) -> Decisions:
    """What is decided, as the database has it at ``now``."""
    of_devices = blocks.of_devices(database, now=now)
    certificates = (*gateway_settings.blocked(database), *of_devices.certificates)
    return Decisions(
        blocked_certificates=tuple(sorted({one.fingerprint for one in certificates})),
        blocked_devices=of_devices.ids,
        blocked_names=_blocked(database, BlockKind.NAME),
        blocked_tokens=tuple(
            sorted({*bulk_tokens.blocked_ids(database, now=now), *_blocked(database, BlockKind.TOKEN)})
        ),
        blocked_tenants=_blocked(database, BlockKind.TENANT),
        site_tokens=SiteTokens(issuer=tokens.issuer, keys=tokens.keys.published(now)),
        revocation_lists=lists.now().sections if config.revocation.check else (),
        revoked_certificates=tuple(revocation.revoked(database)),
    )


def _blocked(database: Database, kind: BlockKind) -> tuple[str, ...]:
    return tuple(sorted(one.value for one in blocks.of_kind(database, kind)))
