"""What lies beside the sources."""

from pathlib import Path

from causeway.compiled import data_path_is_compiled

_ROOT = Path(__file__).parents[2]


def test_no_compiled_module_stands_for_its_source() -> None:
    assert not [*(_ROOT / "causeway").rglob("*.so"), *_ROOT.glob("*__mypyc*.so")]
    assert not data_path_is_compiled()
