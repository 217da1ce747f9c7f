"""Hypothesis looks at the same few hundred examples in every run, or at many new ones (``HYPOTHESIS_PROFILE=fuzz``)."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "unit", deadline=None, max_examples=150, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("fuzz", deadline=None, max_examples=20_000, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "unit"))
