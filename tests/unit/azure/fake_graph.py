"""A fake of Microsoft Graph, with state: one tenant, its applications, service principals, consent and roles.

Shapes, statuses and words are those of Graph's reference (v1.0). It is a fake: it knows only the paths and the filters
that the product uses, ignores ``$select``, has pages of two, and judges rights by a list of tasks, not by roles. What
is made is answered "not found" for ``lag`` looks, as by a replica that does not know it yet. It refuses what Graph is
known to refuse: a second ID URI of the same name, an enabled scope that is taken away, unknown properties, a service
principal without application, consent that is there already.
"""

import base64
import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TENANT = "11111111-2222-3333-4444-555555555555"
GRAPH_APP = "00000003-0000-0000-c000-000000000000"
DIRECTORY_READ = "7ab1d382-f21e-4acd-a863-ba3e13f7da61"
ROLES = {
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Privileged Role Administrator": "e8611ab8-c189-46e8-94e1-60213ab1f814",
    "Cloud Application Administrator": "158c047a-c907-4556-b7ef-446551a6b5f7",
    "Directory Readers": "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
}
EVERYTHING = frozenset(("register", "consent", "consent-roles"))
PAGE = 2
_WRITABLE = frozenset(
    (
        "displayName",
        "signInAudience",
        "identifierUris",
        "isFallbackPublicClient",
        "api",
        "web",
        "publicClient",
        "requiredResourceAccess",
    )
)

Answer = tuple[int, dict[str, str], bytes]
Instead = Callable[[str, str], Answer | None]


def access_token(**claims: Any) -> str:
    """A token of Entra ID's shape; nobody here verifies it."""
    parts = ({"typ": "JWT", "alg": "RS256"}, claims)
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{head}.{body}.c2lnbmF0dXJl"


USER = access_token(tid=TENANT, oid=str(uuid.UUID(int=1)), upn="ada@contoso.com", scp="Directory.AccessAsUser.All")
APPLICATION = access_token(
    tid=TENANT, oid=str(uuid.UUID(int=2)), appid=str(uuid.UUID(int=3)), idtyp="app", roles=["Application.ReadWrite.All"]
)


def failure(status: int, code: str, message: str, **headers: str) -> Answer:
    body = {"error": {"code": code, "message": message, "innerError": {"request-id": str(uuid.UUID(int=9))}}}
    return status, headers, json.dumps(body).encode()


