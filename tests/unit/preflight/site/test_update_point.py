"""Software update points: what requires SSL, by their answers."""

from hypothesis import given
from hypothesis import strategies as st

from causeway.observability.checks import CheckResult, Status
from causeway.pki.live import Shown
from causeway.plan.document import SoftwareUpdatePointSection
from causeway.preflight.probe import run_probes
from causeway.preflight.site.asking import Answer
from causeway.preflight.site.means import Means
from causeway.preflight.site.update_point import (
    ANSWER,
    CERTIFICATE,
    METADATA,
    PAYLOADS,
    SSL,
    plain_port,
    probes,
    ssl_results,
)
from tests.unit.certificates import root
from tests.unit.plan.plans import contoso

SUP = "sup01.corp.contoso.com"
OK, REFUSED = Answer(200, "OK"), Answer(403, "Forbidden", b"403.4 - Forbidden")
AS_IT_SHOULD_BE = dict.fromkeys(METADATA, REFUSED) | dict.fromkeys(PAYLOADS, OK)


def test_what_microsoft_asks_for_passes_and_a_folder_that_is_not_there_does_not_matter() -> None:
    assert [each.status for each in ssl_results(SUP, 8531, AS_IT_SHOULD_BE)] == [Status.PASS]
    gone = AS_IT_SHOULD_BE | {"SelfUpdate": Answer(404, "Not Found")}
    assert [each.status for each in ssl_results(SUP, 8531, gone)] == [Status.PASS]


def test_each_directory_that_is_wrong_is_named_in_the_command_and_no_other() -> None:
    for name in METADATA:
        (only,) = ssl_results(SUP, 8531, AS_IT_SHOULD_BE | {name: Answer(401, "Unauthorized")})
        assert only.status is Status.FAIL
        assert f"`'{name}' | ForEach-Object" in only.action
        assert 'set config "WSUS Administration/$_" /section:access /sslFlags:Ssl /commit:apphost' in only.action
        assert f'WsusUtil.exe" configuressl {SUP}' in only.action
    for name in PAYLOADS:
        (only,) = ssl_results(SUP, 443, AS_IT_SHOULD_BE | {name: REFUSED})
        assert only.status is Status.FAIL
        assert f"`'{name}' | ForEach-Object" in only.action
        assert 'set config "Default Web Site/$_" /section:access /sslFlags:None /commit:apphost' in only.action


def test_a_listing_that_is_refused_is_no_ssl_that_is_required() -> None:
    listing = Answer(403, "Forbidden", b"HTTP Error 403.14 - Forbidden")
    assert ssl_results(SUP, 8531, AS_IT_SHOULD_BE | {"Content": listing})[0].status is Status.PASS


def test_a_port_that_is_closed_is_skipped_with_its_reason() -> None:
    (only,) = ssl_results(SUP, 8531, dict.fromkeys(AS_IT_SHOULD_BE, Answer(trouble="refused")))
    assert (only.status, "refused" in only.details) == (Status.SKIP, True)
    assert (plain_port(8531), plain_port(443)) == (8530, 80)


def test_of_a_pool_that_does_not_run_nobody_can_tell_what_requires_ssl() -> None:
    (only,) = ssl_results(SUP, 8531, dict.fromkeys(AS_IT_SHOULD_BE, Answer(503, "Service Unavailable")))
    assert (only.status, "503" in only.details) == (Status.SKIP, True)


async def checked(answer: Answer, *, tls: bool = True) -> dict[str, CheckResult]:
    shown = root().issue(SUP).certificate

    async def look(_host: str, _port: int, _name: str, _timeout_s: float) -> Shown:
        return Shown((shown,), "TLSv1.3", ())

    async def ask(_url: str, _show: bool) -> Answer:
        return answer

    plan = contoso(software_update_point=(SoftwareUpdatePointSection(host=SUP, port=8531 if tls else 8530, tls=tls),))
    return {each.name: each for each in await run_probes(probes(plan, Means(ask, look=look)), timeout_s=30)}


async def test_one_without_tls_is_asked_without_and_must_not_want_it() -> None:
    good = await checked(OK, tls=False)
    assert (good[ANSWER].status, good[SSL].status) == (Status.PASS, Status.SKIP)
    bad = await checked(REFUSED, tls=False)
    assert (bad[ANSWER].status, "tls = true" in bad[ANSWER].action) == (Status.FAIL, True)


@given(st.builds(Answer, st.integers(100, 599), st.text(max_size=20), st.binary(max_size=200)), st.booleans())
async def test_whatever_comes_is_lines(answer: Answer, tls: bool) -> None:
    for each in (await checked(answer, tls=tls)).values():
        assert each.name in {CERTIFICATE, ANSWER, SSL}
        assert "Error:" not in each.details
