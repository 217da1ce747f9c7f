"""A certificate that is taken again when its files are replaced, and watched for its end."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from causeway.errors import OperatorError, StateError
from causeway.pki.in_use import CertificateInUse, ExpiresSoon, term_of
from tests.unit.certificates import Certified, root

REFUSED = "the certificate cannot be used, the one in force stays"
NOW = dt.datetime.now(dt.UTC)


def lasting(days: float) -> Certified:
    return root(end=NOW + dt.timedelta(days=days), start=NOW - dt.timedelta(days=200))


class Files:
    def __init__(self, folder: Path, days: float = 100) -> None:
        self.fail = False
        self.times = 0
        self.certificate, self.key = folder / "a.pem", folder / "a.key"
        self.certificate.write_text(lasting(days).pem)
        self.key.write_text("a key")
        self.in_use = CertificateInUse("server", self.certificate, self.key, take=self._take)

    def _take(self) -> None:
        if self.fail:
            raise StateError("the key is another's")
        self.times += 1


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path)
    made.in_use.take()
    made.in_use.look()  # says what is in force
    return made


def replaced(files: Files) -> None:
    aside = files.key.with_suffix(".new")
    aside.write_text(files.key.read_text())
    aside.replace(files.key)


def written_over(files: Files) -> None:
    files.certificate.write_text(lasting(50).pem)


def moved_away(files: Files) -> None:
    files.certificate.rename(files.certificate.with_suffix(".old"))


@pytest.mark.parametrize("change", [replaced, written_over, moved_away])
def test_what_changed_is_taken_and_what_did_not_is_not(files: Files, change: Callable[[Files], None]) -> None:
    for _ in range(3):
        files.in_use.look()
    assert files.times == files.in_use.taken == 1
    change(files)
    for _ in range(3):
        files.in_use.look()
    assert files.times == files.in_use.taken == 2


def test_a_version_behind_a_link_is_followed(tmp_path: Path) -> None:
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        Files(tmp_path / version)
    (tmp_path / "current").symlink_to("one")
    times: list[int] = []
    followed = CertificateInUse("server", tmp_path / "current" / "a.pem", take=lambda: times.append(1))
    followed.take()
    (tmp_path / "aside").symlink_to("two")
    (tmp_path / "aside").replace(tmp_path / "current")
    followed.look()
    followed.look()
    assert len(times) == 2


def test_a_pair_that_does_not_fit_is_said_once_and_tried_until_it_does(files: Files) -> None:
    files.fail = True
    replaced(files)
    with capture_logs() as logs:
        for _ in range(5):
            files.in_use.look()
        assert [log["event"] for log in logs] == [REFUSED]
        written_over(files)
        files.in_use.look()
        assert [log["event"] for log in logs] == [REFUSED, REFUSED]
        files.fail = False
        files.in_use.look()
        files.in_use.look()
    assert files.times == 2
    assert [log["event"] for log in logs][2:] == ["certificate in force"]


def test_what_could_not_be_put_in_force_again_is_tried_again_though_the_files_stay(files: Files) -> None:
    files.fail = True
    assert not files.in_use.renew()
    files.fail = False
    files.in_use.look()
    assert files.times == 2


def test_its_end_is_known_and_said_once_a_day_when_it_is_near(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files(tmp_path, 31.5)
    with capture_logs() as logs:
        files.in_use.take()
    assert logs == []
    assert files.in_use.not_after == int((NOW + dt.timedelta(days=31.5)).timestamp())
    start, seen = NOW.timestamp(), []
    for half_day in range(68):
        monkeypatch.setattr("causeway.pki.in_use.time.time", lambda half_day=half_day: start + half_day * 12 * 3600)
        with capture_logs() as logs:
            files.in_use.look()
            files.in_use.look()
        seen += [(log["event"], log.get("days_left", 0)) for log in logs]
    assert seen.pop(0) == ("certificate in force", 0)
    assert seen[0] == ("certificate expires soon", 29)
    assert [days for _, days in seen] == list(range(29, -3, -1))
    assert [event for event, days in seen if days < 0] == ["certificate has expired"] * 2


def test_a_check_passes_warns_and_fails_by_the_days_that_are_left() -> None:
    end = NOW + dt.timedelta(days=31)
    assert term_of(lasting(31).certificate) == f"valid until {end:%Y-%m-%d}"
    with pytest.raises(ExpiresSoon, match="expires in 28 days; renew it"):
        term_of(lasting(29).certificate)
    with pytest.raises(OperatorError, match="expired on") as expired:
        term_of(lasting(-1).certificate)
    assert not isinstance(expired.value, ExpiresSoon)
