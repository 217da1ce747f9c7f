"""A wrong file gets its name, the line, the key and what was expected; a right one becomes its dataclass."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from causeway.configuration import ConfigPath, load, parse, section, setting
from causeway.errors import ConfigurationError


@section
class Leaf:
    port: Annotated[int, Field(ge=1, le=65535)] = setting("a port")
    name: str = setting("a name", default="")


@section
class Branch:
    limit_s: Annotated[float, Field(gt=0)] = setting("a limit in seconds", default=1.5)
    leaf: tuple[Leaf, ...] = setting("leaves", default=())


@section
class Tree:
    title: str = setting("a title")
    level: Literal["low", "high"] = setting("a level", default="low")
    file: ConfigPath = setting("a file", default="tree.pem")
    other: ConfigPath | None = setting("another file", default=None)
    on: bool = setting("whether", default=False)
    branch: Branch = setting("a branch", factory=Branch)
    leaf: tuple[Leaf, ...] = setting("leaves", default=())


PATH = Path("/etc/causeway/tree.toml")


def complaint(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        parse(text, Tree, PATH)
    message = str(caught.value)
    assert message.startswith(f"{PATH}: ")
    assert "\n" not in message
    return message.removeprefix(f"{PATH}: ")


def test_a_right_file_becomes_its_dataclass() -> None:
    text = """
title = "oak"
level = "high"
other = "/absolute.pem"
on = true
[branch]
limit_s = 2
[[branch.leaf]]
port = 1
[[leaf]]
port = 2
name = "two"
[[leaf]]
port = 3
"""
    tree = parse(text, Tree, PATH)
    assert (tree.title, tree.level, tree.on, tree.branch.limit_s) == ("oak", "high", True, 2.0)
    assert tree.branch.leaf == (Leaf(port=1),)
    assert tree.leaf == (Leaf(port=2, name="two"), Leaf(port=3))


def test_relative_paths_start_at_the_files_folder() -> None:
    tree = parse('title = "oak"\nother = "sub/x.pem"\n', Tree, PATH)
    assert (tree.file, tree.other) == (Path("/etc/causeway/tree.pem"), Path("/etc/causeway/sub/x.pem"))
    assert parse('title = "oak"\nfile = "/x.pem"\n', Tree, PATH).file == Path("/x.pem")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('title = "oak"\n\nunknown = 1\n', "line 3: key unknown is unknown; remove it or correct its spelling"),
        ("titel = 1\n", "line 1: key titel is unknown; remove it or correct its spelling"),
        ('title = "oak"\n[branch]\nlimt_s = 1\n', "line 3: key branch.limt_s is unknown; remove it"),
        ('title = "oak"\n[twig]\nx = 1\n', "line 2: key twig is unknown; remove it or correct its spelling"),
        ("", "key title is missing and has no default"),
        ('title = "oak"\n[[leaf]]\nname = "x"\n', "line 2: key leaf.0.port is missing and has no default"),
        ("title = 7\n", "line 1: key title: should be a valid string (found 7)"),
        ('title = "oak"\non = 1\n', "line 2: key on: should be a valid boolean (found 1)"),
        ('title = "oak"\non = "yes"\n', 'line 2: key on: should be a valid boolean (found "yes")'),
        ('title = "oak"\nlevel = "medium"\n', "line 2: key level: should be 'low' or 'high' (found \"medium\")"),
        ('title = "oak"\nfile = 7\n', "line 2: key file: should be a valid string (found 7)"),
        ('title = "oak"\n[branch]\nlimit_s = 0\n', "line 3: key branch.limit_s: should be greater than 0 (found 0)"),
        ('title = "oak"\n[branch]\nlimit_s = "1"\n', "line 3: key branch.limit_s: should be a valid number"),
        ('title = "oak"\n[branch]\nlimit_s = inf\n', "line 3: key branch.limit_s: should be a finite number"),
        ('title = "oak"\n[branch]\nlimit_s = nan\n', "line 3: key branch.limit_s: should be a finite number"),
        ('title = "oak"\n[[leaf]]\nport = 70000\n', "line 3: key leaf.0.port: should be less than or equal to 65535"),
        (
            'title = "oak"\n[[leaf]]\nport = 1\n[[leaf]]\nport = 2\n\n[[leaf]]\nname = "x"\nport = "3"\n',
            'line 9: key leaf.2.port: should be a valid integer (found "3")',
        ),
        (
            'title = "oak"\n[branch]\n[[branch.leaf]]\nport = 1\n[[branch.leaf]]\nport = 0\n',
            "line 6: key branch.leaf.1.port: should be greater than or equal to 1 (found 0)",
        ),
        (
            'title = "oak"\n[[leaf]]\nport = 1\n[branch]\nlimit_s = -1\n',
            "line 5: key branch.limit_s: should be greater than 0 (found -1)",
        ),
        ('title = "oak"\nbranch = 7\n', "line 2: key branch: should be an object"),
        ('title = "oak"\nleaf = [{port = 0}]\n', "line 2: key leaf.0.port: should be greater than or equal to 1"),
        ('title = "oak"\nbranch.limit_s = 0\n', "line 2: key branch.limit_s: should be greater than 0"),
        ('title = "oak"\n[branch]\n[[ branch . "leaf" ]]\nport = 0\n', "line 4: key branch.leaf.0.port: should be"),
        ('title = "oak"\n"on" = 3\n', "line 2: key on: should be a valid boolean"),
        ('title = "oak"\nbranch = {limit_s = 0}\n', "line 2: key branch.limit_s: should be greater than 0"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_what_was_expected(text: str, expected: str) -> None:
    assert complaint(text).startswith(expected)


def test_text_that_is_no_toml_is_named_with_its_line() -> None:
    assert complaint('title = "oak"\nnonsense\n').startswith("not TOML: ")
    assert "line 2" in complaint('title = "oak"\nnonsense\n')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = " + "[" * 100_000, "not TOML: tables or lists within one another, too deep"),
        ("x = " + "{a=" * 100_000, "not TOML: tables or lists within one another, too deep"),
        ("x = " + "9" * 5000, "not TOML: Exceeds the limit"),
        ("x = 0x" + "f" * 5000, "not TOML: Exceeds the limit"),
    ],
)
def test_text_that_would_exhaust_the_reader_is_refused(text: str, expected: str) -> None:
    assert complaint(text).startswith(expected)


def test_a_file_of_another_version_is_told_so_before_its_other_keys() -> None:
    @section
    class Versioned:
        version: Literal[1] = setting("the version")
        title: str = setting("a title")

    with pytest.raises(ConfigurationError, match="line 2: key version: should be 1"):
        parse("unknown = 1\nversion = 2\n", Versioned, PATH)


def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file or directory; name another"):
        load(tmp_path / "none.toml", Tree)


def test_a_folder_or_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        load(tmp_path, Tree)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="cannot be read: not UTF-8"):
        load(tmp_path / "binary", Tree)


def test_a_long_value_is_not_repeated_whole() -> None:
    assert len(complaint(f'title = "oak"\non = "{"x" * 5000}"\n')) < 200


@given(st.text(max_size=80) | st.text('title = "oak"\n[]{}.leafbranch17#', max_size=80))
def test_any_text_is_a_configuration_or_one_line_of_complaint(text: str) -> None:
    try:
        said = repr(parse(text, Tree, PATH))
    except ConfigurationError as error:
        said = str(error)
    assert said.startswith(("Tree(", f"{PATH}: "))
    assert "\n" not in said
