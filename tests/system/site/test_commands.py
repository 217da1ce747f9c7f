"""What the commands on the site's database say where they cannot do what is asked."""

import uuid
from pathlib import Path

import pytest

from tests.system.site.by_token import new_bulk_token
from tests.system.site.running import RunningSite


def test_a_token_that_cannot_be_written_to_its_file_is_not_made(shared_site: RunningSite, tmp_path: Path) -> None:
    before = shared_site.causeway("token", "list", "--json").stdout
    failed = shared_site.causeway("token", "new", "--file", str(tmp_path / "none" / "token"), check=False)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert "choose another folder or change its rights" in failed.stderr
    assert shared_site.causeway("token", "list", "--json").stdout == before


def test_a_token_is_written_for_its_owner_alone_and_not_printed(shared_site: RunningSite, tmp_path: Path) -> None:
    file = tmp_path / "token"
    printed = shared_site.causeway("token", "new", "--file", str(file)).stdout
    token = file.read_text().strip()
    assert token.count(".") == 2
    assert token not in printed
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("command", "remedy"),
    [
        (("site", "certificates", "unblock", "a" * 64), "`causeway site certificates list` shows"),
        (("site", "blocks", "remove", "name", "nobody"), "`causeway site blocks list` shows"),
        (("site", "devices", "show", "nobody"), "`causeway site devices list` shows"),
        (("token", "show", str(uuid.UUID(int=7))), "`causeway token list` shows"),
        (("token", "keys", "restore", "zz"), "`causeway token keys list` shows"),
    ],
)
def test_who_names_what_is_not_there_is_told_the_command_that_lists_what_is(
    shared_site: RunningSite, command: tuple[str, ...], remedy: str
) -> None:
    said = shared_site.causeway(*command, check=False)
    assert (said.returncode, said.stdout) == (2, "")
    assert remedy in said.stderr


def test_what_is_not_blocked_is_not_unblocked(shared_site: RunningSite) -> None:
    token_id, _ = new_bulk_token(shared_site)
    said = shared_site.causeway("token", "unblock", token_id, check=False)
    assert (said.returncode, "`causeway token list` shows" in said.stderr) == (2, True)
