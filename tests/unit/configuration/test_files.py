"""Files that survive a kill at any moment, with rights for their owner only."""

import os
from pathlib import Path

import pytest

from causeway.errors import StateError
from causeway.files import make_private_folder, read_state, write_atomically


def test_a_file_is_written_whole_with_rights_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_atomically(path, b"first")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"first", 0o600)
    write_atomically(path, b"second", mode=0o644)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"second", 0o644)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fchmod", "fsync", "replace"])
def test_a_failure_on_the_way_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "state"
    write_atomically(path, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if step == "replace":
        monkeypatch.setattr(Path, "replace", full)
    else:
        monkeypatch.setattr(os, step, full)
    with pytest.raises(StateError, match=r"state: cannot be written: No space left on device"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_new_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def note_fsync(descriptor: int) -> None:
        steps.append("fsync")
        fsync(descriptor)

    def note_replace(path: Path, target: Path) -> Path:
        steps.append("replace")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    write_atomically(tmp_path / "state", b"x")
    assert steps == ["fsync", "replace", "fsync"]  # the file, its name, the folder that holds the name


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"none/state: cannot be written: No such file or directory; choose another"):
        write_atomically(tmp_path / "none" / "state", b"x")


def test_a_private_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    make_private_folder(folder)
    make_private_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match=r"file/sub: cannot be made: Not a directory; choose another folder"):
        make_private_folder(tmp_path / "file" / "sub")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(StateError, match="not writable; choose another folder or change its rights"):
        make_private_folder(tmp_path)


def test_a_state_file_that_cannot_be_read_is_named_with_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"x: the proxy's password cannot be read: No such file or directory"):
        read_state(tmp_path / "x", "the proxy's password")
