import pytest

from causeway.site.budget import ByteBudget
from causeway.site.errors import Busy


def test_what_goes_beyond_the_limit_is_refused_and_what_is_given_back_counts_no_more() -> None:
    budget = ByteBudget(10)

    with budget.share() as one, budget.share() as other:
        one.take(6)
        other.take(4)
        with pytest.raises(Busy):
            other.take(1)
        assert budget.held == 10
    assert budget.held == 0


def test_a_request_that_fails_gives_back_what_it_held() -> None:
    budget = ByteBudget(10)

    def fail() -> None:
        with budget.share() as share:
            share.take(9)
            raise ValueError("planned")

    with pytest.raises(ValueError, match="planned"):
        fail()

    assert budget.held == 0
