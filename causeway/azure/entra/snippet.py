"""What the site is told of the applications: the ``[[entra_tenant]]`` table, or what the console asks. Pure."""

import json
import re
from dataclasses import dataclass
from typing import Any

from causeway.azure.entra.answers import Registration
from causeway.clouds import CloudName
from causeway.plan.applications import SCOPE, Application
from causeway.plan.document import Plan

_MAX_NAME_CHARS = 60


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids that an administrator pastes.

    Attributes:
        tenant_id: of the tenant.
        server: the server application, as planned.
        server_registration: as it is.
        client_registration: as it is.
    """

    tenant_id: str
    server: Application
    server_registration: Registration
    client_registration: Registration


def table(plan: Plan, ids: Ids) -> dict[str, Any]:
    """The site's table for the tenant. Tokens of version 1 are for the ID URI, those of version 2 for the id."""
    return {
        "tenant_id": ids.tenant_id,
        "name": re.sub(r"[^A-Za-z0-9._ -]", "", plan.organisation)[:_MAX_NAME_CHARS].strip(),
        "cloud": str(CloudName(plan.azure.cloud)),
        "audiences": [
            *([ids.server.identifier_uri] if ids.server.identifier_uri else []),
            ids.server_registration.app_id,
        ],
        "client_app_ids": [ids.client_registration.app_id],
        "scopes": [SCOPE],
    }


def toml(values: dict[str, Any]) -> str:
    """The table, as it goes into ``site.toml``."""
    lines = ["[[entra_tenant]]"]
    # JSON's strings and lists of strings are TOML's, too.
    lines += [f"{name} = {json.dumps(value, ensure_ascii=True)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def wizard(plan: Plan, ids: Ids) -> dict[str, str]:
    """What Configuration Manager asks where the applications are imported, in its order."""
    return {
        "Tenant name": plan.organisation,
        "Tenant ID": ids.tenant_id,
        "Server application name": ids.server_registration.display_name or "",
        "Server client ID": ids.server_registration.app_id,
        "App ID URI": ids.server.identifier_uri or "",
        "Client application name": ids.client_registration.display_name or "",
        "Client client ID": ids.client_registration.app_id,
    }
