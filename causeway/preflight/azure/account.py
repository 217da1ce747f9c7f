"""Who is signed in, to which tenant, and the state of the subscription; and its resource providers."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from causeway.azure.sign_in import login_command
from causeway.clouds import CLOUDS
from causeway.observability.checks import CheckResult, Status
from causeway.plan.access import resource_providers
from causeway.plan.document import Plan

if TYPE_CHECKING:
    from causeway.azure.clients import Azure

CREDENTIALS = "azure credentials"
TENANT = "azure tenant"
SUBSCRIPTION = "azure subscription"
PROVIDERS = "azure providers"
CHECKS = (CREDENTIALS, TENANT, SUBSCRIPTION, PROVIDERS)

_SUBSCRIPTIONS_API = "2022-12-01"
_SPENDABLE = {"Enabled": Status.PASS, "Warned": Status.WARN, "PastDue": Status.WARN}


async def sign_in(plan: Plan, azure: "Azure") -> Sequence[CheckResult]:
    """Whether there are credentials, and of which tenant."""
    from causeway.azure.credentials import token_claims  # noqa: PLC0415  # an extra, and slow to load

    cloud = CLOUDS[plan.azure.cloud]
    claims = token_claims(await azure.credential.get_token(cloud.resource_manager_scope))
    who = claims.get("upn") or claims.get("unique_name") or claims.get("appid") or claims.get("oid") or "unnamed"
    found = [CheckResult(CREDENTIALS, cloud.title, Status.PASS, f"signed in as {who}, by {azure.credential.used}")]
    tenant, planned = str(claims.get("tid") or "unknown").lower(), plan.azure.tenant_id
    if planned is None:
        details = f"signed in to {tenant}, and the plan names none"
        action = f'Set tenant_id = "{tenant}" in [azure], if that is the one.'
        found.append(CheckResult(TENANT, tenant, Status.WARN, details, action))
    elif tenant == planned.lower():
        found.append(CheckResult(TENANT, planned, Status.PASS, "the plan's, and that of the sign-in"))
    else:
        action = f"Sign in with {login_command(cloud, planned)}, or set tenant_id in [azure]."
        found.append(CheckResult(TENANT, planned, Status.FAIL, f"signed in to another one, {tenant}", action))
    return found


async def subscription(plan: Plan, azure: "Azure") -> Sequence[CheckResult]:
    """Whether the subscription is there, of the plan's tenant, and one in which something can be made."""
    target = str(plan.azure.subscription_id)
    with azure.explained("the subscription"):
        found = await azure.get("", _SUBSCRIPTIONS_API)
        state, tenant = str(found["state"]), str(found.get("tenantId") or "")
        title = str(found.get("displayName") or "")[:128]
    status = _SPENDABLE.get(state, Status.FAIL)
    results = [
        CheckResult(
            SUBSCRIPTION,
            target,
            status,
            f"{title!r} is {state}",
            ""
            if status is Status.PASS
            else f"See why at https://{CLOUDS[plan.azure.cloud].portal} under Subscriptions: most often a bill, a "
            "spending limit or an offer that has ended. Nothing can be made in one that is disabled.",
        )
    ]
    if tenant and plan.azure.tenant_id and tenant.lower() != plan.azure.tenant_id.lower():
        details = f"{title!r} is of the tenant {tenant}, not of the plan's"
        action = "Correct tenant_id or subscription_id in [azure]; `az account list --output table` shows both."
        results.append(CheckResult(SUBSCRIPTION, target, Status.FAIL, details, action))
    return results


async def providers(plan: Plan, plan_file: Path, azure: "Azure") -> Sequence[CheckResult]:
    """Whether the resource providers are registered."""
    from causeway.azure.providers import REGISTERED, states  # noqa: PLC0415  # an extra, and slow to load

    command = f"`causeway azure register-providers --plan {plan_file}`"
    results = []
    for name, state in (await states(azure, resource_providers(plan))).items():
        if state == REGISTERED:
            results.append(CheckResult(PROVIDERS, name, Status.PASS, "registered"))
        elif state == "Registering":
            results.append(
                CheckResult(PROVIDERS, name, Status.WARN, "being registered", f"Wait for it with {command}.")
            )
        else:
            results.append(
                CheckResult(PROVIDERS, name, Status.FAIL, f"not registered ({state})", f"Register it with {command}.")
            )
    return results
