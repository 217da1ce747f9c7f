"""A process is judged by its trend, not by its noise."""

import random

import pytest

from soak.processes import Life
from soak.run import Plan
from soak.verdict import trends

_BASE = 60_000_000
_LEAK_BYTES = 10_000_000
_SECONDS = 600


def life(grown_bytes: float, *, noise_bytes: int = 1_000_000, seconds: int = _SECONDS, warm_bytes: int = 0) -> Life:
    """A process that grows evenly by ``grown_bytes``, after it has grown by ``warm_bytes`` in its first minute."""
    chance = random.Random(1)
    samples = []
    for second in range(seconds):
        warm = warm_bytes * min(1.0, second / 60)
        noise = chance.uniform(-noise_bytes, noise_bytes)
        samples.append((float(second), int(_BASE + warm + grown_bytes * second / seconds + noise)))
    return Life("gateway worker 0", 1, samples)


def grew(*lives: Life) -> list[bool]:
    plan = Plan(_SECONDS)
    return [trend.grew for trend in trends(lives, warm_s=plan.warm_s, least_s=plan.least_s)]


def test_a_process_that_leaks_is_found() -> None:
    assert grew(life(_LEAK_BYTES)) == [True]


@pytest.mark.parametrize("noise_bytes", [0, 1_000_000, 5_000_000])
def test_a_process_that_only_swings_is_flat(noise_bytes: int) -> None:
    assert grew(life(0, noise_bytes=noise_bytes)) == [False]


def test_what_a_process_takes_in_its_first_minute_is_no_growth() -> None:
    assert grew(life(0, warm_bytes=30_000_000)) == [False]


def test_a_process_that_lived_too_short_is_not_judged() -> None:
    assert grew(life(_LEAK_BYTES, seconds=100)) == []


def test_workers_that_replace_others_live_long_enough_to_be_judged() -> None:
    for seconds in (60, 90, 600, 3600):
        plan = Plan(seconds)
        assert len(plan.replacements) >= 2
        assert plan.seconds - plan.replacements[-1] - plan.warm_s > plan.least_s
