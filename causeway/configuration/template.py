"""Commented files of a configuration dataclass: the default file, and the file of given values."""

import dataclasses
import json
import textwrap
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

from causeway.configuration.section import DOC, EXAMPLE

_ABSENT: Any = dataclasses.MISSING


def default_toml(cls: type, heading: str) -> str:
    """A TOML file with every key of ``cls``, its documentation above it and its default as its value.

    A key without a default is shown with an example. A table that may repeat is shown once, commented out where there
    need not be any.
    """
    return _file(cls, _ABSENT, heading)


def to_toml(value: Any, heading: str) -> str:
    """A TOML file that reads back as ``value``, with the same documentation and in the same order as the default file.

    A key that is None is shown with an example, commented out. Only the first of repeated tables is documented.
    """
    return _file(type(value), value, heading)


def _file(cls: Any, value: Any, heading: str) -> str:
    lines = [*_comment(heading), ""]
    _write(cls, value, (), lines)
    return "\n".join(lines).rstrip() + "\n"


def _write(
    cls: Any, value: Any, table: tuple[str, ...], lines: list[str], *, commented: bool = False, documented: bool = True
) -> None:
    mark = "# " if commented else ""
    hints = get_type_hints(cls)
    nested = []
    for field in dataclasses.fields(cls):
        inner = hints[field.name]
        repeated = next((arg for arg in get_args(inner) if dataclasses.is_dataclass(arg)), None)
        if dataclasses.is_dataclass(inner) or repeated is not None:
            nested.append((field, repeated or inner, repeated is not None))
            continue
        present = _value_of(field, value)
        example = field.metadata.get(EXAMPLE)
        if documented:
            lines += _comment(field.metadata.get(DOC, ""))
        if present is _ABSENT:
            lines.append(f"{mark}{field.name} = {_literal(example)}")
        elif present is not None:
            lines.append(f"{mark}{field.name} = {_literal(present)}")
        elif documented:
            lines.append(f"# {field.name} = {_literal(example)}")
        if documented:
            lines.append("")
    if not documented:
        lines.append("")
    for field, inner, is_repeated in nested:
        present = _value_of(field, value)
        name = (*table, field.name)
        lines += _comment(field.metadata.get(DOC, ""))
        if is_repeated:
            _write_repeated(inner, present, field, name, lines, commented=commented)
            continue
        lines.append(f"{mark}[{'.'.join(name)}]")
        _write(inner, present, name, lines, commented=commented)


def _write_repeated(
    inner: Any, present: Any, field: Any, name: tuple[str, ...], lines: list[str], *, commented: bool
) -> None:
    """The tables that are there, or one to start from, commented out where there need not be any."""
    header = f"[[{'.'.join(name)}]]"
    if present is not _ABSENT and present:
        for index, each in enumerate(present):
            lines.append(header)
            _write(inner, each, name, lines, documented=index == 0)
        return
    hidden = commented or field.default is not dataclasses.MISSING
    lines.append(f"# {header}" if hidden else header)
    _write(inner, _ABSENT, name, lines, commented=hidden)


def _value_of(field: Any, value: Any) -> Any:
    """The field's value in ``value``, or its default, or nothing where it has none."""
    if value is not _ABSENT:
        return getattr(value, field.name)
    if field.default is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, 110)]


def _literal(value: Any) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_literal(part) for part in value) + "]"
    if isinstance(value, Path):
        value = str(value)
    # JSON's strings are TOML's, but for the one control character that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
