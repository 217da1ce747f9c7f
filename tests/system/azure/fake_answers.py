"""What the fake of Azure answers: pure functions of its state. See ``fake_azure`` for its limits."""

import base64
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

State = dict[str, Any]
MANAGEMENT = ("management.azure.com", "management.usgovcloudapi.net")
LOGIN = ("login.microsoftonline.com", "login.microsoftonline.us")
SCOPES = {
    "https://management.azure.com/.default": "https://management.azure.com",
    "https://management.core.usgovcloudapi.net/.default": "https://management.core.usgovcloudapi.net",
    "https://graph.microsoft.com/.default": "https://graph.microsoft.com",
    "https://graph.microsoft.us/.default": "https://graph.microsoft.us",
}


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


def error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})


def listed(values: list[Any]) -> Answer:
    return Answer(200, {"value": values})


def token(state: State, audience: str) -> str:
    """Looks like one of Entra ID's; nobody signed it."""

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{state['tenant_id']}/",
        "tid": state["tenant_id"],
        "oid": state["object_id"],
        "appid": state["client_id"],
        "exp": int(time.time()) + state.get("token_lifetime_s", 3600),
        **state.get("claims", {}),
    }
    return ".".join((part({"alg": "RS256", "typ": "JWT"}), part(claims), part("unsigned")))


def claims_of(authorization: str) -> dict[str, Any] | None:
    match = re.fullmatch(r"Bearer [^.]+\.([^.]+)\.[^.]+", authorization)
    if not match:
        return None
    return json.loads(base64.urlsafe_b64decode(match[1] + "=="))  # type: ignore[no-any-return]


