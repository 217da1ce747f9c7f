"""Policies, what is assigned to whom, and the snapshots that server cookies stand for."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from causeway.site.database.devices import ALL_SYSTEMS
from causeway.site.database.engine import Database
from causeway.site.database.models import (
    Collection,
    CollectionMember,
    Device,
    Policy,
    PolicyAssignment,
    PolicySnapshot,
)

# A device that was away for longer gets all its policies again instead of what changed.
_SNAPSHOT_LIFETIME = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A version of a policy: its category, its ``PolicyFlags``, and its document as text."""

    policy_id: str
    version: str
    category: str
    flags: int
    body: str


@dataclass(frozen=True, slots=True)
class AssignedPolicy:
    """A policy that a device has, and the assignment that gives it."""

    assignment_id: str
    policy: PolicyRow


@dataclass(frozen=True, slots=True)
class SnapshotEntry:
    """An assignment in a snapshot; ``digest`` covers the policy's document and flags."""

    assignment_id: str
    policy_id: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class SitePolicy:
    """A policy that the site itself makes for all systems. ``make_body`` gets a version and returns the document."""

    assignment_id: str
    policy_id: str
    category: str
    flags: int
    make_body: Callable[[str], str]


def keep_site_policies(database: Database, policies: Iterable[SitePolicy]) -> None:
    """Store the site's own policies and assign them to all systems; one whose document changed gets a new version."""
    with database.write(alone="site-policies") as session:
        collection = session.scalar(select(Collection).where(Collection.collection_id == ALL_SYSTEMS))
        if collection is None:
            collection = Collection(collection_id=ALL_SYSTEMS, name="All Systems")
            session.add(collection)
            session.flush()
            for number in session.scalars(select(Device.id)).all():
                session.add(CollectionMember(collection_id=collection.id, device_id=number))
        for wanted in policies:
            _keep(session, wanted, collection.id)


def assigned_to(database: Database, number: int) -> list[AssignedPolicy]:
    """What the collections of a device give it, in the order of the assignments."""
    query = (
        select(PolicyAssignment.assignment_id, Policy)
        .join(PolicyAssignment.policy)
        .join(CollectionMember, CollectionMember.collection_id == PolicyAssignment.collection_id)
        .where(CollectionMember.device_id == number)
        .order_by(PolicyAssignment.id)
    )
    with database.read() as session:
        return [AssignedPolicy(assignment_id, _row(policy)) for assignment_id, policy in session.execute(query)]


def find(database: Database, policy_id: str, version: str) -> PolicyRow | None:
    """A version of a policy."""
    query = select(Policy).where(Policy.policy_id == policy_id, Policy.version == version)
    with database.read() as session:
        policy = session.scalar(query)
        return None if policy is None else _row(policy)


def is_assigned(database: Database, number: int, policy_id: str) -> bool:
    """Whether a collection of the device gives it that policy."""
    return any(one.policy.policy_id == policy_id for one in assigned_to(database, number))


def snapshot(database: Database, cookie: str) -> tuple[SnapshotEntry, ...] | None:
    """What a reply with that server cookie named; None for a cookie that is not known, or no longer."""
    with database.read() as session:
        row = session.get(PolicySnapshot, cookie)
        return None if row is None else tuple(SnapshotEntry(*entry) for entry in json.loads(row.assignments))


def keep_snapshot(database: Database, cookie: str, entries: Iterable[SnapshotEntry], *, now: datetime) -> None:
    """Remember what a server cookie stands for, before a reply carries it."""
    with database.read() as session:
        if session.get(PolicySnapshot, cookie) is not None:
            return
    text = json.dumps([(one.assignment_id, one.policy_id, one.version, one.digest) for one in entries])
    with database.write(alone="policy-snapshots") as session:
        session.execute(delete(PolicySnapshot).where(PolicySnapshot.created_at < now - _SNAPSHOT_LIFETIME))
        if session.get(PolicySnapshot, cookie) is None:
            session.add(PolicySnapshot(cookie=cookie, assignments=text, created_at=now))


def _keep(session: Session, wanted: SitePolicy, collection: int) -> None:
    assignment = session.scalar(select(PolicyAssignment).where(PolicyAssignment.assignment_id == wanted.assignment_id))
    if assignment is not None:
        current = assignment.policy
        same = (current.policy_id, current.category, current.flags) == (
            wanted.policy_id,
            wanted.category,
            wanted.flags,
        )
        if same and current.body == wanted.make_body(current.version):
            return
        version = f"{int(current.version.partition('.')[0]) + 1}.00"
    else:
        current, version = None, "1.00"
    policy = Policy(
        policy_id=wanted.policy_id,
        version=version,
        category=wanted.category,
        flags=wanted.flags,
        body=wanted.make_body(version),
    )
    session.add(policy)
    session.flush()
    if assignment is None:
        session.add(PolicyAssignment(assignment_id=wanted.assignment_id, policy_id=policy.id, collection_id=collection))
        return
    assignment.policy_id = policy.id
    session.flush()
    if current is not None:
        session.execute(delete(Policy).where(Policy.id == current.id))


def _row(policy: Policy) -> PolicyRow:
    return PolicyRow(policy.policy_id, policy.version, policy.category, policy.flags, policy.body)
