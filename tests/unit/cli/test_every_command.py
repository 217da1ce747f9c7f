"""What holds for every command of the command line."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from causeway.cli.main import GROUPS
from causeway.clouds import CloudName
from causeway.plan.questions import QUESTIONS
from causeway.plan.regions import cloud_of
from causeway.plan.values import Target
from causeway.preflight.probe import Group as CheckGroup
from tests.unit.cli.commands import Command, commands

DOCS = Path(__file__).parents[3] / "docs"

WITHOUT_JSON = {
    # Run until they are ended.
    *("gateway run", "connection-point run", "site run"),
    # Print a document as it is.
    *("plan roles", "site devices report"),
    # Change something, and say so in a sentence.
    *("authority create", "authority issue", "authority revoke", "authority revocation-list", "authority settings-key"),
    *("site devices approve", "site devices block", "site devices unblock", "site devices remove"),
    *("site blocks add", "site blocks remove", "site certificates block", "site certificates unblock"),
    *("site revocation refresh", "token block", "token unblock"),
    *("token keys rotate", "token keys withdraw", "token keys restore", "cert export"),
}


def options() -> Iterator[tuple[Command, Any]]:
    for each in commands():
        yield from ((each, what) for what in each.click.params if what.param_type_name == "option")


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


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


def test_every_group_points_into_the_documentation() -> None:
    for each in commands():
        if not each.is_group:
            continue
        pointed = re.findall(r"docs/([\w-]+\.md)(?:#(\S+))?", each.click.epilog or "")
        assert pointed, each
        for name, heading in pointed:
            headings = re.findall(r"^#+ (.+)$", (DOCS / name).read_text(), re.MULTILINE)
            assert not heading or heading in {_anchor(one) for one in headings}, (str(each), heading)


def test_every_command_has_an_example_that_can_be_typed() -> None:
    for each in commands():
        if each.is_group:
            continue
        examples = re.findall(r"^Example: (.+)$", each.click.epilog or "", re.MULTILINE)
        assert examples, each
        for example in examples:
            words = tuple(shlex.split(example))
            assert words[: len(each.path) + 1] == ("causeway", *each.path), (str(each), example)
            each.click.make_context(str(each), list(words[len(each.path) + 1 :]))


def test_an_option_has_the_same_letter_everywhere_and_a_letter_means_one_option() -> None:
    letters: dict[str, set[str]] = {}
    for _, what in options():
        for letter in (opt for opt in what.opts if not opt.startswith("--")):
            letters.setdefault(letter, set()).update(opt for opt in what.opts if opt.startswith("--"))
    assert {letter: names for letter, names in letters.items() if len(names) != 1} == {}
    always = {name: letter for letter, names in letters.items() for name in names} | {"--json": None}
    del always["--name"]  # -n where names are what it is about: of certificates
    without = [
        f"{each} {name}"
        for each, what in options()
        for name, letter in always.items()
        if name in what.opts and sorted(what.opts) != sorted(filter(None, (name, letter)))
    ]
    assert without == []


def test_what_is_printed_for_people_is_there_for_machines_too() -> None:
    taking = {str(each) for each, what in options() if "--json" in what.opts}
    assert {str(each) for each in commands() if not each.is_group} - taking == {
        f"causeway {command}" for command in WITHOUT_JSON
    }


def test_no_secret_is_an_argument() -> None:
    secret = re.compile("password|passphrase|secret|token|mac-key")
    names = {opt for _, what in options() for opt in what.opts if secret.search(opt)}
    assert {name for name in names if not name.endswith(("-file", "-command"))} == {
        "--no-passphrase",
        "--token-header",
        "--token",  # of identity explain: @FILE or - ; it warns of the token itself
    }


def completed(*path: str, option: str) -> list[str]:
    """What a shell is offered behind ``option``."""
    (command,) = [each.click for each in commands() if each.path == path]
    (what,) = [each for each in command.params if option in each.opts]
    return [item.value for item in what.shell_complete(typer.Context(command), "")]


def test_where_what_can_be_given_is_known_a_shell_completes_it() -> None:
    assert completed("check", option="--only") == [str(each) for each in CheckGroup]
    for question in QUESTIONS:
        offered = completed("plan", "new", option=question.flag)
        assert offered == list(question.choices)
        for choice in offered:
            cloud = cloud_of(choice) if question.key == "region" else CloudName.GLOBAL
            question.check(choice, {"cloud": cloud, "target": Target.CAUSEWAY, "service_name": "gateway.contoso.com"})
    assert {question.key for question in QUESTIONS if question.choices} >= {"target", "region", "vm_size", "wildcard"}
