"""Names that Azure refuses, and plans that contradict themselves, are failures that say what to do."""

from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import Plan
from causeway.plan.values import KeyType, Target
from causeway.preflight import names
from causeway.preflight.probe import run_probes
from tests.unit.plan.plans import contoso


async def checked(plan: Plan) -> list[CheckResult]:
    return await run_probes(names.probes(plan), timeout_s=30)


async def test_a_sound_plan_passes_with_a_line_for_each_name() -> None:
    results = await checked(contoso())
    assert {each.status for each in results} == {Status.PASS}
    assert "storage account contosogateway" in {each.target for each in results}
    assert results[-1] == CheckResult(names.PLAN, "every key", Status.PASS, "nothing contradicts")


async def test_a_prefix_fails_at_the_resource_whose_rule_it_breaks_and_another_is_offered() -> None:
    bad = {each.target: each for each in await checked(contoso(names__prefix="my-cmg")) if each.status is Status.FAIL}
    assert list(bad) == ["storage account my-cmg"]
    only = bad["storage account my-cmg"]
    assert "holds a hyphen" in only.details
    assert 'prefix = "mycmg"' in only.action


async def test_a_reserved_word_fails_for_every_resource_that_bears_it() -> None:
    bad = [each for each in await checked(contoso(names__prefix="mymicrosoft")) if each.status is Status.FAIL]
    assert len(bad) == 4
    assert all("microsoft" in each.details for each in bad)


async def test_an_error_of_the_plan_fails_and_a_warning_warns() -> None:
    plan = contoso(target=Target.CONFIGMGR, certificate__key=KeyType.P256, azure__tenant_id=None)
    found = {each.target: each for each in await checked(plan) if each.name == names.PLAN}
    assert found["certificate.key"].status is Status.FAIL
    assert found["certificate.key"].action == 'Set key = "rsa-2048".'
    assert found["azure.tenant_id"].status is Status.WARN
