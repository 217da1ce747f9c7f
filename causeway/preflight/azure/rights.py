"""Whether whoever is signed in may do what the plan needs: actions that are granted, never the names of roles."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causeway.azure.errors import AzureFailed
from causeway.azure.rights import Denial, Grant, concerns, denied, missing
from causeway.observability.checks import CheckResult, Status
from causeway.plan.access import DEPLOYMENT_ACTIONS, custom_roles, subscription_actions
from causeway.plan.document import Plan
from causeway.plan.values import Target

if TYPE_CHECKING:
    from causeway.azure.clients import Azure

RIGHTS = "azure rights"
DENY = "azure deny assignments"
CHECKS = (RIGHTS, DENY)

_PERMISSIONS_API = "2022-04-01"
_SHOWN = 4


async def look(plan: Plan, plan_file: Path, azure: "Azure") -> Sequence[CheckResult]:
    """Rights on the subscription and in the resource group, and what is denied all the same."""
    from causeway.azure.credentials import token_claims  # noqa: PLC0415  # an extra, and slow to load

    name = plan.azure.resource_group
    scope = f"/subscriptions/{plan.azure.subscription_id}"
    claims = token_claims(await azure.credential.get_token(azure.target.cloud.resource_manager_scope))
    object_id = claims.get("oid")
    with azure.explained("your permissions"):
        on_subscription = [_grant(each) for each in await _subscription_permissions(azure)]
        there = await azure.resources.resource_groups.check_existence(name)
        in_group = on_subscription
        if there:
            listed = azure.authorization.permissions.list_for_resource_group(name)
            in_group = [_grant(each.as_dict()) async for each in listed]
    eligible = await _eligible(azure, scope)
    whole = plan.target is Target.CONFIGMGR  # Microsoft documents Owner for its wizard
    needs = [(f"subscription {plan.azure.subscription_id}", ("*",) if whole else subscription_actions(plan))]
    lacking = missing(needs[0][1], on_subscription)
    role = _role(plan, plan_file, 0)
    results = [_result(needs[0][0], needs[0][1], lacking, _remedy(role, object_id, scope, eligible), Status.FAIL)]
    if not whole:
        needs.append((f"resource group {name}", DEPLOYMENT_ACTIONS))
        lacking = missing(DEPLOYMENT_ACTIONS, in_group)
        remedy = _remedy(_role(plan, plan_file, 1), object_id, f"{scope}/resourceGroups/{name}", eligible)
        if lacking and not there:
            remedy = f"Once the resource group is made: {remedy[0].lower()}{remedy[1:]}"
        results.append(_result(*needs[1], lacking, remedy, Status.FAIL if there else Status.WARN))
    return [*results, *await _denials(azure, f"{scope}/resourceGroups/{name}" if there else scope, object_id, needs)]


async def _subscription_permissions(azure: "Azure") -> list[dict[str, Any]]:
    # The SDK lists them for resource groups only.
    found = await azure.get("/providers/Microsoft.Authorization/permissions", _PERMISSIONS_API)
    return [dict(each) for each in found["value"]]


def _grant(found: dict[str, Any]) -> Grant:
    actions = found.get("actions") or ()
    excluded = found.get("notActions") or found.get("not_actions") or ()
    return Grant(tuple(map(str, actions)), tuple(map(str, excluded)))


def _role(plan: Plan, plan_file: Path, which: int) -> tuple[str, str]:
    """The role to grant, and how to make it."""
    if plan.target is Target.CONFIGMGR:
        return "Owner", ""
    title = ("preflight", "deployment")[which]
    make = (
        f"make the role with `causeway plan roles {plan_file} --only {title} > {title}.json` and "
        f"`az role definition create --role-definition @{title}.json`, then "
    )
    return str(custom_roles(plan)[which]["Name"]), make


def _remedy(role: tuple[str, str], object_id: str | None, scope: str, eligible: Sequence[str]) -> str:
    name, make = role
    if eligible:
        return (
            f"Activate it: you are eligible for {', '.join(eligible)}, which is not active. In the portal: Privileged "
            "Identity Management, My roles, Azure resources."
        )
    who = object_id or "<object id>"
    command = f'`az role assignment create --assignee {who} --role "{name}" --scope {scope}`'
    return f"An Owner has to {make}grant it: {command}."


def _result(target: str, wanted: Sequence[str], lacking: Sequence[str], remedy: str, status: Status) -> CheckResult:
    if not lacking:
        details = "everything, as an Owner" if wanted == ("*",) else f"all {len(wanted)} actions are granted"
        return CheckResult(RIGHTS, target, Status.PASS, details)
    shown = "everything" if wanted == ("*",) else _some(lacking)
    return CheckResult(RIGHTS, target, status, f"not granted: {shown}", remedy)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


async def _eligible(azure: "Azure", scope: str) -> tuple[str, ...]:
    """The roles that could be activated; none where Azure does not tell, which takes nothing from what is granted."""
    try:
        with azure.explained("eligible roles"):
            listed = azure.authorization.role_eligibility_schedule_instances.list_for_scope(scope, filter="asTarget()")
            found = [_title(each) async for each in listed]
    except AzureFailed:
        return ()
    return tuple(dict.fromkeys(found))


def _title(instance: Any) -> str:
    expanded = getattr(instance, "expanded_properties", None)
    definition = getattr(expanded, "role_definition", None)
    return str(getattr(definition, "display_name", None) or instance.role_definition_id)


async def _denials(
    azure: "Azure", scope: str, object_id: str | None, needs: Sequence[tuple[str, Sequence[str]]]
) -> list[CheckResult]:
    try:
        with azure.explained("deny assignments"):
            listed = azure.authorization.deny_assignments.list_for_scope(scope, filter="atScope()")
            found = [denial async for each in listed for denial in _of(each, scope, object_id)]
    except AzureFailed as error:
        what, _, _ = str(error).partition("; ")
        return [CheckResult(DENY, scope, Status.WARN, f"not looked at: {what}", "Have `Reader` granted, too.")]
    wanted = {action for _, actions in needs for action in actions}
    hits = denied(sorted(wanted), found)
    if not hits:
        return [CheckResult(DENY, scope, Status.PASS, "nothing that is needed is denied")]
    results = []
    for name, certain in dict.fromkeys((denial.name, denial.certain) for _, denial in hits):
        actions = _some([action for action, denial in hits if denial.name == name])
        status = Status.FAIL if certain else Status.WARN
        whom = "" if certain else ", for a group: whether you are in it is not looked at"
        action = f"Have it lifted, or choose another resource group: `az rest --method get --url {_url(azure, scope)}`."
        results.append(CheckResult(DENY, name, status, f"denies {actions}{whom}", action))
    return results


def _url(azure: "Azure", scope: str) -> str:
    host = azure.target.cloud.resource_manager
    return f"https://{host}{scope}/providers/Microsoft.Authorization/denyAssignments?api-version={_PERMISSIONS_API}"


def _of(assignment: Any, scope: str, object_id: str | None) -> list[Denial]:
    above = str(assignment.scope or "").lower() != scope.lower()
    if above and assignment.do_not_apply_to_child_scopes:
        return []
    principals = [(str(each.id), str(each.type)) for each in assignment.principals or ()]
    excluded = [str(each.id) for each in assignment.exclude_principals or ()]
    ours = concerns(principals, excluded, object_id)
    if ours is False:
        return []
    return [
        Denial(
            str(assignment.deny_assignment_name or assignment.name),
            tuple(map(str, each.actions or ())),
            tuple(map(str, each.not_actions or ())),
            certain=ours is True,
        )
        for each in assignment.permissions or ()
    ]
