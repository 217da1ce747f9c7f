"""From the lists of all places to those that gateways are told: one for each authority and scope, deltas merged."""

from collections.abc import Iterable
from dataclasses import dataclass

from causeway.gateway_settings.certificates import RevocationListSection
from causeway.identity.revocation import encode_digests
from causeway.pki.revocation_list import RevocationList
from causeway.site.database import Database, gateway_settings
from causeway.site.database import revocation as store


@dataclass(frozen=True, slots=True)
class KnownLists:
    """What is known of revoked certificates: the lists merged, and as they stand in the gateway settings."""

    merged: tuple[RevocationList, ...]
    sections: tuple[RevocationListSection, ...]


class ListsInDatabase:
    """Those that the database has, worked out anew when it has changed: a hundred thousand entries take 50 ms."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: tuple[int, KnownLists] | None = None

    def now(self) -> KnownLists:
        """As they stand; blocks, and may be called by any thread."""
        # The counter first: what changes meanwhile is seen with the next look.
        counter, kept = gateway_settings.changes(self._database).counter, self._kept
        if kept is None or kept[0] != counter:
            found = merged(store.lists(self._database))
            kept = self._kept = counter, KnownLists(found, sections(found))
        return kept[1]


def merged(lists: Iterable[RevocationList]) -> tuple[RevocationList, ...]:
    """The newest whole list of each authority and scope, with the newest delta that fits."""
    newest: dict[tuple[str, frozenset[str], bool], RevocationList] = {}
    deltas: list[RevocationList] = []
    for one in lists:
        if one.base_number is not None:
            deltas.append(one)
            continue
        scope = (one.issuer, one.points, one.users_only)
        before = newest.get(scope)
        if before is None or (one.this_update, one.number) > (before.this_update, before.number):
            newest[scope] = one
    found = []
    for whole in newest.values():
        result = whole
        for delta in sorted(deltas, key=lambda one: one.number, reverse=True):
            result = whole.with_delta(delta)
            if result is not whole:
                break
        found.append(result)
    return tuple(sorted(found, key=lambda one: (one.issuer, sorted(one.points), one.users_only)))


def sections(lists: Iterable[RevocationList]) -> tuple[RevocationListSection, ...]:
    """Merged lists as they stand in the gateway settings."""
    return tuple(
        RevocationListSection(
            issuer=one.issuer,
            next_update=max(0, int(one.next_update.timestamp())),
            points=tuple(sorted(one.points)),
            users_only=one.users_only,
            revoked=encode_digests(one.revoked),
        )
        for one in lists
    )
