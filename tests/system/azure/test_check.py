"""``causeway check --only azure`` and what ``names`` asks of Azure, with the real SDK against the fake."""

import json
from typing import Any

import pytest

from tests.system.azure.running import (
    GROUP,
    OBJECT,
    PREFIX,
    PROVIDERS,
    REGION,
    SUBSCRIPTION,
    TENANT,
    FakeAzure,
)
from tests.system.plan.running import CONTOSO, plan

OWN_CHECKS = {"azure credentials", "azure tenant", "azure subscription", "azure providers", "azure rights",
              "azure deny assignments", "azure size", "azure quota", "azure policy", "names free"}  # fmt: skip
SOMEWHERE = {"location": REGION, "name": PREFIX}


def check(azure: FakeAzure, *arguments: str, plan_file: str = "causeway-plan.toml", **changes: Any) -> dict[str, Any]:
    """What both groups find, by the name of the check: a list each; ``exit`` is the exit code."""
    if changes:
        azure.seed(**changes)
    signed_in = azure.signed_in
    done = azure.causeway(
        *("check", "--plan", str(azure.folder / plan_file), "--only", "azure", "--only", "names", "--json"),
        *arguments,
        signed_in=signed_in,
    )
    assert done.stderr == ""
    shown = json.loads(done.stdout)
    found: dict[str, Any] = {"exit": done.returncode}
    for each in shown["checks"]:
        found.setdefault(each["name"], []).append(each)
    return found


def statuses(found: dict[str, Any], name: str) -> list[str]:
    return [each["status"] for each in found[name]]


def bad(found: dict[str, Any]) -> list[dict[str, str]]:
    own = [each for name, results in found.items() if name in OWN_CHECKS for each in results]
    return [each for each in own if each["status"] != "PASS"]


def only_bad(found: dict[str, Any], status: str) -> dict[str, str]:
    (one,) = bad(found)
    assert one["status"] == status, one
    assert found["exit"] == (1 if status == "FAIL" else 0)
    assert one["action"]
    return one


def test_where_nothing_is_wrong_every_check_passes(azure: FakeAzure) -> None:
    found = check(azure)
    assert bad(found) == []
    assert found["exit"] == 0
    assert set(found) >= OWN_CHECKS
    asked = azure.requests()
    assert sum(each["path"].endswith("/token") for each in asked) == 2  # one for each group
    assert {each["method"] for each in asked if each["host"].startswith("management")} == {"GET", "HEAD", "POST"}
    assert not any(each["path"].endswith("/register") for each in asked)


Wrong = tuple[str, str, str, str]
"""Status, check, a part of the details, a part of the action."""


def expect(found: dict[str, Any], *wrong: Wrong) -> None:
    """These are wrong, and nothing else is."""
    assert [(each["status"], each["name"]) for each in bad(found)] == [each[:2] for each in wrong], bad(found)
    for one, (_, _, details, action) in zip(bad(found), wrong, strict=True):
        assert details in one["details"]
        assert action in one["action"]
    assert found["exit"] == int(any(each[0] == "FAIL" for each in wrong))


OTHERS = "somebody in another subscription"
IN_GROUP = {**SOMEWHERE, "group": GROUP}
ELSEWHERE = {**SOMEWHERE, "group": "rg-other"}
NAME_CASES: list[tuple[dict[str, Any], list[Wrong]]] = [
    (
        {"labels_taken": [PREFIX], "vault_names_taken": [PREFIX], "storage_names_taken": [PREFIX]},
        [
            ("FAIL", "names free", f"taken in {REGION}", "Set another prefix"),
            ("FAIL", "names free", OTHERS, "Set another prefix"),
            ("FAIL", "names free", OTHERS, "Set another prefix"),
        ],
    ),
    (
        {"public_ips": [{**ELSEWHERE, "label": PREFIX}], "deleted_vaults": [IN_GROUP]},
        [
            ("WARN", "names free", "in another resource group", "rg-other"),
            ("FAIL", "names free", "kept by Azure until 2027-01-30", f"purge --name {PREFIX} --location {REGION}`"),
        ],
    ),
    (
        {"deleted_vaults": [{**IN_GROUP, "protected": True}]},
        [("FAIL", "names free", "kept by Azure", f"`az keyvault recover --name {PREFIX}`: it is protected")],
    ),
]


