"""The questions of ``plan new``: what is answered, what is refused and asked again, and the plan that comes out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.errors import OperatorError
from causeway.plan.findings import contradictions
from causeway.plan.interview import Ask, interview
from causeway.plan.question import Question
from causeway.plan.questions import QUESTIONS
from causeway.plan.values import CertificateSource, GroupPurpose, ManagementPointMode, Target

CONTOSO = {
    "organisation": "Contoso",
    "service_name": "gateway.contoso.com",
    "connection_point": "cp01.corp.contoso.com,cp02.corp.contoso.com",
}


class Person:
    """Answers from a list by key; takes the default where there is none."""

    def __init__(self, **answers: str | list[str]) -> None:
        self.answers = {key: [each] if isinstance(each, str) else each for key, each in answers.items()}
        self.asked: list[str] = []
        self.told: list[str] = []

    def __call__(self, question: Question, default: str | None, wrong: str | None) -> str:
        self.asked.append(question.key)
        if wrong is not None:
            self.told.append(wrong)
        answers = self.answers.get(question.key, [])
        return (answers.pop(0) if answers else "") or default or ""


def test_three_answers_are_enough_and_the_rest_has_defaults() -> None:
    plan = interview(CONTOSO, None)
    assert (plan.names.prefix, plan.azure.resource_group) == ("contosogateway", "rg-contosogateway")
    assert (plan.azure.region, plan.gateway.instances, plan.gateway.vm_size) == ("westeurope", 2, "Standard_D2s_v5")
    assert plan.dns.zone == "contoso.com"
    assert plan.directory.domain == "corp.contoso.com"
    assert plan.directory.group[0].purpose is GroupPurpose.CONNECTION_POINTS
    assert plan.directory.group[0].members == ("CP01$", "CP02$")


def test_without_a_terminal_what_has_no_default_must_be_given_and_is_named_at_once() -> None:
    with pytest.raises(OperatorError, match=r"no terminal.* --organisation, --service-name, --connection-point must"):
        interview({}, None)


def test_a_person_is_asked_only_for_what_was_not_given_and_matters() -> None:
    person = Person(connection_point="cp01.corp.contoso.com")
    interview({"organisation": "Contoso", "service_name": "azure"}, person)
    assert "organisation" not in person.asked
    assert not {"dns_hosting", "dns_zone", "dns_resource_group"} & set(person.asked)
    assert {"prefix", "connection_point", "clients"} <= set(person.asked)


def test_a_wrong_answer_is_explained_and_asked_again() -> None:
    person = Person(prefix=["my-cmg", "mycmg"], clients=["many", "70,000"], region=["usgovvirginia", "westeurop", ""])
    plan = interview(CONTOSO, person)
    assert plan.names.prefix == "mycmg"
    assert plan.clients.expected == 70_000
    assert person.told == [
        "usgovvirginia is no region of Azure Global; expected one such as australiacentral",
        "westeurop is not known; did you mean westeurope?",
        "my-cmg holds a hyphen; a storage account takes only lower-case letters and digits",
        "expected a number from 1 to 100,000,000",
    ]


def test_the_azure_name_gets_its_own_pki_and_no_dns() -> None:
    plan = interview(CONTOSO | {"service_name": "azure"}, None)
    assert plan.names.service_name == "contosogateway.westeurope.cloudapp.azure.com"
    assert plan.certificate.source is CertificateSource.OWN_PKI
    assert plan.dns.zone is None


def test_instances_are_recommended_for_the_clients() -> None:
    assert interview(CONTOSO | {"clients": "50000"}, None).gateway.instances == 4
    configmgr = {"target": "configmgr", "clients": "50000"}
    assert interview(CONTOSO | configmgr, None).gateway.instances == 9


def test_microsofts_gateway_takes_its_prefix_from_the_service_name() -> None:
    plan = interview(CONTOSO | {"target": "configmgr"}, None)
    assert (plan.target, plan.names.prefix, plan.gateway.vm_size) == (Target.CONFIGMGR, "gateway", "Standard_A2_v2")


@pytest.mark.parametrize(
    ("given_answers", "said"),
    [
        ({"prefix": "my-cmg"}, "--prefix: my-cmg holds a hyphen; a storage account takes only"),
        ({"service_name": "contoso.com"}, "--service-name: a zone's own name cannot have a CNAME"),
        ({"service_name": "x.westeurope.cloudapp.azure.com"}, "--service-name: expected a name of your own domain"),
        ({"service_name": "azure", "certificate_source": "public-ca"}, "--certificate-source: no public authority can"),
        ({"service_name": "azure", "dns_zone": "contoso.com"}, "--dns-zone has no meaning"),
        ({"dns_zone": "fabrikam.com"}, "--dns-zone: gateway.contoso.com is not in the zone fabrikam.com"),
        ({"cloud": "china"}, "--cloud: expected global or us-government"),
        ({"region": "chinaeast"}, "--region: chinaeast is no region of Azure Global"),
        ({"target": "configmgr", "prefix": "other"}, "--prefix: the wizard takes it from the service name's first"),
        ({"target": "configmgr", "service_name": "my-cmg.contoso.com"}, "--service-name: its first label becomes"),
        ({"target": "configmgr", "instances": "17"}, "--instances: expected a number from 1 to 16"),
        ({"target": "configmgr", "vm_size": "Standard_D2s_v5"}, "--vm-size: expected Standard_B2s, Standard_A2_v2 or"),
        ({"connection_point": ""}, "--connection-point: expected 1 to 64 servers"),
        ({"connection_point": "cp01.x.y,CP01.x.y"}, "--connection-point: a server is named twice"),
        ({"connection_point": "cp01"}, "--connection-point: expected a DNS name"),
        ({"management_point": "mp.x.y/http"}, "--management-point: plain HTTP cannot be reached"),
        ({"management_point": "mp.x.y:99999"}, "--management-point: expected a number from 1 to 65,535"),
        ({"software_update_point": "sup.x.y/https"}, "--software-update-point: expected host:port"),
        ({"authentication": "password"}, "--authentication: expected certificate, entra or token"),
        ({"group": "connection-points"}, "--group: expected purpose=name"),
        ({"group": "friends=x"}, "--group: expected connection-points, server-certificate"),
        ({"tenant_id": "contoso"}, "--tenant-id: expected a GUID"),
        ({"proxy": "http://user:secret@proxy:8080"}, "--proxy: expected http://host:port, without credentials"),
        ({"wildcard": "maybe"}, "--wildcard: expected yes or no"),
        ({"site_code": "long"}, "--site-code: expected three letters or digits"),
        ({"organisation": "x" * 200}, "--organisation: expected at most 128 characters"),
    ],
)
def test_a_flag_that_cannot_be_taken_is_named_with_the_reason(given_answers: dict[str, str], said: str) -> None:
    with pytest.raises(OperatorError) as caught:
        interview(CONTOSO | given_answers, None)
    assert str(caught.value).startswith(said)


def test_servers_are_given_with_port_and_mode() -> None:
    plan = interview(
        CONTOSO
        | {
            "management_point": "mp01.x.y, mp02.x.y:8443 , mp03.x.y/enhanced-http",
            "software_update_point": "sup01.x.y,sup02.x.y:8530",
            "group": "administrators=Gateway admins:alice,bob;pilot-devices=Pilots",
        },
        None,
    )
    assert [(each.host, each.port, each.mode) for each in plan.management_point] == [
        ("mp01.x.y", 443, ManagementPointMode.HTTPS),
        ("mp02.x.y", 8443, ManagementPointMode.HTTPS),
        ("mp03.x.y", 443, ManagementPointMode.ENHANCED_HTTP),
    ]
    assert [(each.port, each.tls) for each in plan.software_update_point] == [(8531, True), (8530, False)]
    assert [(each.name, each.members) for each in plan.directory.group] == [
        ("Gateway admins", ("alice", "bob")),
        ("Pilots", ()),
    ]


def test_what_a_person_can_answer_leads_to_no_contradiction_that_cannot_work() -> None:
    for target in Target:
        scp = {"site_host": "cm01.corp.contoso.com", "management_point": "mp01.corp.contoso.com"}
        plan = interview(CONTOSO | scp | {"target": str(target)}, None)
        assert [finding for finding in contradictions(plan) if finding.severity == "error"] == []


@given(st.sampled_from(QUESTIONS), st.text(max_size=60) | st.text(",:;/=.-abcCP01$ ", max_size=60))
def test_any_answer_is_taken_or_refused_in_one_line(question: Question, answer: str) -> None:
    try:
        said = f"{question.flag}: {interview(CONTOSO | {question.key: answer}, None).names.prefix}"
    except OperatorError as error:
        said = str(error)
    assert "\n" not in said
    assert said.startswith(question.flag)


def test_the_interview_takes_any_asker() -> None:
    asker: Ask = Person()
    assert interview(CONTOSO, asker).organisation == "Contoso"
