"""What somebody may do in Azure, from grants and denials: actions and patterns with ``*``, no network.

A grant is one role's ``actions`` without its ``notActions``; grants add up, and what is denied stays denied.
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EVERYBODY = "00000000-0000-0000-0000-000000000000"
"""The principal in a deny assignment that stands for everybody."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One role's actions, as patterns."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Denial:
    """A deny assignment.

    Attributes:
        name: what it is called.
        actions: what it denies, as patterns.
        not_actions: what it leaves.
        certain: whether it concerns us; else it concerns a group of which it is not known whether we are in it.
    """

    name: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    certain: bool = True


def covers(pattern: str, wanted: str) -> bool:
    """Whether ``pattern`` has everything that ``wanted``, an action or itself a pattern, stands for."""
    return _covers(pattern.lower(), wanted.lower())


@functools.lru_cache(4096)
def _covers(pattern: str, wanted: str) -> bool:
    # Of a pattern, each `*` takes any text; that of `wanted` is a character that only a `*` can take.
    reached = {0}
    for char in pattern:
        if char == "*":
            reached = set(range(min(reached), len(wanted) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if at < len(wanted) and wanted[at] == char}
        if not reached:
            return False
    return len(wanted) in reached


def overlaps(one: str, other: str) -> bool:
    """Whether there is an action that both patterns have."""
    return _overlaps(one.lower(), other.lower())


@functools.lru_cache(4096)
def _overlaps(one: str, other: str) -> bool:
    head, _, tail = one.partition("*")
    if "*" not in one:
        return _covers(other, one)
    if "*" not in other:
        return _covers(one, other)
    other_head = other.partition("*")[0]
    tail, other_tail = one.rpartition("*")[2], other.rpartition("*")[2]
    return (head.startswith(other_head) or other_head.startswith(head)) and (
        tail.endswith(other_tail) or other_tail.endswith(tail)
    )


def missing(wanted: Iterable[str], grants: Sequence[Grant]) -> tuple[str, ...]:
    """Those of ``wanted`` that no grant gives as a whole."""
    return tuple(each for each in wanted if not any(_gives(grant, each) for grant in grants))


def _gives(grant: Grant, wanted: str) -> bool:
    return any(covers(pattern, wanted) for pattern in grant.actions) and not any(
        overlaps(pattern, wanted) for pattern in grant.not_actions
    )


def denied(wanted: Iterable[str], denials: Sequence[Denial]) -> tuple[tuple[str, Denial], ...]:
    """Those of ``wanted`` that a deny assignment takes, wholly or in part, and which."""
    return tuple((each, denial) for each in wanted for denial in denials if _takes(denial, each))


def _takes(denial: Denial, wanted: str) -> bool:
    return any(overlaps(pattern, wanted) for pattern in denial.actions) and not any(
        covers(pattern, wanted) for pattern in denial.not_actions
    )


def concerns(principals: Sequence[tuple[str, str]], excluded: Sequence[str], object_id: str | None) -> bool | None:
    """Whether a deny assignment concerns whoever has this object id; None where that depends on a group.

    Args:
        principals: id and type of whom it denies.
        excluded: ids of whom it does not.
        object_id: ours; None where it is not known.
    """
    if object_id is not None and object_id in excluded:
        return False
    ids = {identity for identity, _ in principals}
    if EVERYBODY in ids or object_id in ids:
        return True
    if object_id is None or any(kind.lower() == "group" for _, kind in principals):
        return None
    return False
