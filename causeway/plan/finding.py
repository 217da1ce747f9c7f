"""What is wrong with a plan, as data: printing it is somebody else's business."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a finding means for the deployment."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class PlanFinding:
    """One contradiction, or one thing to know.

    Attributes:
        severity: an error cannot work; a warning may fail or hurt later; a note is only good to know.
        word: to look up, and to compare by; never changes.
        key: the key of the plan that it is about.
        message: what is so.
        reason: why that is a problem.
        remedy: what to do.
    """

    severity: Severity
    word: str
    key: str
    message: str
    reason: str
    remedy: str
