"""What the administration service answers, read and compared; and answers that make no sense."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.cli.check.site import sign_in
from causeway.errors import OperatorError
from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import ManagementPointSection, Plan, SoftwareUpdatePointSection
from causeway.plan.values import ManagementPointMode, Target
from causeway.preflight.probe import run_probes
from causeway.preflight.site.administration_service import (
    MAX_PAGES,
    AdministrationServiceFailed,
    Service,
    SignIn,
    root_url,
    same_place,
)
from causeway.preflight.site.asking import Answer
from causeway.preflight.site.comparison import CHECKS, MANAGEMENT_POINTS, ROLES, UPDATE_POINTS, Roles, role_results
from causeway.preflight.site.configuration_manager import Access, probes, read
from causeway.preflight.site.rows import ComponentRow, RoleRow, SiteRow, host_of
from tests.unit.plan.plans import contoso

ROOT = "https://cm01.corp.contoso.com/AdminService/wmi/"


def service(*answers: Answer) -> Service:
    left = list(answers)

    async def fetch(_url: str) -> Answer:
        return left.pop(0) if len(left) > 1 else left[0]

    return Service(ROOT, fetch)


def page(*rows: dict[str, Any], **more: Any) -> Answer:
    return Answer(200, "OK", json.dumps({"value": rows, **more}).encode())


SITE = {"SiteCode": "PS1", "SiteName": "Contoso", "Version": "5.00"}


async def test_pages_are_followed_and_a_single_item_is_a_row() -> None:
    first = page(SITE, **{"@odata.nextLink": f"{ROOT}SMS_Site?$skip=1"})
    found = await service(first, page(SITE | {"SiteCode": "PS2"})).rows("SMS_Site", SiteRow)
    assert [each.code for each in found] == ["PS1", "PS2"]
    alone = Answer(200, "OK", json.dumps(SITE | {"@odata.context": "x#SMS_Site/$entity"}).encode())
    assert [each.code for each in await service(alone).rows("SMS_Site(1)", SiteRow)] == ["PS1"]


@pytest.mark.parametrize(
    "link",
    [
        "http://cm01.corp.contoso.com/AdminService/wmi/x",
        "https://cm02.corp.contoso.com/AdminService/wmi/x",
        "https://cm01.corp.contoso.com:444/AdminService/wmi/x",
        "https://cm01.corp.contoso.com/Other/x",
        "https://a@cm01.corp.contoso.com/AdminService/wmi/x",
        "https://[",
        "x",
    ],
)
async def test_a_next_page_that_is_elsewhere_is_not_asked_for(link: str) -> None:
    assert not same_place(link, ROOT)
    with pytest.raises(AdministrationServiceFailed, match="elsewhere"):
        await service(page(SITE, **{"@odata.nextLink": link})).rows("SMS_Site", SiteRow)


def test_the_same_place_may_be_written_otherwise() -> None:
    assert same_place("https://cm01.corp.contoso.com:443/adminservice/wmi/SMS_Site?$skip=1", ROOT)
    assert root_url("cm01", 8443, SignIn(token="x")) == "https://cm01:8443/AdminService_TokenAuth/wmi/"


async def test_pages_without_end_end() -> None:
    endless = page(**{"@odata.nextLink": f"{ROOT}SMS_Site?$skip=1"})
    with pytest.raises(AdministrationServiceFailed, match=f"more than {MAX_PAGES} pages"):
        await service(endless).rows("SMS_Site", SiteRow)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(401, "Unauthorized"), "does not take who asks; name an administrative user"),
        (Answer(403, "Forbidden"), "Read-only Analyst"),
        (Answer(404, "Not Found"), "SMS Provider role"),
        (Answer(503, "Service Unavailable"), "SMS_EXECUTIVE"),
        (Answer(500, "Internal Server Error"), "AdminService.log"),
        (Answer(trouble="refused"), "refused; see whether"),
        (Answer(200, "OK", b"<html>"), "no answer of the administration service"),
        (Answer(200, "OK", b"[" * 100_000), "no answer of the administration service"),
        (page({"SiteCode": 1}), "SiteCode"),
    ],
)
async def test_what_is_no_answer_has_its_reason_and_its_remedy(answer: Answer, words: str) -> None:
    with pytest.raises(AdministrationServiceFailed) as caught:
        await service(answer).rows("SMS_Site", SiteRow)
    assert words in str(caught.value)
    assert "; " in str(caught.value)


def test_a_server_is_found_in_either_kind_of_path() -> None:
    assert host_of(r"\\MP01.corp.contoso.com") == "mp01.corp.contoso.com"
    assert host_of('["Display=\\\\x\\"]MSWNET:["SMS_SITE=PS1"]\\\\sup01.corp.contoso.com\\') == "sup01.corp.contoso.com"
    assert host_of("C:\\x") == ""


MP, SUP = "mp01.corp.contoso.com", "sup01.corp.contoso.com"


def compared(mode: ManagementPointMode, ssl_state: int, site_state: int | None, **props: int) -> dict[str, CheckResult]:
    plan = contoso(management_point=(ManagementPointSection(host=MP, mode=mode),), software_update_point=())
    row = {
        "RoleName": "SMS Management Point",
        "NetworkOSPath": f"\\\\{MP}",
        "SiteCode": "PS1",
        "SslState": ssl_state,
        "Props": [{"PropertyName": name, "Value": value} for name, value in props.items()],
    }
    manager = {"SiteCode": "PS1", "Props": [{"PropertyName": "IISSSLState", "Value": site_state}]}
    roles = Roles([RoleRow.model_validate(row)], [ComponentRow.model_validate(manager)])
    return {each.name: each for each in role_results(plan, roles)}


@pytest.mark.parametrize(
    ("mode", "ssl_state", "site_state", "status", "words"),
    [
        (ManagementPointMode.HTTPS, 1, 63, Status.PASS, ""),
        (ManagementPointMode.HTTPS, 3, None, Status.PASS, ""),
        (ManagementPointMode.HTTPS, 0, 1248, Status.FAIL, "-EnableSsl $true"),
        (ManagementPointMode.ENHANCED_HTTP, 0, 1248, Status.PASS, ""),
        (ManagementPointMode.ENHANCED_HTTP, 0, None, Status.PASS, ""),
        (ManagementPointMode.ENHANCED_HTTP, 0, 224, Status.FAIL, "-UseSmsGeneratedCert $true"),
        (ManagementPointMode.ENHANCED_HTTP, 1, 1248, Status.FAIL, 'mode = "https"'),
    ],
)
def test_a_management_point_is_set_as_the_plan_says_or_fails(
    mode: ManagementPointMode, ssl_state: int, site_state: int | None, status: Status, words: str
) -> None:
    result = compared(mode, ssl_state, site_state, AllowProxyTraffic=1)[MANAGEMENT_POINTS]
    assert result.status is status
    assert words in result.action


def test_the_gateways_traffic_may_wait_and_a_role_that_is_not_there_may_not() -> None:
    https = ManagementPointMode.HTTPS
    assert compared(https, 1, 63, AllowProxyTraffic=0)[MANAGEMENT_POINTS].status is Status.WARN
    assert compared(https, 1, 63)[MANAGEMENT_POINTS].status is Status.SKIP
    absent = [each for each in role_results(contoso(), Roles()) if each.name == ROLES]
    assert {each.target: each.status for each in absent} == {
        MP: Status.FAIL,
        SUP: Status.FAIL,
        "cm01.corp.contoso.com": Status.FAIL,
        "cp01.corp.contoso.com": Status.WARN,
        "cp02.corp.contoso.com": Status.WARN,
    }


@pytest.mark.parametrize(("tls", "port", "words"), [(1, 443, "WsusIisSslPort 8531"), (0, 8531, "-WsusSsl $true")])
def test_an_update_point_that_differs_fails_with_its_command(tls: int, port: int, words: str) -> None:
    row = {
        "RoleName": "SMS Software Update Point",
        "NetworkOSPath": f"\\\\{SUP}",
        "SiteCode": "PS1",
        "Props": [{"PropertyName": "SSLWSUS", "Value": tls}, {"PropertyName": "WSUSIISSSLPort", "Value": port}],
    }
    plan = contoso(management_point=(), software_update_point=(SoftwareUpdatePointSection(host=SUP),))
    found = role_results(plan, Roles([RoleRow.model_validate(row)]))
    (result,) = [each for each in found if each.name == UPDATE_POINTS]
    assert (result.status, words in result.action) == (Status.FAIL, True)


async def skipped(plan: Plan, access: Access) -> str:
    (only,) = await run_probes(probes(plan, access), timeout_s=30)
    assert only.status is Status.SKIP
    return only.details


async def test_it_is_skipped_with_its_reason() -> None:
    configmgr = contoso(target=Target.CONFIGMGR)
    assert "our own site has none" in await skipped(contoso(), Access(sign_in=SignIn()))
    assert "not named in the plan" in await skipped(configmgr, Access(sign_in=SignIn()))
    assert "nobody signs in" in await skipped(configmgr, Access(("cm01.corp.contoso.com", 443)))


def test_who_signs_in_is_said_in_one_way_and_never_shown(tmp_path: Any) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hush\nsecond line\n")
    assert sign_in(None, None, False, None) is None
    assert sign_in("u", secret, False, None) == SignIn("u", "hush")
    assert sign_in(None, None, True, None) == SignIn()
    assert sign_in(None, None, False, secret) == SignIn(token="hush")
    assert "hush" not in repr(SignIn("u", "hush", "hush"))
    for wrong in (("u", None, False, None), (None, secret, False, None), ("u", secret, False, secret)):
        with pytest.raises(OperatorError):
            sign_in(*wrong)
    with pytest.raises(OperatorError):
        sign_in("u", secret, True, None)
    secret.write_bytes(b"\xff\n")
    with pytest.raises(OperatorError):
        sign_in(None, None, False, secret)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["value", "SiteCode", "Props", "PropertyName", "Value", "RoleName", "NetworkOSPath", "GroupID"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
BODIES = (
    st.binary(max_size=100)
    | JSON.map(lambda x: json.dumps(x).encode())
    | JSON.map(lambda x: json.dumps({"value": [x]}).encode())
)


@given(st.lists(st.builds(Answer, st.sampled_from([200, 200, 401, 500]), st.just(""), BODIES), min_size=1, max_size=6))
async def test_whatever_comes_is_lines(answers: list[Answer]) -> None:
    good = page(SITE)
    for each in await read(contoso(), "cm01", service(good, *answers)):
        assert each.name in CHECKS
        assert each.status is Status.PASS or each.action or each.details
