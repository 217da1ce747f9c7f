"""Whether the region offers the plan's size of machine to this subscription, and leaves room for so many."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from causeway.azure.errors import AzureNotFound
from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import Plan
from causeway.plan.machines import VM_SIZES
from causeway.plan.names import name_of
from causeway.plan.rules import ResourceKind

if TYPE_CHECKING:
    from causeway.azure.clients import Azure

SIZE = "azure size"
QUOTA = "azure quota"
CHECKS = (SIZE, QUOTA)

_ADDRESSES = ("PublicIPAddresses", "StandardSkuPublicIpAddresses", "StandardSkuLoadBalancers")


async def look(plan: Plan, azure: "Azure") -> Sequence[CheckResult]:
    """Size and quota."""
    region, wanted = plan.azure.region, plan.gateway.vm_size
    with azure.explained(f"sizes of machines in {region}"):
        listed = azure.compute.resource_skus.list(filter=f"location eq '{region}'")
        sizes = {str(each.name).lower(): each async for each in listed if each.resource_type == "virtualMachines"}
        size = sizes.get(wanted.lower())
        results = [*_size(plan, size, sizes)]
    return [*results, *await _quota(plan, azure, size)]


def _size(plan: Plan, size: Any, sizes: dict[str, Any]) -> Sequence[CheckResult]:
    region, wanted = plan.azure.region, plan.gateway.vm_size
    if size is not None and (why := _restricted(size, region)) is None:
        zones = _closed_zones(size)
        if zones:
            details = f"offered in {region}, but not to this subscription in zone {', '.join(zones)}"
            action = "Do not place the gateway in these zones; a support request opens them."
            return [CheckResult(SIZE, wanted, Status.WARN, details, action)]
        return [CheckResult(SIZE, wanted, Status.PASS, f"offered in {region}")]
    details = f"not offered in {region}" + ("" if size is None else f" to this subscription ({why})")
    others = [
        each.name
        for each in VM_SIZES.values()
        if each.target is plan.target
        and (offered := sizes.get(each.name.lower())) is not None
        and _restricted(offered, region) is None
    ]
    action = (
        f"Set vm_size in [gateway] to one that is: {', '.join(others)}."
        if others
        else f"Choose another region; `az vm list-skus --location {region} --resource-type virtualMachines --all` "
        "lists every size, with what restricts it."
    )
    return [CheckResult(SIZE, wanted, Status.FAIL, details, action)]


def _restricted(size: Any, region: str) -> str | None:
    """Why the whole region is closed; None where it is open."""
    for each in size.restrictions or ():
        places = [str(place).lower() for place in each.values_property or ()]
        if str(getattr(each.type, "value", each.type)) == "Location" and (not places or region in places):
            return str(getattr(each.reason_code, "value", each.reason_code) or "no reason given")
    return None


def _closed_zones(size: Any) -> tuple[str, ...]:
    found: list[str] = []
    for each in size.restrictions or ():
        if str(getattr(each.type, "value", each.type)) == "Zone" and each.restriction_info is not None:
            found += map(str, each.restriction_info.zones or ())
    return tuple(sorted(set(found)))


async def _quota(plan: Plan, azure: "Azure", size: Any) -> Sequence[CheckResult]:
    region = plan.azure.region
    instances = max(0, plan.gateway.instances - await _standing(plan, azure))
    cores = instances * _cores(plan.gateway.vm_size, size)
    with azure.explained(f"quota of processors in {region}"):
        compute = {each.name.value: each async for each in azure.compute.usage.list(region)}
    with azure.explained(f"quota of addresses in {region}"):
        network = {each.name.value: each async for each in azure.network.usages.list(region)}
        has_address = await _has_address(plan, azure)
    with azure.explained(f"quota in {region}"):
        needs = [(compute, "cores", cores, "Microsoft.Compute"), (compute, _family(size), cores, "Microsoft.Compute")]
        needs += [(network, name, 0 if has_address else 1, "Microsoft.Network") for name in _ADDRESSES]
        return [
            _room(plan, usages[name], need, provider)
            for usages, name, need, provider in needs
            if name is not None and name in usages
        ] or [CheckResult(QUOTA, region, Status.WARN, "Azure names no quota", "See `az vm list-usage`.")]


def _room(plan: Plan, usage: Any, need: int, provider: str) -> CheckResult:
    used, limit = int(usage.current_value), int(usage.limit)
    name = str(usage.name.value)
    target = f"{usage.name.localized_value or name} in {plan.azure.region}"
    details = f"{used} of {limit} used, {need} more needed"
    if used + need <= limit:
        return CheckResult(QUOTA, target, Status.PASS, details)
    scope = f"/subscriptions/{plan.azure.subscription_id}/providers/{provider}/locations/{plan.azure.region}"
    action = (
        f"Ask for more: `az quota update --resource-name {name} --scope {scope} "
        f"--limit-object value={_rounded(used + need)}`, or in the portal under Quotas."
    )
    return CheckResult(QUOTA, target, Status.FAIL, details, action)


def _rounded(number: int) -> int:
    return math.ceil(number / 10) * 10


def _cores(wanted: str, size: Any) -> int:
    for each in (size.capabilities or ()) if size is not None else ():
        if each.name == "vCPUs" and str(each.value).isdecimal():
            return int(each.value)
    known = VM_SIZES.get(wanted)
    return known.vcpus if known else 2


def _family(size: Any) -> str | None:
    return None if size is None else size.family


async def _standing(plan: Plan, azure: "Azure") -> int:
    """How many instances there are already, and so are counted as used."""
    name = name_of(plan, ResourceKind.SCALE_SET)
    try:
        with azure.explained(f"the scale set {name}"):
            found = await azure.compute.virtual_machine_scale_sets.get(plan.azure.resource_group, name)
            return int(found.sku.capacity or 0)
    except AzureNotFound:
        return 0


async def _has_address(plan: Plan, azure: "Azure") -> bool:
    group = f"/resourcegroups/{plan.azure.resource_group}/".lower()
    return any(
        [
            each.dns_settings is not None and each.dns_settings.domain_name_label == plan.names.prefix
            async for each in azure.network.public_ip_addresses.list_all()
            if group in str(each.id).lower()
        ]
    )
