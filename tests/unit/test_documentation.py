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


FAMILIES = {
    # Nothing is ever refused with these: what is has a word of its own.
    "Device_Failed",
    "GatewaySettingsRefused",
    "MP_NotAccepted",
    "MP_SiteTokenRefused",
    "Messaging_Invalid",
    "Site_Refused",
}
OF_REQUESTS = re.compile("(CMG|MP_|STS_|Site_|Messaging_|Device_|GatewaySettings|Revocation|Ocsp|EntraKeys|Tunnel)")


def all_classes() -> list[type[CausewayError]]:
    for module in pkgutil.walk_packages(causeway.__path__, "causeway."):
        if not module.name.endswith(("__main__", "migrations.env")) and ".versions." not in module.name:
            importlib.import_module(module.name)
    found: list[type[CausewayError]] = []
    todo: list[type[CausewayError]] = [CausewayError]
    while todo:
        for subclass in todo.pop().__subclasses__():
            todo.append(subclass)
            if isinstance(subclass.__dict__.get("word"), str) and subclass.__module__.startswith("causeway."):
                found.append(subclass)
    return found


def all_words() -> set[str]:
    return {*REFUSALS, CLIENT_GONE, *(one.word for one in all_classes())}


def test_every_word_of_an_error_is_explained() -> None:
    text = "".join(path.read_text() for path in DOCS.glob("*.md"))
    explained = set(re.findall(r"(?:^#+ |\| |, )`?([A-Z][A-Za-z]+(?:_[A-Za-z]+)*)`?", text, re.MULTILINE))
    assert sorted(all_words() - explained) == []


def test_every_word_that_a_client_or_a_peer_is_refused_with_is_produced_by_a_test() -> None:
    """By its name or by its error's; whoever adds a word adds the test that shows how it comes about."""
    names: dict[str, set[str]] = {word: {word} for word in all_words() if OF_REQUESTS.match(word)}
    for one in all_classes():
        if one.word in names:
            names[one.word].add(one.__name__)
    tests = [path for path in DOCS.parent.glob("tests/**/test_*.py") if path != Path(__file__)]
    told = set(re.findall(r"\w+", "".join(path.read_text() for path in tests)))
    assert sorted(word for word, its in names.items() if not its & told and word not in FAMILIES) == []


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