@pytest.mark.parametrize(("changes", "wrong"), NAME_CASES, ids=["others", "ours", "protected"])
def test_a_name_that_is_taken_is_said_with_what_to_do(
    azure: FakeAzure, changes: dict[str, Any], wrong: list[Wrong]
) -> None:
    expect(check(azure, **changes), *wrong)


def test_names_of_a_gateway_that_stands_are_ours_and_its_machines_are_not_counted_twice(azure: FakeAzure) -> None:
    ours = [{**SOMEWHERE, "group": GROUP}]
    found = check(
        azure,
        public_ips=[{**ours[0], "label": PREFIX}],
        vaults=ours,
        storage_accounts=ours,
        scale_sets=[{**ours[0], "size": "Standard_D2s_v5", "capacity": 2}],
        compute_usages={"cores": [10, 10], "standardDSv5Family": [4, 4]},
        network_usages={"PublicIPAddresses": [10, 10]},
    )
    assert bad(found) == []
    assert {each["details"] for each in found["names free"]} == {f"ours already, in {GROUP}"}


LOCATION_CLOSED = {
    "type": "Location", "values": [REGION], "reasonCode": "NotAvailableForSubscription",
    "restrictionInfo": {"locations": [REGION]},
}  # fmt: skip
ZONE_CLOSED = {
    "type": "Zone", "values": [REGION], "reasonCode": "NotAvailableForSubscription",
    "restrictionInfo": {"locations": [REGION], "zones": ["2"]},
}  # fmt: skip
D2S = {"name": "Standard_D2s_v5", "family": "standardDSv5Family", "cores": 2}
D2AS = {"name": "Standard_D2as_v5", "family": "standardDASv5Family", "cores": 2}
VAULTS = "Microsoft.KeyVault/vaults"
TEAM = {"id": "cccccccc-0000-0000-0000-000000000003", "type": "Group"}
EVERYBODY = {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}
CASES: list[tuple[dict[str, Any], list[Wrong]]] = [
    (
        {
            "subscription": {"id": SUBSCRIPTION, "state": "Disabled", "tenant_id": TENANT},
            "providers": {**dict.fromkeys(PROVIDERS, "Registered"), "Microsoft.Network": "NotRegistered"},
            "deny_assignments": [{"name": "locked", "actions": ["Microsoft.KeyVault/*"], "principals": [EVERYBODY]}],
            "sizes": [D2AS],
            "network_usages": {"PublicIPAddresses": [10, 10]},
            "policies": [{"name": "only-france", "type": VAULTS}],
        },
        [
            ("FAIL", "azure subscription", "'Contoso' is Disabled", "portal.azure.com"),
            ("FAIL", "azure providers", "not registered (NotRegistered)", "`causeway azure register-providers --plan "),
            ("FAIL", "azure deny assignments", "denies Microsoft.KeyVault/checkNameAvailability/read", "Have it lift"),
            ("FAIL", "azure size", f"not offered in {REGION}", "Standard_D2as_v5"),
            ("FAIL", "azure quota", "10 of 10 used, 1 more needed", f"providers/Microsoft.Network/locations/{REGION}"),
            ("FAIL", "azure policy", "policyAssignments/only-france", "az policy exemption create"),
        ],
    ),
    (
        {
            "deny_assignments": [
                {"name": "team", "actions": ["Microsoft.KeyVault/vaults/write"], "principals": [TEAM]}
            ],
            "sizes": [{**D2S, "restrictions": [LOCATION_CLOSED]}, D2AS],
            "compute_usages": {"cores": [0, 100], "standardDSv5Family": [8, 10]},
            "policies": [
                {"name": "cost", "type": "Microsoft.KeyVault/vaults", "requires": "tags.owner", "values": ["it"]}
            ],
        },
        [
            ("WARN", "azure deny assignments", "denies Microsoft.KeyVault/vaults/*, for a group", "Have it lifted"),
            ("FAIL", "azure size", "(NotAvailableForSubscription)", "Standard_D2as_v5"),
            ("FAIL", "azure quota", "8 of 10 used, 4 more needed", "--resource-name standardDSv5Family"),
            ("WARN", "azure policy", "the field tags.owner must have one of it", "policyAssignments/cost"),
        ],
    ),
    (
        {
            "deny_assignments_hidden": True,
            "sizes": [{**D2S, "restrictions": [ZONE_CLOSED]}],
            "compute_usages": {"cores": [9, 10], "standardDSv5Family": [0, 10]},
        },
        [
            ("WARN", "azure deny assignments", "not looked at", "Reader"),
            ("WARN", "azure size", "in zone 2", "support request"),
            ("FAIL", "azure quota", "9 of 10 used, 4 more needed", "--limit-object value=20"),
        ],
    ),
]


