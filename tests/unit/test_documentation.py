"""What the documentation promises to list is listed."""

import importlib
import pkgutil
import re
from pathlib import Path

import causeway
from causeway.errors import CausewayError
from causeway.gateway.metrics import families
from causeway.refusals import CLIENT_GONE, REFUSALS

DOCS = Path(__file__).parents[2] / "docs"


def all_words() -> set[str]:
    for module in pkgutil.walk_packages(causeway.__path__, "causeway."):
        if not module.name.endswith(("__main__", "migrations.env")) and ".versions." not in module.name:
            importlib.import_module(module.name)
    words = {*REFUSALS, CLIENT_GONE}
    todo: list[type[CausewayError]] = [CausewayError]
    while todo:
        for subclass in todo.pop().__subclasses__():
            todo.append(subclass)
            word = subclass.__dict__.get("word")
            if isinstance(word, str) and subclass.__module__.startswith("causeway."):
                words.add(word)
    return words


def test_every_word_of_an_error_is_explained() -> None:
    text = "".join(path.read_text() for path in DOCS.glob("*.md"))
    explained = set(re.findall(r"(?:^#+ |\| |, )`?([A-Z][A-Za-z]+(?:_[A-Za-z]+)*)`?", text, re.MULTILINE))
    assert sorted(all_words() - explained) == []


def test_every_metric_of_the_gateway_is_listed() -> None:
    text = (DOCS / "metrics.md").read_text()
    for family in families({}):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert f"`{name}`" in text, name


def test_every_test_that_the_documentation_names_exists() -> None:
    tests = "".join(path.read_text() for path in DOCS.parent.glob("tests/**/*.py"))
    for page in ("threat-model.md", "reliability.md"):
        for name in re.findall(r"`(test_[a-z0-9_]+)`", (DOCS / page).read_text()):
            assert f"def {name}(" in tests, (page, name)
