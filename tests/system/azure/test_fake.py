"""The fake's answers have the shape that the SDK's models have: every field known, those that are required there."""

import inspect
import re
from typing import Any

import pytest
from azure.mgmt.authorization.v2020_10_01.models import RoleEligibilityScheduleInstance
from azure.mgmt.authorization.v2022_04_01.models import DenyAssignment, Permission
from azure.mgmt.compute import models as compute
from azure.mgmt.keyvault import models as key_vault
from azure.mgmt.network import models as network
from azure.mgmt.network.models import DnsNameAvailabilityResult, PublicIPAddress
from azure.mgmt.policyinsights.models import CheckRestrictionsResult
from azure.mgmt.resource.resources.models import Provider
from azure.mgmt.storage import models as storage

from tests.system.azure.fake_answers import management, token
from tests.system.azure.running import GROUP, SUBSCRIPTION, all_well

GET, POST = "GET", "POST"
VAULT = {"name": "x", "type": "Microsoft.KeyVault/vaults"}
ACCOUNT = {"name": "x", "type": "Microsoft.Storage/storageAccounts"}
CONTENT = {"resourceDetails": {"resourceContent": {"type": "Microsoft.KeyVault/vaults"}}}
OPERATIONS: list[tuple[str, str, Any, type[Any], bool]] = [
    # method, path below the subscription, body, the SDK's model, whether the answer is a list of it
    (GET, "/providers/Microsoft.Network", None, Provider, False),
    (POST, "/providers/Microsoft.Network/register", None, Provider, False),
    (
        GET,
        "/providers/Microsoft.Network/locations/westeurope/checkDnsNameAvailability",
        None,
        DnsNameAvailabilityResult,
        False,
    ),
    (GET, "/providers/Microsoft.Network/publicIPAddresses", None, PublicIPAddress, True),
    (GET, "/providers/Microsoft.Network/locations/westeurope/usages", None, network.Usage, True),
    (POST, "/providers/Microsoft.KeyVault/checkNameAvailability", VAULT, key_vault.CheckNameAvailabilityResult, False),
    (GET, "/providers/Microsoft.KeyVault/vaults", None, key_vault.Vault, True),
    (GET, "/providers/Microsoft.KeyVault/deletedVaults", None, key_vault.DeletedVault, True),
    (POST, "/providers/Microsoft.Storage/checkNameAvailability", ACCOUNT, storage.CheckNameAvailabilityResult, False),
    (GET, "/providers/Microsoft.Storage/storageAccounts", None, storage.StorageAccount, True),
    (
        GET,
        f"/resourceGroups/{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/x",
        None,
        compute.VirtualMachineScaleSet,
        False,
    ),
    (GET, "/providers/Microsoft.Compute/skus", None, compute.ResourceSku, True),
    (GET, "/providers/Microsoft.Compute/locations/westeurope/usages", None, compute.Usage, True),
    (GET, "/providers/Microsoft.Authorization/permissions", None, Permission, True),
    (GET, f"/resourcegroups/{GROUP}/providers/Microsoft.Authorization/permissions", None, Permission, True),
    (GET, "/providers/Microsoft.Authorization/denyAssignments", None, DenyAssignment, True),
    (
        GET,
        "/providers/Microsoft.Authorization/roleEligibilityScheduleInstances",
        None,
        RoleEligibilityScheduleInstance,
        True,
    ),
    (POST, "/providers/Microsoft.PolicyInsights/checkPolicyRestrictions", CONTENT, CheckRestrictionsResult, False),
]
FILTERS = {
    "denyAssignments": "atScope()",
    "roleEligibilityScheduleInstances": "asTarget()",
    "skus": "location eq 'westeurope'",
}


def answered(method: str, path: str, body: Any) -> Any:
    thing = {"name": "x", "location": "westeurope", "group": GROUP}
    everybody = {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}
    state = all_well() | {
        "public_ips": [{**thing, "label": "x"}],
        "vaults": [thing],
        "deleted_vaults": [thing],
        "storage_accounts": [thing],
        "scale_sets": [{**thing, "size": "Standard_D2s_v5", "capacity": 2}],
        "deny_assignments": [{"name": "x", "actions": ["*"], "principals": [everybody]}],
        "eligible": ["Owner"],
        "policies": [{"name": "x", "type": "*"}, {"name": "y", "type": "*", "requires": "tags.x"}],
    }
    bearer = f"Bearer {token(state, 'https://management.azure.com')}"
    query = {
        "api-version": "2026-01-01",
        "domainNameLabel": "x",
        "$filter": FILTERS.get(path.rsplit("/", maxsplit=1)[-1], ""),
    }
    answer = management(
        state, "management.azure.com", method, f"/subscriptions/{SUBSCRIPTION}{path}", query, body, bearer
    )
    assert answer.status == 200, answer.body
    return answer.body


def fields(model: type[Any]) -> dict[str, tuple[bool, type[Any] | None]]:
    """The model's fields by their names in JSON: whether it must be there, and the model within."""
    if hasattr(model, "_attribute_map"):  # the SDK's older kind
        found = {}
        for name, about in model._attribute_map.items():
            inner = getattr(inspect.getmodule(model), about["type"].strip("[]{}"), None)
            must = model._validation.get(name, {}).get("required", False)
            keys = re.split(r"(?<!\\)\.", about["key"])
            if len(keys) == 1:
                found[keys[0]] = (must, inner)
        flattened = {about["key"].split(".")[0] for about in model._attribute_map.values() if "." in about["key"]}
        return {**found, **dict.fromkeys(flattened, (False, None))}
    model()  # its fields know their names once one was made
    found = {}
    for name, about in model._attr_to_rest_field.items():
        hint = str(
            model.__annotations__.get(name)
            or next(
                base.__annotations__[name] for base in model.__mro__ if name in getattr(base, "__annotations__", {})
            )
        )
        words = re.findall(r"_models\.(\w+)", hint)
        inner = next(
            (
                getattr(inspect.getmodule(model), word)
                for word in words
                if hasattr(getattr(inspect.getmodule(model), word, None), "_attr_to_rest_field")
            ),
            None,
        )
        found[about._rest_name] = (not re.search("Optional|NoneType", hint) and about._visibility != ["read"], inner)
    return found


def check(value: Any, model: type[Any], where: str) -> None:
    assert isinstance(value, dict), where
    known = fields(model)
    assert not set(value) - set(known), f"{where}: not in {model.__name__}: {set(value) - set(known)}"
    for name, (must, inner) in known.items():
        assert not must or value.get(name) is not None, f"{where}.{name} of {model.__name__} is required"
        if inner is not None and value.get(name) is not None:
            for each in value[name] if isinstance(value[name], list) else [value[name]]:
                check(each, inner, f"{where}.{name}")


@pytest.mark.parametrize(("method", "path", "body", "model", "many"), OPERATIONS, ids=lambda it: str(it)[-40:])
def test_an_answer_is_what_the_sdk_has_a_model_for(
    method: str, path: str, body: Any, model: type[Any], many: bool
) -> None:
    found = answered(method, path, body)
    values = found["value"] if many else [found]
    assert values
    for each in values:
        check(each, model, model.__name__)


def test_a_field_that_the_sdk_does_not_know_is_noticed() -> None:
    with pytest.raises(AssertionError, match="not in Provider"):
        check({**answered(GET, "/providers/Microsoft.Network", None), "state": "x"}, Provider, "it")
