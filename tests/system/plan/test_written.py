"""What ``causeway plan`` writes: the page for the teams and the runbook, and with which exit code."""

import json
from pathlib import Path

import pytest

from tests.system.plan.running import CONTOSO, plan


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Contoso's plan, and one beside it that cannot work."""
    folder = tmp_path_factory.mktemp("written")
    assert plan(folder, "new", *CONTOSO).returncode == 0
    text = (folder / "causeway-plan.toml").read_text()
    (folder / "wrong.toml").write_text(text.replace('region = "westeurope"', 'region = "usgovvirginia"'))
    return folder


def test_the_page_is_written_whole_for_everybody_to_read(planned: Path) -> None:
    shown = plan(planned, "show", "--html", "plan.html")
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "plan.html is written.\n", "")
    page = planned / "plan.html"
    assert page.stat().st_mode & 0o777 == 0o644
    text = page.read_text()
    assert text.rstrip().endswith("</html>")
    for expected in ("contosogateway.westeurope.cloudapp.azure.com", "10124 to 10127", 'id="runbook"', "<polyline"):
        assert expected in text


def test_the_page_of_a_plan_that_cannot_work_is_written_says_so_and_the_exit_code_too(planned: Path) -> None:
    shown = plan(planned, "show", "wrong.toml", "--html", "wrong.html")
    assert (shown.returncode, shown.stdout) == (1, "wrong.html is written.\n")
    assert "usgovvirginia is a region of Azure US Government" in (planned / "wrong.html").read_text()


@pytest.mark.parametrize("command", ["show", "runbook"])
def test_a_page_that_cannot_be_written_is_one_line(planned: Path, command: str) -> None:
    refused = plan(planned, command, "--html", "missing/plan.html")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: missing/plan.html: cannot be written: No such file or directory; ")
    assert refused.stderr.count("\n") == 1


def test_the_runbook_names_every_step_the_same_in_every_form(planned: Path) -> None:
    printed = plan(planned, "runbook")
    assert printed.returncode == 0, printed.stderr
    steps = json.loads(plan(planned, "runbook", "--json").stdout)
    assert printed.stdout.endswith(f"{len(steps)} steps.\n")
    ticked = plan(planned, "runbook", "--markdown")
    assert ticked.returncode == 0
    written = plan(planned, "runbook", "--html", "runbook.html")
    assert (written.returncode, written.stdout) == (0, "runbook.html is written.\n")
    page = (planned / "runbook.html").read_text()
    assert page.count('class="step"') == len(steps)
    for number, step in enumerate(steps, 1):
        assert f"{number}. {step['title']}  {step['word']}\n" in printed.stdout
        assert f"## {number}. {step['title']}\n" in ticked.stdout
        assert f'id="step-{step["word"]}"' in page


def test_a_step_that_is_done_is_left_out_and_one_that_does_not_exist_is_named(planned: Path) -> None:
    words = [step["word"] for step in json.loads(plan(planned, "runbook", "--json").stdout)]
    left = json.loads(plan(planned, "runbook", "--json", f"--done={words[0]}", f"--done={words[2]}").stdout)
    assert [step["word"] for step in left] == [words[1], *words[3:]]
    nothing = plan(planned, "runbook", *(f"--done={word}" for word in words))
    assert (nothing.returncode, nothing.stdout) == (0, "Nothing is left to do.\n")
    wrong = plan(planned, "runbook", "--done=sing-in")
    assert wrong.returncode == 2
    assert "sing-in" in wrong.stderr
    assert wrong.stderr.count("\n") == 1


def test_the_runbook_of_a_plan_that_cannot_work_says_so_first(planned: Path) -> None:
    printed = plan(planned, "runbook", "wrong.toml")
    assert printed.returncode == 0
    assert printed.stdout.startswith("This plan cannot work as it is: `causeway plan show wrong.toml` says why.\n")
