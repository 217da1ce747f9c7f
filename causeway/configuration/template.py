"""The commented default file of a configuration dataclass."""

import dataclasses
import json
import textwrap
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

from causeway.configuration.section import DOC, EXAMPLE


def default_toml(cls: type, heading: str) -> str:
    """A TOML file with every key of ``cls``, its documentation above it and its default as its value.

    A key without a default is shown with an example. A table that may repeat is shown once, commented out where there
    need not be any.
    """
    lines = [*_comment(heading), ""]
    _write(cls, (), lines)
    return "\n".join(lines).rstrip() + "\n"


def _write(cls: Any, table: tuple[str, ...], lines: list[str], *, commented: bool = False) -> None:
    mark = "# " if commented else ""
    hints = get_type_hints(cls)
    nested = []
    for field in dataclasses.fields(cls):
        inner = hints[field.name]
        repeated = next((arg for arg in get_args(inner) if dataclasses.is_dataclass(arg)), None)
        if dataclasses.is_dataclass(inner) or repeated is not None:
            nested.append((field, repeated or inner, repeated is not None))
            continue
        lines += _comment(field.metadata.get(DOC, ""))
        value = field.default
        if value is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        example = field.metadata.get(EXAMPLE)
        if value is dataclasses.MISSING:
            lines.append(f"{mark}{field.name} = {_value(example)}")
        elif value is None:
            lines.append(f"# {field.name} = {_value(example)}")
        else:
            lines.append(f"{mark}{field.name} = {_value(value)}")
        lines.append("")
    for field, inner, is_repeated in nested:
        name = (*table, field.name)
        header = ".".join(name)
        lines += _comment(field.metadata.get(DOC, ""))
        optional = is_repeated and field.default is not dataclasses.MISSING
        hidden = "# " if commented or optional else ""
        lines.append(f"{hidden}[[{header}]]" if is_repeated else f"{hidden}[{header}]")
        _write(inner, name, lines, commented=bool(hidden))


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, 110)]


def _value(value: Any) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_value(part) for part in value) + "]"
    if isinstance(value, Path):
        value = str(value)
    return json.dumps(value, ensure_ascii=False)
