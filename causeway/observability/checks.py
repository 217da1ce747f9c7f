"""A check is plain data; printing it is another function's work."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a check ended."""

    PASS = "PASS"  # noqa: S105  # a result, not a password
    WARN = "WARN"
    FAIL = "FAIL"
    SKIP = "SKIP"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check of one thing.

    Attributes:
        name: the heading in the documentation, such as ``gateway certificate``.
        target: what was looked at: a file, an address, a name.
        status: how it ended.
        details: what was seen.
        action: what to do about a failure or a warning; empty where there is nothing to do.
    """

    name: str
    target: str
    status: Status
    details: str
    action: str = ""


def passed(results: Iterable[CheckResult]) -> bool:
    """Whether nothing failed."""
    return all(result.status is not Status.FAIL for result in results)