@pytest.mark.parametrize(("changes", "wrong"), CASES, ids=["one", "two", "three"])
def test_each_thing_that_is_wrong_is_a_line_with_what_to_do(
    azure: FakeAzure, changes: dict[str, Any], wrong: list[Wrong]
) -> None:
    expect(check(azure, **changes), *wrong)


def test_every_client_asks_the_government_cloud_where_the_plan_says_so(azure: FakeAzure) -> None:
    file = azure.folder / "government-check.toml"
    if not file.exists():
        made = ("--cloud=us-government", "--region=usgovvirginia", "--out", str(file))
        assert plan(azure.folder, "new", *CONTOSO, *made).returncode == 0
    assert bad(check(azure, plan_file=file.name)) == []
    assert {each["host"] for each in azure.requests()} == {"login.microsoftonline.us", "management.usgovcloudapi.net"}


def test_a_deny_assignment_that_leaves_us_out_or_ends_above_is_none_for_us(azure: FakeAzure) -> None:
    denial = {"name": "locked", "actions": ["*"], "principals": [EVERYBODY]}
    leaves_us_out = {**denial, "excluded": [{"id": OBJECT, "type": "ServicePrincipal"}]}
    assert bad(check(azure, deny_assignments=[leaves_us_out, {**denial, "not_below": True}])) == []


CONTRIBUTOR = {
    "actions": ["*"],
    "notActions": ["Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"],
}


def test_a_contributor_lacks_one_action_and_is_told_the_role_and_the_command(azure: FakeAzure) -> None:
    one = only_bad(check(azure, permissions=[CONTRIBUTOR]), "FAIL")
    assert one["target"] == f"resource group {GROUP}"
    assert one["details"] == "not granted: Microsoft.Authorization/roleAssignments/write"
    assert f'--assignee {OBJECT} --role "Causeway deployment ({PREFIX})"' in one["action"]
    assert "`causeway plan roles " in one["action"]


def test_a_role_in_the_resource_group_counts_there(azure: FakeAzure) -> None:
    own = {"actions": ["Microsoft.Authorization/roleAssignments/*"], "notActions": []}
    assert bad(check(azure, permissions=[CONTRIBUTOR], group_permissions=[own])) == []


def test_without_the_resource_group_its_rights_are_a_warning(azure: FakeAzure) -> None:
    one = only_bad(check(azure, permissions=[CONTRIBUTOR], resource_groups=[]), "WARN")
    assert one["action"].startswith("Once the resource group is made: an Owner has to")


