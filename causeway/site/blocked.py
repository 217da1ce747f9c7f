"""Everything that is blocked, whatever it is, in one list: each with the one command that lets it in again."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from causeway.site.database import Database, blocks, bulk_tokens, devices, gateway_settings, signing_keys
from causeway.site.database.models import ApprovalState, BlockKind


class Kind(StrEnum):
    """What is blocked; in the order in which it is listed."""

    REGISTERED_DEVICE = "registered-device"
    DEVICE = "device"
    REMOVED_DEVICE = "removed-device"
    CERTIFICATE = "certificate"
    NAME = "name"
    BULK_TOKEN = "bulk-token"  # noqa: S105  # a kind
    TOKEN = "token"  # noqa: S105  # a kind
    TENANT = "tenant"
    KEY = "key"


_UNBLOCK = {
    Kind.REGISTERED_DEVICE: "causeway site devices unblock",
    Kind.DEVICE: "causeway site blocks remove device",
    Kind.CERTIFICATE: "causeway site certificates unblock",
    Kind.NAME: "causeway site blocks remove name",
    Kind.BULK_TOKEN: "causeway token unblock",
    Kind.TOKEN: "causeway site blocks remove token",
    Kind.TENANT: "causeway site blocks remove tenant",
    Kind.KEY: "causeway token keys restore",
}


@dataclass(frozen=True, slots=True)
class BlockedThing:
    """One block.

    Attributes:
        kind: what it is.
        value: its id, fingerprint or name, by which it is refused.
        called: the registered device's name, or the bulk token's note.
        blocked_at: since when (UTC); None for a device that was blocked by a version that did not keep that.
        ends_at: until when (UTC); None: for good.
        reason: what was noted when it was blocked.
        unblock: the command that lets it in again; empty where there is none, and it ends by itself.
    """

    kind: Kind
    value: str
    called: str
    blocked_at: datetime | None
    ends_at: datetime | None
    reason: str
    unblock: str


def everything(database: Database, *, now: datetime) -> list[BlockedThing]:
    """All blocks, kind by kind, the newest first. What is refused along with a device has no line of its own."""
    order = {kind: place for place, kind in enumerate(Kind)}
    found = [*_devices(database), *_certificates(database), *_tokens(database, now), *_keys(database)]
    found += _others(database, now)
    newest_first = sorted(found, key=lambda one: -one.blocked_at.timestamp() if one.blocked_at else 0.0)
    return sorted(newest_first, key=lambda one: order[one.kind])


def _thing(
    kind: Kind,
    value: str,
    blocked_at: datetime | None,
    reason: str,
    *,
    called: str = "",
    ends_at: datetime | None = None,
) -> BlockedThing:
    command = _UNBLOCK.get(kind)
    return BlockedThing(
        kind, value, called, blocked_at, ends_at, reason, "" if command is None else f"{command} {shlex.quote(value)}"
    )


def _devices(database: Database) -> Iterator[BlockedThing]:
    for row in devices.everything(database, approval=ApprovalState.BLOCKED):
        yield _thing(Kind.REGISTERED_DEVICE, row.smsid, row.blocked_at, row.approval_reason, called=row.netbios_name)


def _certificates(database: Database) -> Iterator[BlockedThing]:
    for one in gateway_settings.blocked(database):
        yield _thing(Kind.CERTIFICATE, one.fingerprint, one.blocked_at, one.reason)


def _tokens(database: Database, now: datetime) -> Iterator[BlockedThing]:
    for row in bulk_tokens.everything(database):
        if row.blocked_at is not None and row.expires_at > now:
            yield _thing(
                Kind.BULK_TOKEN, row.id, row.blocked_at, row.block_reason, called=row.note, ends_at=row.expires_at
            )


def _keys(database: Database) -> Iterator[BlockedThing]:
    for row in signing_keys.everything(database):
        if row.withdrawn_at is not None:
            yield _thing(Kind.KEY, row.key_id, row.withdrawn_at, row.withdrawal_reason)


def _others(database: Database, now: datetime) -> Iterator[BlockedThing]:
    for kind in BlockKind:
        for one in blocks.of_kind(database, kind):
            if one.ends_at is None or one.ends_at > now:
                yield _thing(Kind(kind.value), one.value, one.blocked_at, one.reason, ends_at=one.ends_at)
