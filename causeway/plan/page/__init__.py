"""One self-contained page of a plan, to hand to those who do the work: no script, nothing fetched, printable."""

import json
from collections.abc import Sequence

import jinja2

from causeway.clouds import CLOUDS
from causeway.plan.access import custom_roles, resource_providers, role_needs
from causeway.plan.applications import applications
from causeway.plan.certificate import certificate_need
from causeway.plan.cost import Cost
from causeway.plan.document import Plan
from causeway.plan.facts import all_facts
from causeway.plan.findings import contradictions
from causeway.plan.firewall import notes
from causeway.plan.firewall_list import COLUMNS, rows
from causeway.plan.groups import REASONS, groups
from causeway.plan.names import cname_record, deployment_name, resource_names
from causeway.plan.page.diagram import diagram
from causeway.plan.rules import RULES
from causeway.plan.runbook import Step
from causeway.plan.sizing import recommended
from causeway.plan.values import TARGET_TITLES

__all__ = ["plan_page", "runbook_page"]


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("causeway.plan.page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def plan_page(plan: Plan, cost: Cost, steps: Sequence[Step]) -> str:
    """The whole plan with a drawing, a part for each team, and the runbook."""
    return (
        _environment()
        .get_template("plan.html.j2")
        .render(
            plan=plan,
            title=TARGET_TITLES[plan.target],
            cloud=CLOUDS[plan.azure.cloud],
            deployment_name=deployment_name(plan),
            record=cname_record(plan),
            need=certificate_need(plan),
            facts=_by_topic(plan),
            resources=resource_names(plan),
            rules=RULES,
            applications=applications(plan),
            providers=resource_providers(plan),
            roles=role_needs(plan),
            custom_roles=[json.dumps(role, indent=2) for role in custom_roles(plan)],
            columns=COLUMNS,
            rows=rows(plan),
            notes=notes(plan),
            groups=groups(plan),
            reasons=REASONS,
            size=recommended(plan),
            cost=cost,
            findings=contradictions(plan),
            diagram=diagram(plan),
            steps=steps,
        )
    )


def runbook_page(plan: Plan, steps: Sequence[Step]) -> str:
    """The steps alone."""
    return (
        _environment().get_template("runbook.html.j2").render(plan=plan, title=TARGET_TITLES[plan.target], steps=steps)
    )


def _by_topic(plan: Plan) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for fact in all_facts(plan):
        found.setdefault(fact.topic, []).append(fact)
    return found
