"""What a request pays for the decision on its token: ``python -m bench.decision`` gives the figure."""

import pytest

from bench.decision import measure
from causeway.gateway_settings import TokenAlgorithm

FOLLOWING_US = 5.0
SLOWER_HERE = 4  # than the machine of the figure, or with others on it


@pytest.mark.parametrize("algorithm", TokenAlgorithm)
def test_a_token_is_verified_once_and_costs_a_few_microseconds_from_then_on(algorithm: TokenAlgorithm) -> None:
    cost = measure(algorithm, batch=500)
    assert cost.following_us < FOLLOWING_US * SLOWER_HERE
    assert cost.following_us < cost.first_us / 3
