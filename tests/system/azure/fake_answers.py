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


Route = Callable[[State, re.Match[str], dict[str, str], Any], Answer]
ROUTES: list[tuple[str, str, Route]] = [
    ("GET", "", _subscription),
    ("GET", "/providers/(Microsoft[.][a-z]+)", _provider),
    ("POST", "/providers/(Microsoft[.][a-z]+)/register", _register),
]
