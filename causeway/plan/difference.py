"""How two plans differ, key by key, and what follows differently."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from causeway.plan.document import Plan
from causeway.plan.facts import all_facts
from causeway.plan.values import Target


@dataclass(frozen=True, slots=True)
class Difference:
    """One key, or one thing that follows.

    Attributes:
        what: the key, or topic and title.
        before: its value; None where it is not there.
        after: its value; None where it is not there.
        needs_redeployment: whether a gateway that stands has to be made anew for it.
    """

    what: str
    before: str | None
    after: str | None
    needs_redeployment: bool = False


_REDEPLOY = frozenset(
    (
        "target",
        "azure.cloud",
        "azure.tenant_id",
        "azure.subscription_id",
        "azure.region",
        "azure.resource_group",
        "names.prefix",
    )
)


def differences(before: Plan, after: Plan) -> tuple[Difference, ...]:
    """The keys of the plan that differ, in the order of the file."""
    redeploy = _REDEPLOY
    if Target.CONFIGMGR in (before.target, after.target):
        # Microsoft's gateway cannot change its service name, and takes no certificate with another organisation.
        redeploy |= {"names.service_name", "organisation"}
    return tuple(
        dataclasses.replace(each, needs_redeployment=each.what in redeploy)
        for each in _compare(dict(_keys(before)), dict(_keys(after)))
    )


def consequences(before: Plan, after: Plan) -> tuple[Difference, ...]:
    """What follows differently."""

    def followed(plan: Plan) -> dict[str, str]:
        return {f"{fact.topic}: {fact.title}": fact.value for fact in all_facts(plan)}

    return tuple(_compare(followed(before), followed(after)))


def _compare(before: dict[str, str], after: dict[str, str]) -> Iterator[Difference]:
    for what in dict.fromkeys((*before, *after)):
        if before.get(what) != after.get(what):
            yield Difference(what, before.get(what), after.get(what))


def _keys(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every key below ``value`` with what it holds; a key that is None is not there."""
    for field in dataclasses.fields(value):
        inner = getattr(value, field.name)
        key = f"{path}{field.name}"
        if dataclasses.is_dataclass(inner):
            yield from _keys(inner, f"{key}.")
        elif isinstance(inner, tuple) and inner and dataclasses.is_dataclass(inner[0]):
            for index, each in enumerate(inner):
                yield from _keys(each, f"{key}.{index}.")
        elif isinstance(inner, tuple):
            yield key, ", ".join(str(_plain(each)) for each in inner)
        elif inner is not None:
            yield key, str(_plain(inner))


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.value if isinstance(value, Enum) else value