class FakeGraph:
    """It answers requests; ``instead`` may answer in its place, and ``written`` is told of every change."""

    def __init__(self, host: str = "graph.microsoft.com") -> None:
        self.host = host
        self.tenant = TENANT
        self.rights = set(EVERYTHING)
        self.roles: list[str] = []
        self.eligible: list[str] | None = []
        self.lag = 0
        self.page = PAGE
        self.applications: list[dict[str, Any]] = []
        self.deleted: list[dict[str, Any]] = []
        self.owners: dict[str, list[dict[str, Any]]] = {}
        self.principals: list[dict[str, Any]] = []
        self.grants: list[dict[str, Any]] = []
        self.assignments: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self.instead: Instead | None = None
        self.written: Callable[[str], None] | None = None
        self._unseen: dict[str, int] = {}
        self._ids = 100
        graph = self.principal(GRAPH_APP, "Microsoft Graph")
        graph["appRoles"] = [{"id": DIRECTORY_READ, "value": "Directory.Read.All"}]

    # What a test sets up.

    def id(self) -> str:
        self._ids += 1
        return str(uuid.UUID(int=self._ids))

    def application(self, name: str, **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = {
            "id": self.id(),
            "appId": self.id(),
            "displayName": name,
            "uniqueName": None,
            "createdDateTime": "2026-01-02T03:04:05Z",
            "signInAudience": "AzureADMyOrg",
            "identifierUris": [],
            "isFallbackPublicClient": None,
            "api": {"requestedAccessTokenVersion": None, "oauth2PermissionScopes": []},
            "web": {"redirectUris": [], "implicitGrantSettings": {"enableIdTokenIssuance": False}},
            "publicClient": {"redirectUris": []},
            "requiredResourceAccess": [],
            "passwordCredentials": [],
            "keyCredentials": [],
            **more,
        }
        self.applications.append(made)
        self._unseen[made["id"]] = self.lag
        return made

    def principal(self, app_id: str, name: str) -> dict[str, Any]:
        made = {"id": self.id(), "appId": app_id, "displayName": name, "accountEnabled": True, "appRoles": []}
        self.principals.append(made)
        self._unseen[str(made["id"])] = self.lag
        return made

    def state(self) -> dict[str, int]:
        """How many there are of everything."""
        return {
            "applications": len(self.applications),
            "principals": len(self.principals) - 1,
            "grants": len(self.grants),
            "assignments": len(self.assignments),
            "secrets": sum(len(each["passwordCredentials"]) for each in self.applications),
        }

    # What is asked.

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One request; ``target`` is path and query, header names are in lower case."""
        self.asked.append(f"{method} {unquote(target)}")
        self.tokens.append(headers.get("authorization", ""))
        if self.instead is not None and (found := self.instead(method, unquote(target))) is not None:
            return found
        if not headers.get("authorization", "").startswith("Bearer e"):
            return failure(401, "InvalidAuthenticationToken", "Access token is empty.")
        parts = urlsplit(target)
        path, query = unquote(parts.path).removeprefix("/v1.0"), parse_qs(parts.query)
        if method == "GET":
            return self._get(path, query, headers)
        found = self._write(method, path, json.loads(body), create="create-if-missing" in headers.get("prefer", ""))
        if found[0] < 300 and self.written is not None:
            self.written(f"{method} {path}")
        return found

    def _get(self, path: str, query: dict[str, list[str]], headers: Mapping[str, str]) -> Answer:
        many = self._collection(path, query)
        if many is not None:
            cast = "microsoft.graph.directoryRole" in path
            if cast and (headers.get("consistencylevel") != "eventual" or query.get("$count") != ["true"]):
                return failure(400, "Request_UnsupportedQuery", "ConsistencyLevel and $count are required.")
            return self._page(many, path, query)
        if "roleEligibility" in path:
            return failure(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        one = self._one(path)
        return (200, {}, json.dumps(one).encode()) if one and self._seen(one) else self._missing(path)

    def _collection(self, path: str, query: dict[str, list[str]]) -> list[dict[str, Any]] | None:
        if path == "/organization":
            domain = {"name": "contoso.onmicrosoft.com", "isInitial": True, "isDefault": False}
            return [{"id": self.tenant, "displayName": "Contoso", "verifiedDomains": [domain]}]
        if path.endswith("/transitiveMemberOf/microsoft.graph.directoryRole"):
            return [{"id": self.id(), "roleTemplateId": ROLES[name], "displayName": name} for name in self.roles]
        if "roleEligibilityScheduleInstances" in path:
            return None if self.eligible is None else [{"roleDefinitionId": ROLES[name]} for name in self.eligible]
        if path == "/applications":
            found = re.fullmatch(
                r"(?:displayName eq|identifierUris/any\(u:u eq) '((?:[^']|'')*)'\)?", query["$filter"][0]
            )
            assert found is not None, query
            text = found[1].replace("''", "'")
            return [each for each in self.applications if text in (each["displayName"], *each["identifierUris"])]
        if path == "/directory/deletedItems/microsoft.graph.application":
            return self.deleted
        if found := re.fullmatch(r"/applications/([^/]+)/owners", path):
            return self.owners.get(found[1], [])
        if found := re.fullmatch(r"/servicePrincipals/([^/]+)/oauth2PermissionGrants", path):
            return [each for each in self.grants if each["clientId"] == found[1]]
        if found := re.fullmatch(r"/servicePrincipals/([^/]+)/appRoleAssignments", path):
            return [each for each in self.assignments if each["principalId"] == found[1]]
        return None

    def _page(self, many: list[dict[str, Any]], path: str, query: dict[str, list[str]]) -> Answer:
        start = int(query.get("$skiptoken", ["0"])[0])
        more = "&".join(f"{name}={values[0]}" for name, values in query.items() if name != "$skiptoken")
        page: dict[str, Any] = {"@odata.context": f"https://{self.host}/v1.0/$metadata", "value": []}
        page["value"] = many[start : start + self.page]
        if start + self.page < len(many):
            page["@odata.nextLink"] = f"https://{self.host}/v1.0{path}?{more}&$skiptoken={start + self.page}"
        return 200, {}, json.dumps(page).encode()

    def _one(self, path: str) -> dict[str, Any] | None:
        found = re.fullmatch(r"/(applications|servicePrincipals)(?:/([^/(]+)|\((appId|uniqueName)='([^']+)'\))", path)
        assert found is not None, path
        name, value = (found[3], found[4]) if found[3] else ("id", found[2])
        objects = self.applications if found[1] == "applications" else self.principals
        return next((each for each in objects if each[name] == value), None)

    def _seen(self, one: dict[str, Any]) -> bool:
        left = self._unseen.get(one["id"], 0)
        self._unseen[one["id"]] = left - 1
        return left <= 0

    def _missing(self, path: str) -> Answer:
        message = f"Resource '{path}' does not exist or one of its queried reference-property objects are not present."
        return failure(404, "Request_ResourceNotFound", message)

    def _write(self, method: str, path: str, body: dict[str, Any], *, create: bool) -> Answer:
        action = path.rpartition("/")[2]
        right = "register"
        if action == "appRoleAssignments":
            right = "consent-roles"
        elif "oauth2PermissionGrants" in path:
            right = "consent"
        if right not in self.rights:
            return failure(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        if action in {"addPassword", "removePassword"}:
            return self._password(path.rpartition("/")[0], action, body)
        if path == "/oauth2PermissionGrants":
            return self._consent(self.grants, {"id": f"grant-{self.id()}", **body}, ("clientId", "resourceId"))
        if action == "appRoleAssignments":
            made = {"id": f"assignment-{self.id()}", **body}
            return self._consent(self.assignments, made, ("principalId", "resourceId", "appRoleId"))
        assert method == "PATCH", (method, path)
        if path.startswith("/oauth2PermissionGrants/"):
            next(each for each in self.grants if each["id"] == action).update(body)
            return 204, {}, b""
        return self._patch(path, body, create=create)

    def _patch(self, path: str, body: dict[str, Any], *, create: bool) -> Answer:
        one = self._one(path)
        if path.startswith("/servicePrincipals"):
            if one is not None:
                return 204, {}, b""
            app_id = path.partition("'")[2].rstrip("')")
            application = next((each for each in self.applications if each["appId"] == app_id), None)
            if application is None or not self._seen(application):
                message = (
                    f"The appId '{app_id}' of the service principal does not reference a valid application object."
                )
                return failure(400, "Request_BadRequest", message)
            return 201, {}, json.dumps(self.principal(app_id, body["displayName"])).encode()
        if one is None and not create:
            return self._missing(path)
        if one is not None and not create and not self._seen(one):
            return self._missing(path)
        if refused := self._refused(one, body):
            return refused
        if one is not None:
            self._merge(one, body)
            return 204, {}, b""
        unique_name = path.partition("'")[2].rstrip("')")
        if any(each["uniqueName"] == unique_name for each in self.deleted):
            message = "Another object with the same value for property uniqueName already exists."
            return failure(400, "Request_BadRequest", message)
        made = self.application(body["displayName"], uniqueName=unique_name)
        self._merge(made, body)
        return 201, {}, json.dumps(made).encode()

    def _refused(self, one: dict[str, Any] | None, body: dict[str, Any]) -> Answer | None:
        if unknown := set(body) - _WRITABLE:
            return failure(400, "Request_BadRequest", f"Invalid property '{unknown.pop()}'.")
        taken = {uri for each in self.applications if each is not one for uri in each["identifierUris"]}
        if taken & set(body.get("identifierUris", ())):
            message = "Another object with the same value for property identifierUris already exists."
            return failure(400, "Request_BadRequest", message)
        if one and "api" in body:
            kept = {each["id"] for each in body["api"]["oauth2PermissionScopes"]}
            for scope in one["api"]["oauth2PermissionScopes"]:
                if scope["isEnabled"] and scope["id"] not in kept:
                    message = "Property value cannot be deleted unless it is disabled first."
                    return failure(400, "CannotDeleteOrUpdateEnabledEntitlement", message)
        return None

    @staticmethod
    def _merge(one: dict[str, Any], body: dict[str, Any]) -> None:
        for name, value in body.items():
            one[name] = {**one[name], **value} if isinstance(value, dict) else value

    def _password(self, path: str, action: str, body: dict[str, Any]) -> Answer:
        one = self._one(path)
        if one is None or not self._seen(one):
            return self._missing(path)
        if action == "removePassword":
            before = len(one["passwordCredentials"])
            one["passwordCredentials"] = [each for each in one["passwordCredentials"] if each["keyId"] != body["keyId"]]
            if len(one["passwordCredentials"]) == before:
                return failure(404, "Request_ResourceNotFound", "No password with that keyId.")
            return 204, {}, b""
        text = f"sec~{self.id()}"
        made = {"keyId": self.id(), "hint": text[:3], "customKeyIdentifier": None, **body["passwordCredential"]}
        one["passwordCredentials"].append(made)
        return 200, {}, json.dumps({**made, "secretText": text}).encode()

    def _consent(self, kept: list[dict[str, Any]], made: dict[str, Any], key: tuple[str, ...]) -> Answer:
        ids = {each["id"] for each in self.principals}
        if not {value for name, value in made.items() if name in {"clientId", "principalId", "resourceId"}} <= ids:
            return self._missing("a service principal")
        if any(all(each[name] == made[name] for name in key) for each in kept):
            return failure(400, "Request_BadRequest", "Permission entry already exists.")
        kept.append(made)
        return 201, {}, json.dumps(made).encode()
