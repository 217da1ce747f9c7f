"""In which order the files are given out to the workers: the longest first, so that all end at about the same time."""

from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_LONGEST = (
    "up/test_up.py",
    "preflight/test_check_directory.py",
    "site/test_start.py",
    "guide/test_from_a_name_to_a_sound_plan.py",
    "site/test_gateway_settings.py",
    "site/test_durability.py",
    "azure/test_apps.py",
    "data_path/test_limits.py",
    "data_path/test_drain.py",
    "revocation/test_lists.py",
    "site/test_bulk_token_killed.py",
    "up/test_through_the_gateway.py",
    "up/test_tokens.py",
)
"""Those that take longer than ten seconds, roughly by how long."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {_HERE / name: rank for rank, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))
