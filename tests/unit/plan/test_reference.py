"""``docs/plan.md`` lists every key of the file and every word of a finding, and none that is not there."""

import ast
import dataclasses
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from causeway.plan import findings
from causeway.plan.document import Plan

REFERENCE = (Path(__file__).parents[3] / "docs" / "plan.md").read_text(encoding="utf-8")


def words() -> Iterator[str]:
    """The second argument wherever a finding is made."""
    for path in Path(findings.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "PlanFinding":
                yield ast.literal_eval(node.args[1])


def section_within(annotation: Any) -> Any:
    """The section that a field's type is, or holds many of; None where it is a plain value."""
    if dataclasses.is_dataclass(annotation):
        return annotation
    return next((found for each in typing.get_args(annotation) if (found := section_within(each))), None)


def keys(section: Any, before: str = "") -> Iterator[str]:
    """Every key of the file, with those of the tables that it is in before it."""
    types = typing.get_type_hints(section)
    for field in dataclasses.fields(section):
        inner = section_within(types[field.name])
        if inner is None:
            yield f"{before}{field.name}"
        else:
            yield from keys(inner, f"{before}{field.name}.")


def test_every_finding_has_its_heading_and_every_heading_its_finding() -> None:
    assert re.findall(r"^### (\w+)$", REFERENCE, re.MULTILINE) == sorted(set(words()))
    assert len(set(words())) > 30


def test_every_key_of_the_file_is_listed_in_order() -> None:
    table = REFERENCE.partition("## The file")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE) == list(keys(Plan))
