"""Inputs to start from, made by the project's own encoders; ``python -m fuzz.seeds`` writes them into the corpus.

Every seed is one that its reader accepts: from there each mutation is a small step to somewhere else.
"""

from collections.abc import Iterable
from pathlib import Path

from fuzz.seeds import data_path, documents, http, messages, peers, settings, tunnel

PREFIX = "seed-"
CORPUS = Path(__file__).parent.parent / "corpus"

Seed = tuple[str, str, bytes]
"""Harness, name, content."""


def all_seeds() -> Iterable[Seed]:
    """Every seed."""
    for part in (http, tunnel, settings, data_path, peers, messages, documents):
        yield from part.seeds()


def write(corpus: Path = CORPUS) -> int:
    """Write the seeds anew, without touching the other files of the corpus; returns how many there are."""
    for old in corpus.glob(f"*/{PREFIX}*"):
        old.unlink()
    count = 0
    for harness, name, content in all_seeds():
        folder = corpus / harness
        folder.mkdir(parents=True, exist_ok=True)
        (folder / (PREFIX + name)).write_bytes(content)
        count += 1
    return count
