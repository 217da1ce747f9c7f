"""One step of a runbook, as data."""

import shlex
from dataclasses import dataclass
from enum import StrEnum


class Who(StrEnum):
    """Who carries a step out."""

    PLANNER = "you, who plan the gateway"
    AZURE = "Azure administrator"
    ENTRA = "Entra administrator"
    DIRECTORY = "Active Directory administrator"
    PKI = "PKI administrator"
    DNS = "DNS administrator"
    NETWORK = "network administrator"
    SERVER = "server administrator"
    SITE = "Configuration Manager administrator"


class Shell(StrEnum):
    """Where a command is typed."""

    SHELL = "shell"
    POWERSHELL = "PowerShell"
    CONFIGMGR = "PowerShell, on the site's drive"
    CONSOLE = "console"
    ZONE = "zone file"


@dataclass(frozen=True, slots=True)
class Command:
    """What is typed, or clicked.

    Attributes:
        shell: where.
        text: the exact command; for a console, the way to it.
        note: when it is to be used, or what it must say; empty where that is plain.
    """

    shell: Shell
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        word: its name, for ``--done`` and for other steps; never changes.
        title: what is done.
        who: carries it out.
        because: what it is good for, and what happens without it.
        commands: in order.
        done: how to see that it is done.
        after: the words of the steps that must be done before.
    """

    word: str
    title: str
    who: Who
    because: str
    commands: tuple[Command, ...]
    done: tuple[Command, ...]
    after: tuple[str, ...] = ()


def sh(*words: str, note: str = "") -> Command:
    """A command for a POSIX shell; what needs quotes gets them, but for a ``>`` alone."""
    return Command(Shell.SHELL, " ".join(word if word == ">" else _quoted(word) for word in words), note)


def _quoted(word: str) -> str:
    """In double quotes where that is plain to read: a ``<placeholder>``, or single quotes within."""
    plain = not set(word) & set('"$`\\!')
    if plain and ("'" in word or (word.startswith("<") and word.endswith(">"))):
        return f'"{word}"'
    return shlex.quote(word)


def ps(command: str, **values: str) -> Command:
    """A command for PowerShell: each ``{name}`` is a string in single quotes, in which nothing is expanded."""
    return Command(Shell.POWERSHELL, _filled(command, values))


def cm(command: str, **values: str) -> Command:
    """A command for PowerShell on the site's drive."""
    return Command(Shell.CONFIGMGR, _filled(command, values))


def _filled(command: str, values: dict[str, str]) -> str:
    return command.format_map({name: literal(value) for name, value in values.items()})


def literal(value: str) -> str:
    """A string of PowerShell's: every kind of single quote that it takes for one is doubled."""
    doubled = "".join(character * 2 if character in "'\u2018\u2019\u201a\u201b" else character for character in value)
    return f"'{doubled}'"


def console(*way: str) -> Command:
    """The way through a console, and what is set there."""
    return Command(Shell.CONSOLE, "\n".join(way))
