"""The plan while it is watched: read before each look, and its probes made anew only where it says something else."""

import asyncio
from pathlib import Path

import pytest

from causeway.cli.check.followed_plan import FollowedPlan
from causeway.errors import OperatorError
from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import Plan, plan_text
from causeway.preflight.probe import Probe, run_probes
from tests.unit.plan.plans import contoso


class Watched:
    """A plan's file and what was made of it; a plan for one client is refused by the options."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "plan.toml"
        self.plans: list[Plan] = []
        self.write(plan_text(contoso()))
        self.followed = FollowedPlan(self.file, self.probes_of)

    def write(self, text: str) -> None:
        self.file.write_text(text)

    def probes_of(self, plan: Plan) -> tuple[Probe, ...]:
        if plan.clients.expected == 1:
            raise OperatorError("--from: no such server in the plan")
        self.plans.append(plan)
        return ()

    def look(self) -> CheckResult:
        (result,) = asyncio.run(run_probes(self.followed.probes(), timeout_s=1))
        return result


def test_probes_are_made_anew_for_another_plan_and_not_for_another_comment(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    first = watched.look()
    assert (first.status, first.details[:8]) == (Status.PASS, "read at ")
    watched.write("# mine\n" + plan_text(contoso()))
    assert (watched.look(), len(watched.plans)) == (first, 1)
    watched.write(plan_text(contoso(clients__expected=7)))
    assert watched.look().details.endswith(": clients.expected was 5000, is 7")
    assert watched.look() == watched.look()  # said again as it was, which is no change
    assert [each.clients.expected for each in watched.plans] == [5000, 7]


def test_no_more_than_three_keys_are_named(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.write(
        plan_text(contoso(clients__expected=7, gateway__instances=3, dns__ttl_s=60, site__host=None, organisation="A"))
    )
    assert watched.look().details.endswith("; and 2 more")


@pytest.mark.parametrize("text", ["", "[", plan_text(contoso(clients__expected=1)), "version = 2"])
def test_a_plan_that_cannot_be_used_fails_with_the_remedy_and_the_last_one_counts(tmp_path: Path, text: str) -> None:
    watched = Watched(tmp_path)
    watched.write(text)
    failed = watched.look()
    assert failed.status is Status.FAIL
    assert failed.action.startswith("Mend the file; until then, what it said at ")
    assert len(watched.plans) == 1
    watched.write(plan_text(contoso()))
    mended = watched.look()
    assert (mended.status, "; it says what it said at " in mended.details) == (Status.PASS, True)
    assert len(watched.plans) == 1


def test_at_the_start_a_plan_that_cannot_be_read_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="make one with `causeway plan new`"):
        FollowedPlan(tmp_path / "absent.toml", lambda _: ())
