"""Management points as they show themselves and answer, and answers that make no sense."""

import datetime as dt
import tempfile
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from causeway.messaging.keyinfo import ManagementPoint, MPCertificates, MPList, SignedHex
from causeway.observability.checks import CheckResult, Status
from causeway.pki.errors import HostUnreachable
from causeway.pki.live import Shown
from causeway.plan.document import ManagementPointSection, Plan
from causeway.plan.values import ManagementPointMode, Target
from causeway.preflight.probe import run_probes
from causeway.preflight.site.asking import Answer
from causeway.preflight.site.management_point import endpoints, probes
from causeway.preflight.site.management_point_results import CERTIFICATE, CLIENT_CERTIFICATE, MPCERT, MPLIST
from causeway.preflight.site.means import Means
from tests.unit.certificates import DAY, NOW, Certified, root
from tests.unit.plan.plans import contoso

MP = "mp01.corp.contoso.com"
ROOT = root("Contoso Root")
SERVER_AUTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])


def leaf(name: str = MP, end: dt.datetime = NOW + 200 * DAY, usage: x509.ExtendedKeyUsage = SERVER_AUTH) -> Certified:
    return ROOT.issue(name, extensions=(usage, x509.SubjectAlternativeName([x509.DNSName(name)])), end=end)


LEAF = leaf()
LIST = MPList((ManagementPoint("MP01", MP, "PS1"),)).to_xml().encode()
CERT = MPCertificates(SignedHex(LEAF.der.hex())).to_xml().encode()
FORBIDDEN = Answer(403, "Forbidden", b"<h2>403 - Forbidden: Access is denied.</h2>")


def plan(mode: ManagementPointMode = ManagementPointMode.HTTPS) -> Plan:
    points = (ManagementPointSection(host=MP, mode=mode),)
    return contoso(target=Target.CONFIGMGR, management_point=points)


class Server:
    """What a management point would say; ``refused`` is said to whoever shows no certificate."""

    def __init__(self, *, asks: bool = True, certificate: Certified = LEAF) -> None:
        self.asks, self.certificate = asks, certificate
        self.answers = {"MPLIST": Answer(200, "OK", LIST), "MPCERT": Answer(200, "OK", CERT)}
        self.refused: Answer | None = None
        self.asked: list[str] = []

    async def look(self, _host: str, _port: int, _name: str, _timeout_s: float) -> Shown:
        return Shown((self.certificate.certificate, ROOT.certificate), "TLSv1.3", (), self.asks)

    async def ask(self, url: str, show: bool) -> Answer:
        self.asked.append(url)
        if self.refused is not None and not show:
            return self.refused
        return self.answers[url.partition("?")[2]]

    async def checked(self, planned: Plan | None = None, *, shown: bool = False) -> dict[str, CheckResult]:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "root.pem"
            file.write_text(ROOT.pem)
            means = Means(self.ask, shown, (file,), look=self.look)
            found = await run_probes(probes(planned or plan(), means), timeout_s=30)
        return {each.name: each for each in found}


async def test_one_that_asks_for_a_certificate_and_answers_passes_everything() -> None:
    server = Server()
    results = await server.checked()
    assert {name: each.status for name, each in results.items()} == dict.fromkeys(
        (CERTIFICATE, CLIENT_CERTIFICATE, MPLIST, MPCERT), Status.PASS
    )
    assert "mp01.corp.contoso.com ← Contoso Root" in results[CERTIFICATE].details
    assert server.asked == [f"https://{MP}:443/SMS_MP/.sms_aut?{query}" for query in ("MPLIST", "MPCERT")]


async def test_one_that_refuses_who_shows_none_is_as_planned_and_is_asked_again_with_ours() -> None:
    server = Server(asks=False)
    server.refused = FORBIDDEN
    results = await server.checked()
    assert results[CLIENT_CERTIFICATE].status is Status.PASS
    assert results[MPLIST].status is Status.SKIP
    assert "--site-client-certificate" in results[MPLIST].details
    results = await server.checked(shown=True)
    assert (results[MPLIST].status, results[MPCERT].status) == (Status.PASS, Status.PASS)


async def test_one_that_asks_for_none_contradicts_https_and_fits_enhanced_http() -> None:
    results = await Server(asks=False).checked()
    assert results[CLIENT_CERTIFICATE].status is Status.FAIL
    assert f"Set-CMManagementPoint -SiteSystemServerName {MP} -EnableSsl $true" in results[CLIENT_CERTIFICATE].action
    enhanced = plan(ManagementPointMode.ENHANCED_HTTP)
    assert (await Server(asks=False).checked(enhanced))[CLIENT_CERTIFICATE].status is Status.PASS
    server = Server()
    server.refused = FORBIDDEN
    assert (await server.checked(enhanced))[CLIENT_CERTIFICATE].status is Status.FAIL