def login(state: State, host: str, path: str, form: dict[str, str]) -> Answer:
    """The client-credentials flow of one application in one tenant, and the documents for discovery."""
    parts = path.strip("/").split("/")
    if path.startswith("/common/discovery/instance"):
        return Answer(
            200, {"tenant_discovery_endpoint": f"https://{host}/common/v2.0/.well-known/openid-configuration"}
        )
    tenant, rest = parts[0], "/".join(parts[1:])
    if tenant != state["tenant_id"]:
        text = f"AADSTS90002: Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."
        return Answer(400, {"error": "invalid_request", "error_description": text})
    if rest == "v2.0/.well-known/openid-configuration":
        return Answer(
            200,
            {
                "issuer": f"https://{host}/{tenant}/v2.0",
                "authorization_endpoint": f"https://{host}/{tenant}/oauth2/v2.0/authorize",
                "token_endpoint": f"https://{host}/{tenant}/oauth2/v2.0/token",
            },
        )
    if rest != "oauth2/v2.0/token" or form.get("grant_type") != "client_credentials":
        return Answer(400, {"error": "unsupported_grant_type", "error_description": "AADSTS70003: not here"})
    refusals = (
        (
            form.get("client_id") != state["client_id"],
            "unauthorized_client",
            f"AADSTS700016: Application with identifier '{form.get('client_id')}' was not found in the directory.",
        ),
        (
            state.get("secret_expired"),
            "invalid_client",
            "AADSTS7000222: The provided client secret keys for app are expired. Visit the Azure portal.",
        ),
        (
            form.get("client_secret") != state["client_secret"],
            "invalid_client",
            "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent is the value, not the id.",
        ),
        (form.get("scope") not in SCOPES, "invalid_scope", "AADSTS70011: The provided scope is not valid."),
    )
    for refused, code, text in refusals:
        if refused:
            return Answer(401, {"error": code, "error_description": text})
    granted = token(state, SCOPES[form["scope"]])
    return Answer(200, {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": granted})


def management(
    state: State, host: str, method: str, path: str, query: dict[str, str], body: Any, authorization: str
) -> Answer:
    """Azure Resource Manager, of one subscription."""
    claims = claims_of(authorization)
    if claims is None:
        return error(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
    if host.split(".")[1:] != claims["aud"].removeprefix("https://").replace("core.", "").split(".")[1:]:
        return error(401, "InvalidAuthenticationTokenAudience", "The access token is for another audience.")
    if claims["exp"] < time.time():
        return error(401, "ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than now.")
    subscription = state["subscription"]
    prefix = f"/subscriptions/{subscription['id']}"
    if not path.lower().startswith(prefix):
        return error(404, "SubscriptionNotFound", f"The subscription '{path.split('/')[2]}' could not be found.")
    if claims["tid"] != subscription["tenant_id"]:
        return error(401, "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer.")
    if "api-version" not in query:
        return error(400, "MissingApiVersionParameter", "The api-version query parameter is required.")
    rest = path[len(prefix) :]
    for verb, pattern, answer in ROUTES:
        match = re.fullmatch(pattern, rest, re.IGNORECASE)
        if match and verb == method:
            return answer(state, match, query, body)
    return error(404, "InvalidResourceType", f"The fake does not know {method} {rest}.")


def _subscription(state: State, *_: Any) -> Answer:
    it = state["subscription"]
    return Answer(
        200,
        {
            "id": f"/subscriptions/{it['id']}",
            "subscriptionId": it["id"],
            "displayName": "Contoso",
            "tenantId": it["tenant_id"],
            "state": it["state"],
        },
    )


def _provider(state: State, match: re.Match[str], *_: Any) -> Answer:
    name = match[1]
    now = state["providers"].get(name)
    if now is None:
        return error(404, "InvalidResourceNamespace", f"The resource namespace '{name}' is invalid.")
    if now == "Registering":
        looks = state.setdefault("looks_left", {})
        looks[name] = looks.get(name, state.get("looks_to_register", 1)) - 1
        if looks[name] < 0:
            state["providers"][name] = "Registered"
    return Answer(200, _described(state, name, now))


def _register(state: State, match: re.Match[str], *_: Any) -> Answer:
    name = match[1]
    if state.get("may_not_register"):
        text = f"The client does not have authorization to perform action '{name}/register/action' over scope"
        return error(403, "AuthorizationFailed", text)
    if state["providers"][name] != "Registered":
        state["providers"][name] = "Registering"
    return Answer(200, _described(state, name, state["providers"][name]))


def _described(state: State, name: str, registration: str) -> dict[str, Any]:
    identity = f"/subscriptions/{state['subscription']['id']}/providers/{name}"
    return {
        "id": identity,
        "namespace": name,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": registration,
        "resourceTypes": [],
    }


def _scope(state: State, group: str = "") -> str:
    return f"/subscriptions/{state['subscription']['id']}" + (f"/resourceGroups/{group}" if group else "")


def _resource(state: State, provider: str, each: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A resource of the state: ``{"name": …, "group": …, "location": …}``."""
    identity = f"{_scope(state, each['group'])}/providers/{provider}/{each['name']}"
    return {"id": identity, "name": each["name"], "type": provider, "location": each["location"], **more}


def _group(state: State, match: re.Match[str], *_: Any) -> Answer:
    return Answer(204 if match[1] in state["resource_groups"] else 404, "")


def _dns_label(state: State, match: re.Match[str], query: dict[str, str], _: Any) -> Answer:
    label, region = query["domainNameLabel"], match[1]
    ours = any(it["label"] == label and it["location"] == region for it in state["public_ips"])
    return Answer(200, {"available": not ours and label not in state["labels_taken"]})


def _public_ips(state: State, *_: Any) -> Answer:
    kind = "Microsoft.Network/publicIPAddresses"
    return listed(
        [
            _resource(state, kind, it, properties={"dnsSettings": {"domainNameLabel": it["label"]}})
            for it in state["public_ips"]
        ]
    )


def _vault_name(state: State, _match: re.Match[str], _query: dict[str, str], body: Any) -> Answer:
    assert body["type"] == "Microsoft.KeyVault/vaults"
    used = [it["name"] for it in (*state["vaults"], *state["deleted_vaults"])]
    return _availability(body["name"], [*used, *state["vault_names_taken"]])


def _storage_name(state: State, _match: re.Match[str], _query: dict[str, str], body: Any) -> Answer:
    assert body["type"] == "Microsoft.Storage/storageAccounts"
    return _availability(
        body["name"], [*(it["name"] for it in state["storage_accounts"]), *state["storage_names_taken"]]
    )


def _availability(name: str, taken: list[str]) -> Answer:
    if name not in taken:
        return Answer(200, {"nameAvailable": True})
    return Answer(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": f"The name {name} is in use."})


def _vaults(state: State, *_: Any) -> Answer:
    properties = {"tenantId": state["tenant_id"], "sku": {"family": "A", "name": "standard"}}
    return listed([_resource(state, "Microsoft.KeyVault/vaults", it, properties=properties) for it in state["vaults"]])


def _deleted_vaults(state: State, *_: Any) -> Answer:
    def one(it: dict[str, Any]) -> dict[str, Any]:
        properties = {
            "vaultId": f"{_scope(state, it['group'])}/providers/Microsoft.KeyVault/vaults/{it['name']}",
            "location": it["location"],
            "deletionDate": "2026-11-01T00:00:00Z",
            "scheduledPurgeDate": "2027-01-30T00:00:00Z",
            "purgeProtectionEnabled": it.get("protected", False),
        }
        place = f"{_scope(state)}/providers/Microsoft.KeyVault/locations/{it['location']}/deletedVaults/{it['name']}"
        return {"id": place, "name": it["name"], "type": "Microsoft.KeyVault/deletedVaults", "properties": properties}

    return listed([one(it) for it in state["deleted_vaults"]])


def _storage_accounts(state: State, *_: Any) -> Answer:
    more = {"sku": {"name": "Standard_LRS", "tier": "Standard"}, "kind": "StorageV2"}
    kind = "Microsoft.Storage/storageAccounts"
    return listed([_resource(state, kind, it, **more) for it in state["storage_accounts"]])


def _scale_set(state: State, match: re.Match[str], *_: Any) -> Answer:
    for it in state["scale_sets"]:
        if (it["group"], it["name"]) == (match[1], match[2]):
            sku = {"name": it["size"], "tier": "Standard", "capacity": it["capacity"]}
            return Answer(200, _resource(state, "Microsoft.Compute/virtualMachineScaleSets", it, sku=sku))
    return error(404, "ResourceNotFound", f"The Resource '{match[2]}' was not found.")


def _skus(state: State, _match: re.Match[str], query: dict[str, str], _body: Any) -> Answer:
    region = query["$filter"].removeprefix("location eq '").removesuffix("'")
    return listed(
        [
            {
                "resourceType": "virtualMachines",
                "name": it["name"],
                "family": it["family"],
                "locations": [region],
                "capabilities": [{"name": "vCPUs", "value": str(it["cores"])}],
                "restrictions": it.get("restrictions", []),
            }
            for it in state["sizes"]
        ]
    )


def _compute_usages(state: State, *_: Any) -> Answer:
    return _usages(state["compute_usages"])


def _network_usages(state: State, *_: Any) -> Answer:
    return _usages(state["network_usages"])


def _usages(usages: dict[str, list[int]]) -> Answer:
    return listed(
        [
            {"unit": "Count", "currentValue": used, "limit": limit, "name": {"value": name, "localizedValue": name}}
            for name, (used, limit) in usages.items()
        ]
    )


def _permissions(state: State, *_: Any) -> Answer:
    return listed(state["permissions"])


def _group_permissions(state: State, match: re.Match[str], *_: Any) -> Answer:
    if match[1] not in state["resource_groups"]:
        return error(404, "ResourceGroupNotFound", f"Resource group '{match[1]}' could not be found.")
    return listed([*state["permissions"], *state["group_permissions"]])


def _deny_assignments(state: State, match: re.Match[str], query: dict[str, str], _: Any) -> Answer:
    assert query["$filter"] == "atScope()"
    if state.get("deny_assignments_hidden"):
        return error(403, "AuthorizationFailed", "No authorization to perform denyAssignments/read.")
    found = []
    for it in state["deny_assignments"]:
        properties = {
            "denyAssignmentName": it["name"],
            "permissions": [{"actions": it["actions"], "notActions": it.get("not_actions", [])}],
            "scope": _scope(state) + it.get("scope", ""),
            "doNotApplyToChildScopes": it.get("not_below", False),
            "principals": it["principals"],
            "excludePrincipals": it.get("excluded", []),
        }
        identity = f"{_scope(state)}/providers/Microsoft.Authorization/denyAssignments/{it['name']}"
        found.append({"id": identity, "name": it["name"], "properties": properties})
    return listed(found)


def _eligible(state: State, _match: re.Match[str], query: dict[str, str], _: Any) -> Answer:
    assert query["$filter"] == "asTarget()"
    return listed(
        [
            {
                "name": name,
                "properties": {
                    "scope": _scope(state),
                    "principalId": state["object_id"],
                    "roleDefinitionId": f"{_scope(state)}/providers/Microsoft.Authorization/roleDefinitions/{name}",
                    "status": "Provisioned",
                    "expandedProperties": {"roleDefinition": {"id": name, "displayName": name, "type": "BuiltInRole"}},
                },
            }
            for name in state["eligible"]
        ]
    )


def _policy(state: State, match: re.Match[str], _query: dict[str, str], body: Any) -> Answer:
    details = body["resourceDetails"]
    kind = details["resourceContent"]["type"]
    evaluations = [
        {
            "policyInfo": {
                "policyDefinitionId": f"/providers/Microsoft.Authorization/policyDefinitions/{it['name']}",
                "policyAssignmentId": f"{_scope(state)}/policyAssignments/{it['name']}",
            },
            "evaluationResult": "NonCompliant",
            "evaluationDetails": {"evaluatedExpressions": []},
        }
        for it in state["policies"]
        if it["type"] in {kind, "*"} and not it.get("requires")
    ]
    restrictions = [
        {
            "field": it["requires"],
            "restrictions": [
                {
                    "result": "Required",
                    "values": it.get("values", []),
                    "policy": {
                        "policyDefinitionId": f"/providers/Microsoft.Authorization/policyDefinitions/{it['name']}",
                        "policyAssignmentId": f"{_scope(state)}/policyAssignments/{it['name']}",
                    },
                }
            ],
        }
        for it in state["policies"]
        if it["type"] in {kind, "*"} and it.get("requires")
    ]
    return Answer(
        200,
        {"fieldRestrictions": restrictions, "contentEvaluationResult": {"policyEvaluations": evaluations}},
    )


Route = Callable[[State, re.Match[str], dict[str, str], Any], Answer]
_AUTHORIZATION = "/providers/Microsoft[.]Authorization"
ROUTES: list[tuple[str, str, Route]] = [
    ("GET", "", _subscription),
    ("GET", "/providers/(Microsoft[.][a-z]+)", _provider),
    ("POST", "/providers/(Microsoft[.][a-z]+)/register", _register),
    ("HEAD", "/resourcegroups/([^/]+)", _group),
    ("GET", "/providers/Microsoft[.]Network/locations/([^/]+)/checkDnsNameAvailability", _dns_label),
    ("GET", "/providers/Microsoft[.]Network/publicIPAddresses", _public_ips),
    ("POST", "/providers/Microsoft[.]KeyVault/checkNameAvailability", _vault_name),
    ("GET", "/providers/Microsoft[.]KeyVault/vaults", _vaults),
    ("GET", "/providers/Microsoft[.]KeyVault/deletedVaults", _deleted_vaults),
    ("POST", "/providers/Microsoft[.]Storage/checkNameAvailability", _storage_name),
    ("GET", "/providers/Microsoft[.]Storage/storageAccounts", _storage_accounts),
    ("GET", "/resourceGroups/([^/]+)/providers/Microsoft[.]Compute/virtualMachineScaleSets/([^/]+)", _scale_set),
    ("GET", "/providers/Microsoft[.]Compute/skus", _skus),
    ("GET", "/providers/Microsoft[.]Compute/locations/([^/]+)/usages", _compute_usages),
    ("GET", "/providers/Microsoft[.]Network/locations/([^/]+)/usages", _network_usages),
    ("GET", f"{_AUTHORIZATION}/permissions", _permissions),
    ("GET", f"/resourcegroups/([^/]+){_AUTHORIZATION}/permissions", _group_permissions),
    ("GET", f"(?:/resourceGroups/[^/]+)?{_AUTHORIZATION}/denyAssignments", _deny_assignments),
    ("GET", f"{_AUTHORIZATION}/roleEligibilityScheduleInstances", _eligible),
    ("POST", "(?:/resourceGroups/[^/]+)?/providers/Microsoft[.]PolicyInsights/checkPolicyRestrictions", _policy),
]
