import sys
from pathlib import Path

import pytest

from causeway.device.entra import EntraTokenSource
from causeway.device.errors import EntraTokenError
from causeway.errors import ConfigurationError


async def test_a_token_comes_from_a_file_that_is_read_anew_each_time(tmp_path: Path) -> None:
    source = EntraTokenSource(tmp_path / "token")
    for token in ("a.b.c", "d.e.f"):
        (tmp_path / "token").write_text(f"{token}\n")
        assert await source.token() == token


async def test_a_token_comes_from_a_command_that_no_shell_sees() -> None:
    assert await EntraTokenSource(command=f"{sys.executable} -c 'print(\"a.b.c\")'").token() == "a.b.c"


@pytest.mark.parametrize("text", ["", "secret", "a.b", "a.b.c d", "a.b.c.d", "a.b.\u00e9"])
async def test_what_is_no_token_is_refused_and_not_shown(text: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(text)
    with pytest.raises(EntraTokenError) as caught:
        await EntraTokenSource(tmp_path / "token").token()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "command",
    ["/nowhere/broker", f"{sys.executable} -c 'import sys; sys.exit(\"no broker\")'"],
)
async def test_a_command_that_fails_is_said_with_its_last_line(command: str) -> None:
    with pytest.raises(EntraTokenError, match=r"cannot be run|no broker"):
        await EntraTokenSource(command=command).token()


def test_a_token_comes_from_one_place() -> None:
    for wrong in ({}, {"file": Path("x"), "command": "y"}, {"command": ""}, {"command": "'"}):
        with pytest.raises(ConfigurationError):
            EntraTokenSource(**wrong)
