"""Every input of the corpus goes through its harness, without a fuzzer."""

from pathlib import Path

import pytest

from fuzz.harnesses import NAMES, load
from fuzz.run import CORPUS
from fuzz.seeds import PREFIX, all_seeds

_INPUTS = sorted(CORPUS.glob("*/*"))


def _name(path: Path) -> str:
    return f"{path.parent.name}-{path.name}"


@pytest.mark.parametrize("path", _INPUTS, ids=_name)
def test_an_input_of_the_corpus_does_no_harm(path: Path) -> None:
    accepted = load(path.parent.name)(path.read_bytes())
    assert accepted or not path.name.startswith(PREFIX)


def test_every_harness_has_seeds() -> None:
    assert {path.parent.name for path in _INPUTS if path.name.startswith(PREFIX)} == set(NAMES)


def test_the_seeds_in_the_corpus_are_those_that_the_encoders_make() -> None:
    made = {f"{harness}-{PREFIX}{name}": len(content) for harness, name, content in all_seeds()}
    kept = {_name(path): path.stat().st_size for path in _INPUTS if path.name.startswith(PREFIX)}
    assert made.keys() == kept.keys()
    # Keys and signatures are new each time; lengths differ by no more than they and what is compressed with them do.
    assert all(abs(made[name] - kept[name]) <= 64 for name in made)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_input_does_no_harm(name: str) -> None:
    load(name)(b"")
