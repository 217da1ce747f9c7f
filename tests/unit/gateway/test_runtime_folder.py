"""The folder of a gateway's sockets: its own while anybody of it lives, and taken away by the next one after that."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from causeway.gateway.runtime_folder import remove_left_behind, runtime_folder


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_it_is_there_for_its_owner_alone_and_gone_in_the_end(place: Path) -> None:
    with runtime_folder() as folder:
        assert folder.parent == place
        assert folder.stat().st_mode & 0o777 == 0o700
    assert list(place.iterdir()) == []


PROGRAM = """
import os, signal
from causeway.gateway.runtime_folder import runtime_folder
with runtime_folder() as folder:
    (folder / "worker-0.sock").touch()
    child = os.fork() if {with_child} else -1
    if child:
        print(child, folder, flush=True)
    signal.pause()
"""


def killed(place: Path, *, with_child: bool = False) -> tuple[Path, int]:
    """The folder of a process that was killed, and its child that lives on."""
    program = [sys.executable, "-c", PROGRAM.format(with_child=with_child)]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(place)}
    ) as owner:
        assert owner.stdout is not None
        child, _, folder = owner.stdout.readline().strip().partition(" ")
        owner.kill()
    return Path(folder), int(child)


def test_what_a_killed_one_left_is_taken_away_and_what_the_living_have_is_not(place: Path) -> None:
    dead, _ = killed(place)
    with runtime_folder() as mine:
        assert dead.exists()
        remove_left_behind()
        assert not dead.exists()
        assert mine.exists()
        with runtime_folder() as another:
            remove_left_behind()
            assert mine.exists()
            assert another != mine


def test_a_worker_that_outlives_its_supervisor_keeps_the_folder(place: Path) -> None:
    folder, child = killed(place, with_child=True)
    try:
        remove_left_behind()
        assert folder.exists()
    finally:
        os.kill(child, signal.SIGKILL)


def test_what_bears_the_name_and_is_no_folder_of_ours_stays(place: Path) -> None:
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "file").touch()
    (place / "causeway-gateway-link").symlink_to("elsewhere")
    (place / "causeway-gateway-file").touch()
    remove_left_behind()
    assert sorted(each.name for each in place.iterdir()) == [
        "causeway-gateway-file",
        "causeway-gateway-link",
        "elsewhere",
    ]
    assert (place / "elsewhere" / "file").exists()


def test_another_ones_folder_stays(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "causeway-gateway-theirs").mkdir()
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    remove_left_behind()
    assert (place / "causeway-gateway-theirs").exists()
