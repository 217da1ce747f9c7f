"""What holds for every command of the command line."""

import pytest

from causeway.cli.main import GROUPS
from tests.unit.cli.commands import commands


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_says_of_itself_what_the_list_of_groups_says(name: str) -> None:
    (group,) = [each for each in commands() if each.path == (name,)]
    assert group.click.help.startswith(GROUPS[name].summary)


def test_every_command_and_everything_that_it_takes_has_a_help_text() -> None:
    without = [str(each) for each in commands() if not each.click.help]
    without += [f"{each} {what.opts[0]}" for each in commands() for what in each.click.params if not what.help]
    assert without == []


def test_a_list_is_called_list_and_a_group_takes_nothing_but_a_command() -> None:
    """Options of a group would be ignored where a command follows, or stand in two places."""
    taken = {str(each): [what.opts for what in each.click.params] for each in commands() if each.is_group and each.path}
    assert {name: options for name, options in taken.items() if options} == {}
    assert [str(each) for each in commands() if not each.is_group and each.click.help.startswith("List")] == [
        str(each) for each in commands() if each.path[-1:] == ("list",)
    ]
