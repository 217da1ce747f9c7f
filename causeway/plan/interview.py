"""Walk through the questions: what was given, what is asked, and the plan that comes out."""

from collections.abc import Callable, Mapping
from typing import Any

from causeway.clouds import CLOUDS
from causeway.errors import OperatorError
from causeway.plan.answers import AZURE_NAME, Answers
from causeway.plan.document import (
    FILE,
    AzureSection,
    CertificateSection,
    ClientsSection,
    ContentSection,
    DirectorySection,
    DnsSection,
    GatewaySection,
    NamesSection,
    Plan,
    ProxySection,
    ServiceConnectionPointSection,
    SiteSection,
    parse_plan,
    plan_text,
)
from causeway.plan.question import Question
from causeway.plan.questions import QUESTIONS

Ask = Callable[[Question, str | None, str | None], str]
"""Ask a question: with its default, and with what was wrong with the answer before."""


def interview(given: Mapping[str, str], ask: Ask | None) -> Plan:
    """Make a plan.

    Args:
        given: answers by key, from flags; these are not asked.
        ask: asks a person; None where there is nobody, and defaults stand.

    Raises:
        OperatorError: a given answer cannot be taken, or one is missing that has no default and nobody can be asked.
            The message names the flags.
    """
    missing = [question.flag for question in QUESTIONS if question.default is None and question.key not in given]
    if missing and ask is None:
        raise OperatorError(f"there is no terminal to ask at, so {', '.join(missing)} must be given")
    answers: Answers = {}
    for question in QUESTIONS:
        answers[question.key] = _answer(question, given.get(question.key), answers, ask)
    # What is written has to be what is read.
    return parse_plan(plan_text(_plan(answers)), FILE)


def _answer(question: Question, given: str | None, answers: Answers, ask: Ask | None) -> Any:
    wanted = question.when(answers)
    if given is not None:
        if not wanted:
            raise OperatorError(f"{question.flag} has no meaning with the other answers; leave it out")
        try:
            return _taken(question, given, answers)
        except ValueError as error:
            raise OperatorError(f"{question.flag}: {error}") from error
    if not wanted:
        return None
    default = question.default(answers) if question.default else None
    wrong = None
    while True:
        answer = ask(question, default, wrong) if ask else default or ""
        try:
            return _taken(question, answer, answers)
        except ValueError as error:
            if ask is None:
                raise OperatorError(f"{question.flag}: {error}") from error
            wrong = str(error)


def _taken(question: Question, answer: str, answers: Answers) -> Any:
    stripped = answer.strip()
    if not stripped.isprintable():
        raise ValueError("expected one line of text, without control characters")
    return question.check(stripped, answers)


def _plan(answers: Answers) -> Plan:
    cloud = answers["cloud"]
    azure_name = f"{answers['prefix']}.{answers['region']}.{CLOUDS[cloud].vm_suffix}"
    own = answers["service_name"] != AZURE_NAME
    return Plan(
        target=answers["target"],
        organisation=answers["organisation"],
        azure=AzureSection(
            cloud=cloud,
            tenant_id=answers["tenant_id"],
            subscription_id=answers["subscription_id"],
            region=answers["region"],
            resource_group=answers["resource_group"],
            resource_group_exists=answers["resource_group_exists"],
        ),
        names=NamesSection(prefix=answers["prefix"], service_name=answers["service_name"] if own else azure_name),
        dns=DnsSection(
            hosting=answers["dns_hosting"], zone=answers["dns_zone"], resource_group=answers["dns_resource_group"]
        )
        if own
        else DnsSection(),
        certificate=CertificateSection(
            source=answers["certificate_source"], key=answers["certificate_key"], wildcard=answers["wildcard"]
        ),
        clients=ClientsSection(
            expected=answers["clients"],
            authentication=answers["authentication"],
            certificate_authorities=answers["client_authority"] or (),
            verify_revocation=bool(answers["verify_revocation"]),
            traffic_mb_per_month=answers["traffic_mb_per_month"],
        ),
        gateway=GatewaySection(instances=answers["instances"], vm_size=answers["vm_size"]),
        content=ContentSection(
            enabled=answers["content"],
            stored_gb=answers["content_gb"] or 0,
            downloaded_gb_per_month=answers["content_gb_per_month"] or 0,
        ),
        site=SiteSection(
            code=answers["site_code"],
            host=answers["site_host"],
            administration_service=answers["administration_service"],
        ),
        connection_point=answers["connection_point"],
        management_point=answers["management_point"],
        software_update_point=answers["software_update_point"],
        service_connection_point=ServiceConnectionPointSection(
            host=answers["service_connection_point"],
            online=answers["service_connection_point_online"] is not False,
        ),
        directory=DirectorySection(domain=answers["directory_domain"], group=answers["group"] or ()),
        proxy=ProxySection(url=answers["proxy"]),
    )