@pytest.mark.parametrize(
    ("answer", "words", "remedy"),
    [
        (Answer(401, "Unauthorized"), "wants a Windows sign-in", "anonymousAuthentication"),
        (
            Answer(403, "Forbidden", b"HTTP Error 403.13 - Forbidden"),
            "403.13: the client certificate is rev",
            "-urlfetch",
        ),
        (
            Answer(403, "Forbidden", b"403.16 - Forbidden"),
            "403.16: the server does not trust",
            "Cert:\\LocalMachine\\Root",
        ),
        (Answer(403, "Forbidden", b"403.17"), "403.17: the client certificate has expired", "Renew"),
        (FORBIDDEN, "does not take the client certificate", "403.13: it is revoked"),
        (Answer(404, "Not Found"), "there is no management point", "mpcontrol.log"),
        (Answer(500, "Internal Server Error"), "fails within itself", "MP_Framework.log"),
        (Answer(503, "Service Unavailable"), "application pool", 'Start-WebAppPool "SMS Management Point Pool"'),
        (Answer(302, "Found"), "sends elsewhere", "redirection"),
        (Answer(trouble="connection reset"), "connection reset", "mpcontrol.log"),
        (Answer(200, "OK", b"<html>Hello"), "no answer of a management point", "compare host and port"),
        (Answer(200, "OK", b'<!DOCTYPE x [<!ENTITY a "b">]><MPList/>'), "refused here", "compare host and port"),
        (Answer(200, "OK", b"<MPList/>"), "names no management point", "mpcontrol.log"),
    ],
)
async def test_what_is_no_list_fails_with_its_meaning_and_its_remedy(answer: Answer, words: str, remedy: str) -> None:
    server = Server()
    server.answers["MPLIST"] = answer
    result = (await server.checked(shown=True))[MPLIST]
    assert result.status is Status.FAIL
    assert words in result.details
    assert remedy in result.action
    assert "{" not in result.details


async def test_another_site_fails_and_another_name_is_a_warning() -> None:
    server = Server()
    server.answers["MPLIST"] = Answer(200, "OK", LIST.replace(b"PS1", b"XYZ"))
    result = (await server.checked())[MPLIST]
    assert (result.status, "site XYZ" in result.details) == (Status.FAIL, True)
    server.answers["MPLIST"] = Answer(200, "OK", LIST.replace(b"mp01", b"mp09").replace(b"MP01", b"MP09"))
    assert (await server.checked())[MPLIST].status is Status.WARN


async def test_its_own_certificate_must_be_one_and_valid() -> None:
    server = Server()
    old = MPCertificates(SignedHex(leaf(end=NOW - DAY / 2).der.hex())).to_xml().encode()
    for body in (old, CERT[:-40], b"<MPCertificate><Certificate>00</Certificate></MPCertificate>"):
        server.answers["MPCERT"] = Answer(200, "OK", body)
        assert (await server.checked())[MPCERT].status is Status.FAIL


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        (leaf("other.contoso.com"), "name: is not for mp01.corp.contoso.com"),
        (leaf(end=NOW - DAY / 2), "dates: "),
        (leaf(usage=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])), "usage: is not for server auth"),
        (root("Elsewhere").issue(MP, extensions=(SERVER_AUTH,)), "chain: "),
    ],
    ids=["name", "dates", "usage", "chain"],
)
async def test_a_certificate_that_does_not_serve_fails_by_what_is_wrong_and_nothing_is_asked_of_it(
    certificate: Certified, words: str
) -> None:
    server = Server(certificate=certificate)
    server.answers["MPLIST"] = Answer(trouble="its certificate is not trusted: no", untrusted=True)
    results = await server.checked(shown=True)
    found = results[CERTIFICATE]
    assert found.status is Status.FAIL
    assert found.action
    assert results[MPLIST].status is Status.SKIP
    server.certificate = LEAF
    assert (await server.checked())[MPLIST].status is Status.FAIL


async def test_one_that_is_not_there_fails_and_one_for_plain_http_is_skipped() -> None:
    class Away(Server):
        async def look(self, host: str, port: int, _name: str, _timeout_s: float) -> Shown:
            raise HostUnreachable(f"{host}:{port}: refused")

    only = (await Away().checked())[CERTIFICATE]
    assert (only.status, only.details) == (Status.FAIL, "HostUnreachable: refused")
    plain = await Server().checked(plan(ManagementPointMode.HTTP))
    assert plain[CERTIFICATE].status is Status.SKIP


def test_our_own_site_has_a_management_point() -> None:
    own, other = endpoints(contoso())
    assert (own.host, own.port, own.own) == ("cm01.corp.contoso.com", 443, True)
    assert (other.host, other.own) == (MP, False)
    assert [each.host for each in endpoints(plan())] == [MP]


BODIES = st.one_of(
    st.binary(max_size=300),
    st.sampled_from([LIST, CERT]).flatmap(lambda x: st.integers(0, len(x)).map(lambda n: x[:n])),
)


@given(
    st.builds(Answer, st.integers(100, 599), st.text(max_size=20), BODIES),
    st.builds(Answer, st.integers(100, 599), st.text(max_size=20), BODIES),
    st.booleans(),
)
async def test_whatever_comes_is_lines(answer: Answer, second: Answer, asks: bool) -> None:
    server = Server(asks=asks)
    server.answers = {"MPLIST": answer, "MPCERT": second}
    means = Means(server.ask, look=server.look)
    for each in await run_probes(probes(plan(), means), timeout_s=30):
        assert each.name in {CERTIFICATE, CLIENT_CERTIFICATE, MPLIST, MPCERT}
        assert "Error:" not in each.details
