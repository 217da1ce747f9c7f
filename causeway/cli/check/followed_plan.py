"""The plan while ``causeway check --watch`` runs: read again before each look."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

from causeway.errors import OperatorError
from causeway.observability.checks import CheckResult, Status
from causeway.plan.difference import Difference, differences
from causeway.plan.document import Plan, read_plan
from causeway.preflight.probe import Probe

CHECK = "plan file"
_MOST_NAMED = 3


class FollowedPlan:
    """What to look at by the plan as it stands; where that cannot be read, by the plan as it last could.

    Args:
        file: the plan.
        probes_of: what follows from a plan; may raise ``OperatorError``.

    Raises:
        OperatorError: the plan cannot be read or used at the start.
    """

    def __init__(self, file: Path, probes_of: Callable[[Plan], Sequence[Probe]]) -> None:
        self._file = file
        self._probes_of = probes_of
        self._plan = read_plan(file)
        self._probes = probes_of(self._plan)
        self._read_at = _now()
        self._result = self._good(f"read at {self._read_at}")

    def probes(self) -> Sequence[Probe]:
        """For the next look: first the plan's file itself, of which each look says how it was last read."""
        try:
            plan = read_plan(self._file)
            # Probes keep what they know (a sign-in, addresses), so they are made anew only for another plan.
            if plan != self._plan:
                self._take(plan)
            elif self._result.status is Status.FAIL:
                self._result = self._good(f"read again at {_now()}; it says what it said at {self._read_at}")
        except OperatorError as error:
            self._result = self._failed(str(error).removeprefix(f"{self._file}: "))
        return (Probe(CHECK, str(self._file), self._look), *self._probes)

    def _take(self, plan: Plan) -> None:
        self._probes = self._probes_of(plan)
        changed = "; ".join(_words(differences(self._plan, plan)))
        self._plan, self._read_at = plan, _now()
        self._result = self._good(f"read again at {self._read_at}: {changed}")

    def _good(self, details: str) -> CheckResult:
        return CheckResult(CHECK, str(self._file), Status.PASS, details)

    def _failed(self, why: str) -> CheckResult:
        action = f"Mend the file; until then, what it said at {self._read_at} is looked at."
        return CheckResult(CHECK, str(self._file), Status.FAIL, why, action)

    async def _look(self) -> Sequence[CheckResult]:
        return [self._result]


def _words(changed: Sequence[Difference]) -> list[str]:
    words = [
        f"{each.what} was {'not set' if each.before is None else each.before or 'empty'}, "
        f"is {'not set' if each.after is None else each.after or 'empty'}"
        for each in changed[:_MOST_NAMED]
    ]
    more = len(changed) - _MOST_NAMED
    return [*words, f"and {more} more"] if more > 0 else words


def _now() -> str:
    return f"{dt.datetime.now().astimezone():%H:%M:%S}"
