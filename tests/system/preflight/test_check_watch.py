"""``causeway check --watch`` without and with a terminal: only what changes is shown again, and Ctrl-C ends it."""

import json
import os
import pty
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.system.certificates import certificates
from tests.system.plan.running import CAUSEWAY, environment
from tests.system.processes import Process, running, wait_until
from tests.unit.plan.plans import CONTOSO

ISSUED = certificates("watch")


class Watch(Process):
    """It looks at a certificate's file, which may not be there yet."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        (folder / "plan.toml").write_text(CONTOSO)
        self.file = folder / "server.pem"
        look = ("check", "--plan", folder / "plan.toml", "--only", "certificate", "--ca", ISSUED.root)
        files = ("--certificate", self.file, "--interval", "0.2")
        super().__init__([*CAUSEWAY, *look, *files, *arguments], folder / "out", environment=environment(folder))

    def put(self) -> None:
        """The file comes, at once and whole."""
        pair = ISSUED.server("gateway.contoso.com")
        aside = self.file.with_suffix(".new")
        aside.write_bytes(pair.certificate.read_bytes() + pair.key.read_bytes())
        aside.rename(self.file)


def test_only_changes_are_shown_until_everything_passes(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "--until-pass")
    with running(watch):
        wait_until(lambda: "3 checks, 1 failed, 1 skipped." in watch.text(), what="the first look")
        watch.put()
        assert watch.wait() == 0, watch.text()
    lines = watch.text().splitlines()
    assert sum("FAIL  certificate file" in line for line in lines) == 1
    assert any("new  PASS  certificate dates" in line for line in lines)
    assert any(f"gone  certificate file  {watch.file}" in line for line in lines)
    assert "failed" not in lines[-1]


def test_ctrl_c_ends_it_with_the_exit_code_of_the_last_look(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "--watch", "--json")
    with running(watch):
        wait_until(lambda: watch.text().count("\n") >= 2, what="two looks")
        watch.signal(signal.SIGINT)
        assert watch.wait() == 1
    first, *others = map(json.loads, watch.text().splitlines())
    assert (first["ok"], first["changed"], first["checks"][1]["status"]) == (False, [], "FAIL")
    assert all(each["changed"] == each["gone"] == [] for each in others)
    (tmp_path / "out").unlink()
    with running(watch):
        watch.put()
        wait_until(lambda: '"ok": true' in watch.text(), what="a look that passes")
        watch.signal(signal.SIGINT)
        assert watch.wait() == 0
    assert any(
        each["name"] == "certificate dates" for line in watch.text().splitlines() for each in json.loads(line)["checks"]
    )


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
@pytest.mark.timeout(100)
def test_at_a_terminal_it_is_redrawn_in_place_and_marks_what_changed(tmp_path: Path, columns: int, rows: int) -> None:
    watch = Watch(tmp_path, "--until-pass")
    ours, theirs = pty.openpty()
    where = {**environment(tmp_path), "TERM": "xterm", "COLUMNS": str(columns), "LINES": str(rows)}
    command = [str(part) for part in watch._command]
    process = subprocess.Popen(command, env=where, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    shown = b""
    try:
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # the other end closed
                break
            shown += chunk
            if b"3 checks, 1 failed, 1 skipped." in shown and not watch.file.exists():
                watch.put()
            if not chunk:
                break
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    text = shown.decode()
    assert "● new  PASS  certificate dates" in text
    assert "\x1b[2K" in text  # lines are cleared and written anew
    assert "\x1b[3" not in text  # NO_COLOR


def test_the_plan_is_read_again_and_one_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "--watch", "--json")
    plan = tmp_path / "plan.toml"

    def write(text: str) -> None:
        aside = plan.with_suffix(".new")
        aside.write_text(text)
        aside.rename(plan)

    def look_that_says(status: str, what: str, of: str = "plan file") -> list[dict[str, Any]]:
        """The checks of the last look in which the plan's file is so, and ``of`` says ``what``."""

        def found() -> list[dict[str, Any]] | None:
            *whole, _ = watch.text().split("\n")
            for checks in (json.loads(line)["checks"] for line in reversed(whole)):
                if checks[0]["status"] == status and any(of == each["name"] and what in str(each) for each in checks):
                    return list(checks)
            return None

        wait_until(lambda: found() is not None, what=what)
        return found() or []

    with running(watch):
        assert look_that_says("PASS", "read at ")[0]["name"] == "plan file"
        other = CONTOSO.replace("gateway.contoso.com", "cmg.contoso.com").replace("expected = 5000", "expected = 6000")
        write(other)
        again = look_that_says("PASS", "read again at ")
        assert "names.service_name was gateway.contoso.com, is cmg.contoso.com" in again[0]["details"]
        assert "clients.expected was 5000, is 6000" in again[0]["details"]

        write(other + "[clients]\n")
        broken = look_that_says("FAIL", "not TOML")
        assert broken[0]["action"].startswith("Mend the file; until then, what it said at ")
        assert len(broken) == len(again)  # the rest is looked at as before
        plan.unlink()
        assert "make one with `causeway plan new`" in look_that_says("FAIL", "No such file")[0]["details"]

        write(other)
        look_that_says("PASS", "it says what it said at ")
        watch.put()
        checks = look_that_says("PASS", "cmg.contoso.com", of="certificate name")
        assert [each["status"] for each in checks if each["name"] == "certificate name"] == ["FAIL"]
        watch.signal(signal.SIGINT)
        assert watch.wait() == 1
