"""For all system tests: in which order their files are given out, and that Ctrl-C reaches what they start.

The longest files come first, so that all workers end at about the same time.
"""

import signal
from pathlib import Path

import pytest

# Shells start what runs in the background with Ctrl-C ignored, and whatever that starts inherits it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

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
