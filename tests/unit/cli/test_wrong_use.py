"""What is wrong with the words of a command is one line that says where to read on, and exit code 2."""

import pytest

from causeway.cli import main as command_line
from causeway.cli.shared.output import INTERRUPTED, WRONG_USE


def said(words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    monkeypatch.setattr("sys.argv", ["causeway", *words.split()])
    with pytest.raises(SystemExit) as end:
        command_line.main()
    return end.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("plna show", "no such command 'plna'. Did you mean 'plan'? See `causeway --help`"),
        ("plan shwo", "no such command 'shwo'. Did you mean 'show'? See `causeway plan --help`"),
        ("plan show --jsn", "no such option: --jsn (Possible options: --json); see `causeway plan show --help`"),
        ("plan diff one.toml", "missing argument 'after'; see `causeway plan diff --help`"),
        ("plan new --target", "option '--target' requires an argument"),
        (
            "plan roles --only both",
            "invalid value for '--only': 'both' is not one of 'preflight', 'deployment'; "
            "see `causeway plan roles --help`",
        ),
    ],
)
def test_a_slip_is_told_in_one_line_with_the_help_to_read(
    words: str, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(words, monkeypatch, capsys) == (WRONG_USE, f"error: {line}\n")


def test_a_group_without_a_command_shows_its_help_and_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said("plan", monkeypatch, capsys) == (WRONG_USE, "")


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, EOFError])
def test_whoever_leaves_a_question_unanswered_sees_no_traceback(
    interrupt: type[BaseException], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def leave(*_: object) -> None:
        raise interrupt

    monkeypatch.setattr("causeway.cli.plan.show.read_plan", leave)
    code, line = said("plan show", monkeypatch, capsys)
    assert (code, line.strip()) == (INTERRUPTED, "")
