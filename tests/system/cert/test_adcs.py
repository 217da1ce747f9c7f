"""AD CS: files for certreq, and web enrolment against a fake of ours."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.cert.fake_web_enrolment import FakeWebEnrolment, web_enrolment
from tests.system.cert.openssl_authority import OpensslAuthority
from tests.system.cert.running import cert
from tests.system.negotiate_door import PASSWORD, USER

NAME = "gateway.contoso.com"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeWebEnrolment]:
    authority = OpensslAuthority.make(tmp_path_factory.mktemp("authority"))
    with web_enrolment(tmp_path_factory.mktemp("pages"), authority) as fake:
        yield fake


@pytest.fixture
def requested(tmp_path: Path) -> Path:
    (tmp_path / "password").write_text(PASSWORD + "\n")
    assert cert("request", "--name", NAME, "--no-passphrase", cwd=tmp_path).returncode == 0
    return tmp_path


@pytest.mark.parametrize("how", [(), ("--basic",)], ids=["negotiate", "basic"])
def test_web_enrolment_hands_the_request_in_and_takes_the_certificate_in(
    how: tuple[str, ...], pages: FakeWebEnrolment, requested: Path
) -> None:
    common = ("adcs", "web", pages.url, "--user", USER, "--password-file", "password", "--ca-file", pages.ca_file)
    done = cert(*common, *how, cwd=requested)
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    shown = cert("inspect", "certificate/current/server.pem", "--ca", pages.authority.root, cwd=requested)
    assert shown.returncode == 0, shown.stdout


def test_a_wrong_password_a_wrong_template_and_an_unknown_server_are_told_apart(
    pages: FakeWebEnrolment, requested: Path
) -> None:
    common = ("adcs", "web", pages.url, "--user", USER, "--password-file")
    (requested / "wrong").write_text("guess\n")
    trusted = ("--ca-file", pages.ca_file)
    wrong = cert(*common, "wrong", *trusted, cwd=requested)
    assert (wrong.returncode, "name or password was refused" in wrong.stderr) == (1, True)
    template = cert(*common, "password", *trusted, "--template", "WebServer", cwd=requested)
    assert (template.returncode, "the template is not supported" in template.stderr) == (1, True)
    unknown = cert(*common, "password", cwd=requested)
    assert (unknown.returncode, "its certificate is not good" in unknown.stderr) == (1, True)
    plain = cert(
        "adcs", "web", "http://localhost/certsrv", "--user", USER, "--password-file", "password", cwd=requested
    )
    assert (plain.returncode, "only https://" in plain.stderr) == (2, True)


def test_a_request_that_waits_for_approval_is_fetched_by_its_number(pages: FakeWebEnrolment, requested: Path) -> None:
    common = ("adcs", "web", pages.url, "--user", USER, "--password-file", "password", "--ca-file", pages.ca_file)
    pages.hold = True
    try:
        waiting = cert(*common, cwd=requested)
        assert waiting.returncode == 1
        number = max(pages.requests)
        assert f"--number {number}" in waiting.stderr
        early = cert(*common, "--number", str(number), cwd=requested)
        assert (early.returncode, "is not issued" in early.stderr) == (1, True)
    finally:
        pages.hold = False
    done = cert(*common, "--number", str(number), cwd=requested)
    assert done.returncode == 0, done.stderr


def test_certreq_gets_an_inf_or_the_request_that_was_made_here(tmp_path: Path) -> None:
    fresh = cert("adcs", "certreq", "--name", NAME, "--ca", "CA01\\Contoso CA", "--json", cwd=tmp_path)
    assert fresh.returncode == 0, fresh.stderr
    report = json.loads(fresh.stdout)
    assert b"\r\n" in (tmp_path / report["inf"]).read_bytes()
    assert report["steps"][0]["command"] == "certreq -new request.inf request.csr"
    assert cert("request", "--name", NAME, "--no-passphrase", cwd=tmp_path).returncode == 0
    here = json.loads(cert("adcs", "certreq", "--json", cwd=tmp_path).stdout)
    assert here["inf"] is None
    assert here["steps"][-1]["command"] == "causeway cert import response.p7b"
    hostile = cert("adcs", "certreq", "--template", 'x" & calc', cwd=tmp_path)
    assert hostile.returncode == 2
