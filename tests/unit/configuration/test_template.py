"""The default file of every configuration reads back, once it names files for what has no default."""

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from causeway.configuration import default_toml, parse, section, setting, to_toml
from causeway.connection_point.config import HEADING as CONNECTION_POINT_HEADING
from causeway.connection_point.config import ConnectionPointConfig
from causeway.gateway.config import HEADING as GATEWAY_HEADING
from causeway.gateway.config import GatewayConfig
from causeway.plan.document import HEADING as PLAN_HEADING
from causeway.plan.document import Plan
from causeway.site.config import HEADING as SITE_HEADING
from causeway.site.config import SiteConfig

ALL = {
    "gateway": (GatewayConfig, GATEWAY_HEADING),
    "connection-point": (ConnectionPointConfig, CONNECTION_POINT_HEADING),
    "site": (SiteConfig, SITE_HEADING),
    "plan": (Plan, PLAN_HEADING),
}


@pytest.mark.parametrize("name", ALL)
def test_the_default_file_reads_back(name: str) -> None:
    cls, heading = ALL[name]
    parse(default_toml(cls, heading), cls, Path("/etc/causeway/default.toml"))


@pytest.mark.parametrize("name", ALL)
def test_the_default_file_holds_the_defaults(name: str) -> None:
    cls, heading = ALL[name]
    text = default_toml(cls, heading)
    path = Path("/etc/causeway/default.toml")
    assert parse(_without_defaults(cls, text), cls, path) == parse(text, cls, path)


def _without_defaults(cls: Any, text: str) -> str:
    """The text without the keys that have a default."""
    required = {field.name for field in _fields(cls) if field.default is field.default_factory is dataclasses.MISSING}
    lines = []
    for line in text.splitlines():
        key = re.match(r"(\w+) = ", line)
        if key is None or key[1] in required:
            lines.append(line)
    return "\n".join(lines)


def _fields(cls: Any) -> list[dataclasses.Field[Any]]:
    found = []
    for field in dataclasses.fields(cls):
        found.append(field)
        hint = get_type_hints(cls)[field.name]
        for inner in (hint, *get_args(hint)):
            if dataclasses.is_dataclass(inner):
                found += _fields(inner)
    return found


@pytest.mark.parametrize("name", ALL)
def test_every_key_is_documented_and_every_commented_key_is_one_that_is_taken(name: str) -> None:
    cls, heading = ALL[name]
    lines = default_toml(cls, heading).splitlines()
    for number, line in enumerate(lines):
        if re.match(r"(# )?\w+ = ", line):
            assert lines[number - 1].startswith("# "), line
        assert len(line) <= 120 or " = " in line
    uncommented = "\n".join(re.sub(r"^# (?=\w+ = |\[)", "", line) for line in lines)
    tomllib.loads(uncommented)
    parse(uncommented, cls, Path("/etc/causeway/default.toml"))


@pytest.mark.parametrize("name", ALL)
def test_a_file_of_given_values_reads_back_and_has_the_keys_and_comments_of_the_default_file(name: str) -> None:
    cls, heading = ALL[name]
    path = Path("default.toml")
    value: Any = parse(default_toml(cls, heading), cls, path)
    text = to_toml(value, heading)
    assert parse(text, cls, path) == value
    comments = [line for line in default_toml(cls, heading).splitlines() if line.startswith("# ") and " = " not in line]
    assert [line for line in text.splitlines() if line in comments] == comments


def test_of_repeated_tables_only_the_first_is_documented_and_none_is_shown_commented_out() -> None:
    @section
    class Leaf:
        port: int = setting("a port", example=1)
        name: str | None = setting("a name", default=None, example="x")

    @section
    class Tree:
        leaf: tuple[Leaf, ...] = setting("leaves", default=())

    assert to_toml(Tree(leaf=(Leaf(port=1), Leaf(port=2, name="two"))), "Tree.").splitlines() == [
        "# Tree.",
        "",
        "# leaves",
        "[[leaf]]",
        "# a port",
        "port = 1",
        "",
        "# a name",
        '# name = "x"',
        "",
        "[[leaf]]",
        "port = 2",
        'name = "two"',
    ]
    assert to_toml(Tree(), "Tree.").splitlines()[2:] == [
        "# leaves",
        "# [[leaf]]",
        "# a port",
        "# port = 1",
        "",
        "# a name",
        '# name = "x"',
    ]


def test_a_control_character_is_written_as_toml_wants_it() -> None:
    @section
    class Odd:
        text: str = setting("text")

    assert tomllib.loads(to_toml(Odd(text="a\x7fb\x01\n"), "Odd.")) == {"text": "a\x7fb\x01\n"}


def test_values_of_every_kind_are_written_as_toml() -> None:
    @section
    class Odd:
        text: str = setting("text", default='a "quoted" \\ back\tslash é')
        words: tuple[str, ...] = setting("words", default=("a", "b"))
        number: float = setting("a number", default=0.5)
        path: Path = setting("a path", default=Path("a/b"))
        needed: str = setting("needed", example="x")
        none: str | None = setting("none", default=None, example="y")

    text = default_toml(Odd, "Odd things.")
    assert text.startswith("# Odd things.\n")
    assert '# none = "y"\n' in text
    read = tomllib.loads(text)
    assert read == {
        "text": 'a "quoted" \\ back\tslash é',
        "words": ["a", "b"],
        "number": 0.5,
        "path": "a/b",
        "needed": "x",
    }
