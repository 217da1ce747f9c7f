"""Read a TOML file into its dataclass, or say which file, line and key is wrong and what was expected."""

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from causeway.errors import ConfigurationError

T = TypeVar("T")

_NAME = r"(?:\"([^\"]*)\"|'([^']*)'|([\w\-]+))"
_KEY = r"(?:\"[^\"]*\"|'[^']*'|[\w\-]+)(?:\s*\.\s*(?:\"[^\"]*\"|'[^']*'|[\w\-]+))*"
_REMEDY = "name another with --config, or print one with `causeway gateway|connection-point|site run --print-default`"
_UNKNOWN = ("unexpected_keyword_argument", "extra_forbidden")
_EXPECTED = {
    "missing": "is missing and has no default",
    **dict.fromkeys(_UNKNOWN, "is unknown; remove it or correct its spelling"),
}


def load(path: Path, cls: type[T], *, remedy: str = _REMEDY) -> T:
    """Read ``path`` as a ``cls`` (see ``section``).

    Args:
        path: the file.
        cls: what it holds.
        remedy: what to do where there is no such file.

    Raises:
        ConfigurationError: no such file, no TOML, an unknown or missing key, another type, out of range.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = str(error.strerror) if isinstance(error, OSError) else "not UTF-8"
        if isinstance(error, FileNotFoundError):
            reason += f"; {remedy}"
        raise ConfigurationError(f"{path}: cannot be read: {reason}") from error
    return parse(text, cls, path)


def parse(text: str, cls: type[T], path: Path) -> T:
    """Read the text of a configuration file; ``path`` is named in errors, and relative paths start at its folder.

    Raises:
        ConfigurationError: as for ``load``.
    """
    try:
        # By way of JSON, since pydantic's strict mode for JSON takes a string for a path or an enum, and nothing else
        # for a number: just what TOML means.
        data = json.dumps(tomllib.loads(text), default=str)
    except RecursionError as error:
        raise ConfigurationError(f"{path}: not TOML: tables or lists within one another, too deep to read") from error
    except ValueError as error:  # no TOML, or a number of thousands of digits
        raise ConfigurationError(f"{path}: not TOML: {error}") from error
    try:
        return TypeAdapter(cls).validate_json(data, context={"base": path.absolute().parent})
    except ValidationError as error:
        errors = error.errors(include_url=False)
        first = min(errors, key=_rank)
        raise ConfigurationError(f"{path}: {_describe(text, first)}") from error


def _rank(error: Any) -> int:
    """What has to be mended comes first.

    A file of another version holds keys that are unknown here; a key that is misspelt is also missing under its right
    name.
    """
    if error["loc"] == ("version",):
        return 0
    return 1 if error["type"] in _UNKNOWN else 2


def _describe(text: str, error: Any) -> str:
    location: tuple[str | int, ...] = error["loc"]
    kind = error["type"]
    key = ".".join(str(part) for part in location) or "the file"
    line = _line_of(text, location)
    where = f"line {line}: " if line else ""
    if kind in _EXPECTED:
        return f"{where}key {key} {_EXPECTED[kind]}"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{where}key {key}: {message} (found {json.dumps(error['input'], default=str)[:80]})"


def _line_of(text: str, location: Sequence[str | int]) -> int | None:
    """The line a key stands on, by its table header and its name; None for a key that is not there."""
    wanted_names = [part for part in location if isinstance(part, str)]
    wanted_index = next((part for part in location if isinstance(part, int)), 0)
    table: list[str] = []
    seen = 0
    best = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(rf"\s*\[(\[?)\s*({_KEY})\s*\]?\]", line):
            table = _names(header[2])
            if header[1] and table == wanted_names[: len(table)]:
                seen += 1
            if wanted_names[: len(table)] == table and (not header[1] or seen == wanted_index + 1):
                best = number
        elif key := re.match(rf"\s*({_KEY})\s*=", line):
            names = [*table, *_names(key[1])]
            if names == wanted_names[: len(names)] and seen in (0, wanted_index + 1):
                return number
    return best


def _names(key: str) -> list[str]:
    """The names in a key, which may be dotted and quoted."""
    return [first or second or third for first, second, third in re.findall(_NAME, key)]
