"""Who may read the files of private keys."""

from pathlib import Path

import pytest

from causeway.observability.checks import Status
from causeway.pki.key_rights import check_key_rights


@pytest.mark.parametrize(
    ("mode", "status"), [(0o600, Status.PASS), (0o640, Status.PASS), (0o644, Status.WARN), (0o602, Status.WARN)]
)
def test_a_key_that_everybody_can_use_is_a_warning(tmp_path: Path, mode: int, status: Status) -> None:
    key, other = tmp_path / "server key.pem", tmp_path / "other.key"
    for each in (key, other):
        each.touch(mode=0o600)
    key.chmod(mode)
    (result,) = check_key_rights(key, other)
    assert result.status is status
    if status is Status.WARN:
        assert f"`chmod o= '{key}'`" in result.action


def test_a_key_that_is_missing_is_left_to_the_check_of_its_certificate(tmp_path: Path) -> None:
    assert check_key_rights(tmp_path / "missing.key") == []
