"""The steps that lead from a plan to a gateway that serves, in an order in which they can be done."""

from collections.abc import Iterable
from pathlib import Path

from causeway.errors import OperatorError
from causeway.plan.document import Plan
from causeway.plan.runbook import causeway_steps, configmgr_steps
from causeway.plan.runbook.step import Command, Shell, Step, Who
from causeway.plan.values import Target

__all__ = ["Command", "Shell", "Step", "Who", "in_order", "runbook"]


def runbook(plan: Plan, file: Path, done: Iterable[str] = ()) -> tuple[Step, ...]:
    """The steps that are left.

    Args:
        plan: the plan.
        file: where it is, for the commands.
        done: words of steps that are done, and so left out.

    Raises:
        OperatorError: there is no such step.
    """
    steps = (configmgr_steps if plan.target is Target.CONFIGMGR else causeway_steps).steps(plan, file)
    words = {step.word for step in steps}
    finished = set(done)
    if unknown := sorted(finished - words):
        raise OperatorError(f"--done {unknown[0]}: there is no such step; there are {', '.join(sorted(words))}")
    return tuple(step for step in in_order(steps) if step.word not in finished)


def in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Each step after all that it needs, and otherwise as early as it was written.

    Raises:
        ValueError: a step needs one that is not there, or itself.
    """
    left, ordered, passed = list(steps), [], set[str]()
    while left:
        ready = next((step for step in left if passed.issuperset(step.after)), None)
        if ready is None:
            raise ValueError(f"these steps wait for one another: {', '.join(step.word for step in left)}")
        left.remove(ready)
        ordered.append(ready)
        passed.add(ready.word)
    return tuple(ordered)
