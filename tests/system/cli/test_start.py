"""What is slow to load is loaded by the command that needs it, and not by all of its group."""

import subprocess
import sys

import pytest

from causeway.cli.main import GROUPS

SLOW = {
    "acme": "certificates from a public authority",
    "azure": "Azure's SDK",
    "jinja2": "pages",
    "lexicon": "DNS services",
    "sansldap": "directories",
    "uvicorn": "HTTP servers",
}
RUN_ONE = {"up", "gateway", "connection-point"}


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_loads_nothing_slow_that_one_of_its_commands_can_do_without(group: str) -> None:
    program = f"import sys, {GROUPS[group].module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert set(loaded) & set(SLOW) <= ({"uvicorn"} if group in RUN_ONE else set())


def test_the_list_of_groups_loads_none_of_them() -> None:
    program = "import sys, causeway.cli.main as cli; cli.app(['--help'], standalone_mode=False); print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert [group.module for group in GROUPS.values() if group.module in shown.split()] == []
    assert all(name in shown for name in GROUPS)
