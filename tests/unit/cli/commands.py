"""Every command of the command line, as its tests look at it."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import typer

from causeway.cli.main import GROUPS, app


class Command(NamedTuple):
    """One command or command group; what is behind it is typer's and click's."""

    path: tuple[str, ...]
    click: Any
    is_group: bool

    def __str__(self) -> str:
        return " ".join(("causeway", *self.path))


@cache
def commands() -> tuple[Command, ...]:
    root: Any = typer.main.get_command(app)
    return (
        Command((), root, True),
        *(each for name, group in GROUPS.items() for each in _within((name,), group.load())),
    )


def _within(path: tuple[str, ...], click: Any) -> Iterator[Command]:
    inside = getattr(click, "commands", None)
    yield Command(path, click, inside is not None)
    for name, command in (inside or {}).items():
        yield from _within((*path, name), command)
