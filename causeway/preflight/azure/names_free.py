"""Whether the names are free that must be nobody else's: DNS label, key vault, storage account.

A name that is taken by a resource of the plan's subscription is ours.
"""

from collections.abc import AsyncIterable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from causeway.azure.errors import AzureExtraMissing
from causeway.azure.sign_in import CredentialSource, require_sdk
from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import Plan
from causeway.plan.names import deployment_name
from causeway.plan.rules import suggest_prefix
from causeway.preflight.azure.connection import Connection, failed, probe, said
from causeway.preflight.probe import Probe

if TYPE_CHECKING:
    from causeway.azure.clients import Azure

FREE = "names free"
CHECKS = (FREE,)


def probes(plan: Plan, source: CredentialSource) -> tuple[Probe, ...]:
    """What to look at; where Azure cannot be asked at all, a line that says why."""
    why = None
    try:
        require_sdk()
    except AzureExtraMissing as error:
        why = failed(FREE, plan.names.prefix, error, Status.SKIP)
    if plan.azure.subscription_id is None:
        details = "not looked at: the plan names no subscription, without which Azure does not say"
        why = CheckResult(FREE, plan.names.prefix, Status.SKIP, details)
    if why is not None:
        return (said(why),)
    connection = Connection(plan, source)
    return (
        probe(FREE, f"DNS label {deployment_name(plan)}", connection, partial(_dns_label, plan)),
        probe(FREE, f"key vault {plan.names.prefix}", connection, partial(_key_vault, plan)),
        probe(FREE, f"storage account {plan.names.prefix}", connection, partial(_storage_account, plan)),
    )


async def _dns_label(plan: Plan, azure: "Azure") -> Sequence[CheckResult]:
    label, region = plan.names.prefix, plan.azure.region
    with azure.explained(f"the DNS label {label}"):
        answer = await azure.network.check_dns_name_availability(region, domain_name_label=label)
        free = bool(answer.available)
        owner = (
            None if free else await _owner(azure.network.public_ip_addresses.list_all(), partial(_has, label, region))
        )
    return [_result(plan, f"DNS label {deployment_name(plan)}", free=free, owner=owner, taken=f"taken in {region}")]


def _has(label: str, region: str, address: Any) -> bool:
    place = str(address.location or "").lower().replace(" ", "")
    return address.dns_settings is not None and address.dns_settings.domain_name_label == label and place == region


async def _key_vault(plan: Plan, azure: "Azure") -> Sequence[CheckResult]:
    name = plan.names.prefix
    target = f"key vault {name}"
    with azure.explained(f"the key vault's name {name}"):
        question = {"name": name, "type": "Microsoft.KeyVault/vaults"}
        answer = await azure.key_vault.vaults.check_name_availability(question)
        free = bool(answer.name_available)
        owner = None if free else await _owner(azure.key_vault.vaults.list_by_subscription(), partial(_called, name))
        if not free and owner is None:
            async for deleted in azure.key_vault.vaults.list_deleted():
                if _called(name, deleted):
                    return [_soft_deleted(target, name, deleted.properties)]
    return [_result(plan, target, free=free, owner=owner, taken=_reason(answer))]


def _soft_deleted(target: str, name: str, about: Any) -> CheckResult:
    until = f"{about.scheduled_purge_date:%Y-%m-%d}" if about.scheduled_purge_date else "it is purged"
    details = f"deleted, but kept by Azure until {until}, and the name with it"
    recover = f"`az keyvault recover --name {name}`"
    action = (
        f"Take it back with {recover}: it is protected from being purged."
        if about.purge_protection_enabled
        else f"Take it back with {recover}, or give it up with `az keyvault purge --name {name} --location "
        f"{about.location}`."
    )
    return CheckResult(FREE, target, Status.FAIL, details, action)


async def _storage_account(plan: Plan, azure: "Azure") -> Sequence[CheckResult]:
    name = plan.names.prefix
    with azure.explained(f"the storage account's name {name}"):
        question = {"name": name, "type": "Microsoft.Storage/storageAccounts"}
        answer = await azure.storage.storage_accounts.check_name_availability(question)
        free = bool(answer.name_available)
        owner = None if free else await _owner(azure.storage.storage_accounts.list(), partial(_called, name))
    return [_result(plan, f"storage account {name}", free=free, owner=owner, taken=_reason(answer))]


async def _owner(resources: AsyncIterable[Any], ours: Callable[[Any], bool]) -> str | None:
    async for each in resources:
        if ours(each):
            return str(each.id)
    return None


def _called(name: str, resource: Any) -> bool:
    return str(resource.name).lower() == name


def _reason(answer: Any) -> str:
    invalid = str(getattr(answer.reason, "value", answer.reason)) == "AccountNameInvalid"
    return "Azure does not take it as a name" if invalid else "taken, by somebody in another subscription"


def _result(plan: Plan, target: str, *, free: bool, owner: str | None, taken: str) -> CheckResult:
    if free:
        return CheckResult(FREE, target, Status.PASS, "free")
    group = plan.azure.resource_group
    if owner is not None and f"/resourcegroups/{group}/".lower() in owner.lower():
        return CheckResult(FREE, target, Status.PASS, f"ours already, in {group}")
    if owner is not None:
        action = f"It is {owner}. Use that resource group, delete it, or set another prefix in [names]."
        return CheckResult(FREE, target, Status.WARN, "taken in this subscription, in another resource group", action)
    suggested = suggest_prefix(f"{plan.names.prefix[:21]}{plan.site.code or 'gw'}")
    action = f'Set another prefix in [names], such as "{suggested}".'
    return CheckResult(FREE, target, Status.FAIL, taken, action)
