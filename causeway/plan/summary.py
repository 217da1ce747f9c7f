"""A plan and all that follows from it as one JSON value, for other programs."""

import dataclasses
from typing import Any

from causeway.plan.access import custom_roles, resource_providers, role_needs
from causeway.plan.applications import applications
from causeway.plan.certificate import certificate_need
from causeway.plan.cost import Cost
from causeway.plan.document import Plan
from causeway.plan.facts import all_facts
from causeway.plan.findings import contradictions
from causeway.plan.firewall import flows, notes
from causeway.plan.groups import groups
from causeway.plan.names import cname_record, deployment_name, resource_names
from causeway.plan.sizing import recommended


def summary(plan: Plan, cost: Cost) -> dict[str, Any]:
    """Everything, with the names of the dataclasses' attributes as keys."""
    record = cname_record(plan)
    need = dataclasses.asdict(certificate_need(plan))
    need["allowed_keys"] = sorted(need["allowed_keys"])
    return {
        "plan": dataclasses.asdict(plan),
        "deployment_name": deployment_name(plan),
        "resources": _all(resource_names(plan)),
        "cname_record": dataclasses.asdict(record) if record else None,
        "certificate": need,
        "applications": _all(applications(plan)),
        "resource_providers": resource_providers(plan),
        "roles": _all(role_needs(plan)),
        "custom_roles": custom_roles(plan),
        "firewall": _all(flows(plan)),
        "firewall_notes": notes(plan),
        "groups": _all(groups(plan)),
        "size": dataclasses.asdict(recommended(plan)),
        "cost": dataclasses.asdict(cost),
        "facts": _all(all_facts(plan)),
        "findings": _all(contradictions(plan)),
    }


def _all(values: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(each) for each in values]
