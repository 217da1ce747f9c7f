"""The application registrations in Entra ID that a plan asks for.

Source: Microsoft's "Manually register Microsoft Entra apps for CMG", and the rules of application ID URIs.
"""

from dataclasses import dataclass
from enum import StrEnum

from causeway.plan.document import Plan
from causeway.plan.fact import Fact
from causeway.plan.values import ClientAuthentication, Target

TOPIC = "Application registrations"
SCOPE = "user_impersonation"


class ApplicationRole(StrEnum):
    """What a registration stands for."""

    SERVER = "server"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Application:
    """One registration.

    Attributes:
        role: what it stands for.
        display_name: as it appears in the portal.
        identifier_uri: what tokens are for; ``{tenant_id}`` stands for a tenant that the plan does not name yet.
        web_redirects: redirect URIs of the web platform.
        public_redirects: redirect URIs of mobile and desktop programs; ``{client_id}`` is known once it is registered.
        scope: what it exposes to delegated callers; None for nothing.
        graph_application_permissions: of Microsoft Graph, which need the consent of an administrator.
        delegated_on_server: whether it calls the server application's scope for its user.
        public_client: whether it may ask for tokens without a secret.
        id_token_implicit: whether ID tokens may be issued by the implicit flow.
        secret_months: lifetime of its secret; None where it has none.
        because: what needs it.
    """

    role: ApplicationRole
    display_name: str
    identifier_uri: str | None
    web_redirects: tuple[str, ...]
    public_redirects: tuple[str, ...]
    scope: str | None
    graph_application_permissions: tuple[str, ...]
    delegated_on_server: bool
    public_client: bool
    id_token_implicit: bool
    secret_months: int | None
    because: str


def applications(plan: Plan) -> tuple[Application, ...]:
    """The registrations, the server's first; none where nobody needs Entra tokens."""
    configmgr = plan.target is Target.CONFIGMGR
    entra = ClientAuthentication.ENTRA in plan.clients.authentication
    if not configmgr and not entra:
        return ()
    tenant = plan.azure.tenant_id or "{tenant_id}"
    server = Application(
        role=ApplicationRole.SERVER,
        display_name=f"{plan.organisation} cloud management gateway (server)",
        identifier_uri=f"api://{tenant}/{plan.names.prefix}",
        web_redirects=("http://localhost",) if configmgr else (),
        public_redirects=(),
        scope=SCOPE,
        graph_application_permissions=("Directory.Read.All",) if configmgr and entra else (),
        delegated_on_server=False,
        public_client=False,
        id_token_implicit=configmgr,
        # Our own gateway only verifies tokens that are for this application; it never signs in as it.
        secret_months=12 if configmgr else None,
        because="The site signs in to Azure with it, and clients ask for tokens for it."
        if configmgr
        else "Clients ask for tokens for it, and the gateway takes only those.",
    )
    client = Application(
        role=ApplicationRole.CLIENT,
        display_name=f"{plan.organisation} cloud management gateway (client)",
        identifier_uri=None,
        web_redirects=(),
        public_redirects=("ms-appx-web://Microsoft.AAD.BrokerPlugin/{client_id}",),
        scope=None,
        graph_application_permissions=(),
        delegated_on_server=True,
        public_client=True,
        id_token_implicit=configmgr,
        secret_months=None,
        because="Devices and their users ask for tokens as it, through the broker of Windows.",
    )
    return (server, client)


def facts(plan: Plan) -> tuple[Fact, ...]:
    """Each registration with what is set in it."""
    found = []
    for each in applications(plan):
        parts = [each.display_name]
        if each.identifier_uri:
            parts.append(f"ID URI {each.identifier_uri}")
        if each.scope:
            parts.append(f"scope {each.scope}")
        parts += [f"redirect {uri}" for uri in (*each.web_redirects, *each.public_redirects)]
        parts += [f"Graph permission {name}, with consent" for name in each.graph_application_permissions]
        if each.public_client:
            parts.append("public client flows allowed")
        if each.secret_months:
            parts.append(f"a secret for {each.secret_months} months, renewed before it ends")
        found.append(Fact(TOPIC, f"{each.role.capitalize()} application", "; ".join(parts), each.because))
    if not found:
        found.append(
            Fact(
                TOPIC,
                "Applications",
                "none",
                "No client authenticates with Entra ID, and our own gateway needs no other.",
            )
        )
    return tuple(found)
