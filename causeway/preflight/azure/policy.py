"""Whether a policy would deny something that the plan makes; Azure is asked, nothing is evaluated here."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import Plan
from causeway.plan.names import ResourceName, resource_names
from causeway.plan.rules import ResourceKind

if TYPE_CHECKING:
    from causeway.azure.clients import Azure

POLICY = "azure policy"
CHECKS = (POLICY,)

_TYPES = {
    ResourceKind.SCALE_SET: ("Microsoft.Compute/virtualMachineScaleSets", "2024-07-01"),
    ResourceKind.KEY_VAULT: ("Microsoft.KeyVault/vaults", "2023-07-01"),
    ResourceKind.STORAGE_ACCOUNT: ("Microsoft.Storage/storageAccounts", "2023-05-01"),
    ResourceKind.PUBLIC_IP: ("Microsoft.Network/publicIPAddresses", "2024-05-01"),
    ResourceKind.LOAD_BALANCER: ("Microsoft.Network/loadBalancers", "2024-05-01"),
    ResourceKind.VIRTUAL_NETWORK: ("Microsoft.Network/virtualNetworks", "2024-05-01"),
    ResourceKind.NETWORK_SECURITY_GROUP: ("Microsoft.Network/networkSecurityGroups", "2024-05-01"),
    ResourceKind.IDENTITY: ("Microsoft.ManagedIdentity/userAssignedIdentities", "2023-01-31"),
}
_DENIED = "NonCompliant"


async def look(plan: Plan, azure: "Azure") -> Sequence[CheckResult]:
    """Every kind of resource, in the resource group; in the subscription where there is no such group yet."""
    with azure.explained("the resource group"):
        there = await azure.resources.resource_groups.check_existence(plan.azure.resource_group)
    named = [each for each in resource_names(plan) if each.kind in _TYPES]
    found = await asyncio.gather(*(_of(plan, azure, each, in_group=there) for each in named))
    results = [result for each in found for result in each]
    if results:
        return results
    where = f"resource group {plan.azure.resource_group}" if there else f"subscription {plan.azure.subscription_id}"
    return [CheckResult(POLICY, where, Status.PASS, f"no policy denies one of {len(named)} kinds of resources")]


async def _of(plan: Plan, azure: "Azure", resource: ResourceName, *, in_group: bool) -> list[CheckResult]:
    kind, api_version = _TYPES[resource.kind]
    content: dict[str, Any] = {"type": kind, "name": resource.name, "location": plan.azure.region}
    if resource.kind is ResourceKind.SCALE_SET:
        content["sku"] = {"name": plan.gateway.vm_size, "capacity": plan.gateway.instances}
    if resource.kind in {ResourceKind.PUBLIC_IP, ResourceKind.LOAD_BALANCER}:
        content["sku"] = {"name": "Standard"}
    question = {
        "resourceDetails": {"resourceContent": content, "apiVersion": api_version},
        "pendingFields": [{"field": "tags"}],
    }
    with azure.explained(f"policies on {kind}"):
        asked = azure.policy.policy_restrictions
        answer = (
            await asked.check_at_resource_group_scope(plan.azure.resource_group, question)
            if in_group
            else await asked.check_at_subscription_scope(question)
        )
        return [*_denials(answer, kind), *_required(answer, kind)]


def _denials(answer: Any, kind: str) -> list[CheckResult]:
    evaluated = answer.content_evaluation_result
    assignments = [
        str(each.policy_info.policy_assignment_id)
        for each in (evaluated.policy_evaluations if evaluated is not None else None) or ()
        if each.evaluation_result == _DENIED
    ]
    return [
        CheckResult(
            POLICY,
            kind,
            Status.FAIL,
            f"would be denied by the policy assignment {name}",
            f"Have an exemption made: `az policy exemption create --name causeway --exemption-category Waiver "
            f"--policy-assignment {name}`; or plan so that it complies: `az policy assignment show --name "
            f"{name.rpartition('/')[2]}` says what it wants.",
        )
        for name in dict.fromkeys(assignments)
    ]


def _required(answer: Any, kind: str) -> list[CheckResult]:
    found = []
    for field in answer.field_restrictions or ():
        for each in field.restrictions or ():
            if str(getattr(each.result, "value", each.result)) == "Required":
                values = f" one of {', '.join(map(str, each.values))}" if each.values else " a value"
                details = f"the field {field.field} must have{values}"
                action = f"Give it when deploying; {each.policy.policy_assignment_id} wants it."
                found.append(CheckResult(POLICY, kind, Status.WARN, details, action))
    return found
