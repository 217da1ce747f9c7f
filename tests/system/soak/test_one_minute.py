"""The soak in one minute. ``make soak`` takes ten, and sees a tenth of the growth that this one does."""

from pathlib import Path

import pytest

from soak.run import Plan, soak, table


@pytest.mark.timeout(300)
@pytest.mark.measures
def test_a_minute_of_churn_fails_nothing_and_leaves_memory_flat_and_nothing_open(tmp_path: Path) -> None:
    outcome = soak(tmp_path, Plan(60), print)
    print("\n".join(table(outcome)))
    assert outcome.answered > 1000
    assert all(outcome.changes.values())
    assert not outcome.problems
