"""Names: Azure's rules for every name that follows from the plan, and what contradicts in the plan. No network."""

from collections.abc import Sequence

from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import Plan
from causeway.plan.finding import PlanFinding, Severity
from causeway.plan.findings import contradictions
from causeway.plan.names import ResourceName, resource_names
from causeway.plan.rules import RULES, SHARED, reserved, suggest_prefix
from causeway.preflight.probe import Probe

RULE = "names rule"
PLAN = "names plan"
CHECKS = (RULE, PLAN)

_OF_RULES = frozenset({"PrefixRule", "ResourceGroupName"})
"""Findings that say again what the rules of single names say."""

_STATUS = {Severity.ERROR: Status.FAIL, Severity.WARNING: Status.WARN}


def probes(plan: Plan) -> tuple[Probe, ...]:
    """What to look at."""

    async def rules() -> Sequence[CheckResult]:
        return [_rule(each) for each in resource_names(plan)]

    async def findings() -> Sequence[CheckResult]:
        return _findings(contradictions(plan))

    return Probe(RULE, plan.names.prefix, rules), Probe(PLAN, plan.names.service_name, findings)


def _rule(each: ResourceName) -> CheckResult:
    rule = RULES[each.kind]
    target = f"{rule.title.removeprefix('a ')} {each.name}"
    problems = list(rule.problems(each.name))
    shared = each.kind in SHARED
    if shared and (word := reserved(each.name)):
        problems.append(word)
    if not problems:
        return CheckResult(RULE, target, Status.PASS, rule.sentence())
    remedy = (
        f'Set prefix = "{suggest_prefix(each.name)}" in [names], for example.'
        if shared
        else "Choose another name in the plan."
    )
    return CheckResult(RULE, target, Status.FAIL, "; ".join(problems), remedy)


def _findings(found: Sequence[PlanFinding]) -> list[CheckResult]:
    results = [
        CheckResult(PLAN, each.key, _STATUS[each.severity], f"{each.message}. {each.reason}", _sentence(each.remedy))
        for each in found
        if each.severity in _STATUS and each.word not in _OF_RULES
    ]
    return results or [CheckResult(PLAN, "every key", Status.PASS, "nothing contradicts")]


def _sentence(text: str) -> str:
    ended = text if text.endswith((".", "?")) else f"{text}."
    return ended[:1].upper() + ended[1:]