def test_a_role_that_is_only_eligible_is_to_be_activated(azure: FakeAzure) -> None:
    one = only_bad(check(azure, permissions=[CONTRIBUTOR], eligible=["Owner"]), "FAIL")
    assert one["action"].startswith("Activate it: you are eligible for Owner")


def test_microsofts_gateway_wants_an_owner(azure: FakeAzure) -> None:
    file = azure.folder / "configmgr.toml"
    if not file.exists():
        made = ("--target=configmgr", "--service-name=contosogateway.contoso.com", "--vm-size=Standard_A2_v2")
        assert plan(azure.folder, "new", *CONTOSO, *made, "--out", str(file)).returncode == 0
    sizes = [{"name": "Standard_A2_v2", "family": "standardAv2Family", "cores": 2}]
    one = only_bad(check(azure, plan_file=file.name, permissions=[CONTRIBUTOR], sizes=sizes), "FAIL")
    assert one["details"] == "not granted: everything"
    assert f'--role "Owner" --scope /subscriptions/{SUBSCRIPTION}`' in one["action"]


def test_nobody_signed_in_is_one_failure_and_the_rest_is_skipped(azure: FakeAzure) -> None:
    azure.signed_in, before = {}, azure.signed_in
    try:
        found = check(azure, "--credential", "environment")
    finally:
        azure.signed_in = before
    assert found["exit"] == 1
    assert statuses(found, "azure credentials") == ["FAIL"]
    assert {each["status"] for each in bad(found) if each["name"] != "azure credentials"} == {"SKIP"}
    assert statuses(found, "names free") == ["SKIP"] * 3
    assert "az login" in found["azure credentials"][0]["action"]


def test_without_a_subscription_nothing_in_it_is_looked_at_and_why_is_said(azure: FakeAzure) -> None:
    text = (azure.folder / "causeway-plan.toml").read_text()
    (azure.folder / "none.toml").write_text(text.replace("\nsubscription_id", "\n# subscription_id"))
    found = check(azure, plan_file="none.toml")
    assert found["exit"] == 0
    assert [(each["name"], each["status"]) for each in bad(found)] == [
        ("names free", "SKIP"),
        ("azure subscription", "SKIP"),
    ]
    assert "set subscription_id in [azure]" in found["azure subscription"][0]["details"]


def test_an_answer_that_fails_is_its_checks_alone(azure: FakeAzure) -> None:
    refused = {"error": {"code": "AuthorizationFailed", "message": "no authorization to perform skus/read"}}
    expired = {"error": {"code": "ExpiredAuthenticationToken", "message": "The access token has expired"}}
    broken = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"va'
    faults: list[dict[str, Any]] = [
        {"path": "/skus", "status": 403, "body": refused},
        {"path": "/checkPolicyRestrictions", "status": 429, "headers": {"Retry-After": "600"}, "body": {}},
        {"path": "Authorization/permissions", "body": {"value": [7, None, {"name": 5}]}},
        {"path": "Microsoft.Storage/checkNameAvailability", "raw": broken},
        {"path": "/checkDnsNameAvailability", "status": 401, "body": expired},
    ]
    found = check(azure, faults=[{"times": 99, **fault} for fault in faults])
    assert [(each["status"], each["name"], each["details"].partition(":")[0]) for each in bad(found)] == [
        ("FAIL", "names free", "AzureSignIn"),
        ("FAIL", "names free", "AzureAnswer"),
        ("FAIL", "azure rights", "AzureAnswer"),
        ("FAIL", "azure size", "AzureForbidden"),
        ("FAIL", "azure policy", "AzureThrottled"),
    ]
    assert "try again in 600 s" in found["azure policy"][0]["action"].lower()


def test_an_answer_that_never_comes_ends_with_the_time_limit(azure: FakeAzure) -> None:
    found = check(azure, "--timeout", "10", faults=[{"path": "/skus", "times": 99, "hang": True}])
    (one,) = bad(found)
    assert (one["name"], one["details"]) == ("azure size", "no answer within 10 s")
