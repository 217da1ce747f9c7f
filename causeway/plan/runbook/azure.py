"""Steps in Azure and Entra ID that both kinds of gateway share."""

from collections.abc import Sequence
from pathlib import Path

from causeway.clouds import CLOUDS
from causeway.plan.access import custom_roles, resource_providers
from causeway.plan.applications import Application, applications
from causeway.plan.document import Plan
from causeway.plan.runbook.step import Command, Step, Who, console, sh
from causeway.plan.values import Target

SUBSCRIPTION = "<subscription id>"
WHO = "<object id of the person>"


def subscription(plan: Plan) -> str:
    """Its id, or what stands for it."""
    return plan.azure.subscription_id or SUBSCRIPTION


def sign_in(plan: Plan) -> Step:
    """The Azure CLI at the right cloud, tenant and subscription."""
    login = ("az", "login", *(("--tenant", plan.azure.tenant_id) if plan.azure.tenant_id else ()))
    return Step(
        "sign-in",
        f"Sign in to {CLOUDS[plan.azure.cloud].title}",
        Who.AZURE,
        "Every command below works in the subscription that is chosen here.",
        (
            sh("az", "cloud", "set", "--name", CLOUDS[plan.azure.cloud].cli_name),
            sh(*login),
            sh("az", "account", "set", "--subscription", subscription(plan)),
        ),
        (sh("az", "account", "show", "--query", "{subscription:id, tenant:tenantId, state:state}"),),
        ("plan",),
    )


def roles(plan: Plan, file: Path) -> Step:
    """The rights of who deploys."""
    scope = f"/subscriptions/{subscription(plan)}"
    group = f"{scope}/resourceGroups/{plan.azure.resource_group}"
    if plan.target is Target.CONFIGMGR:
        return Step(
            "roles",
            "Make who runs the wizard Owner of the subscription, while it is made",
            Who.AZURE,
            "Microsoft documents Owner for creating the gateway. Afterwards the server application's Contributor on "
            "the resource group is enough.",
            (_assign("Owner", scope),),
            (_assigned(scope),),
            ("sign-in",),
        )
    preflight, deployment = (role["Name"] for role in custom_roles(plan))
    commands: list[Command] = []
    for which in ("preflight", "deployment"):
        commands += [
            sh("causeway", "plan", "roles", str(file), "--only", which, ">", f"{which}.json"),
            sh("az", "role", "definition", "create", "--role-definition", f"@{which}.json"),
        ]
    return Step(
        "roles",
        "Give who deploys the least rights that serve",
        Who.AZURE,
        "Contributor and User Access Administrator would do, too, and far more. A new role takes some minutes to be "
        "known everywhere.",
        (*commands, _assign(preflight, scope), _assign(deployment, group)),
        (_assigned(group),),
        ("sign-in", "resource-group"),
    )


def resource_group(plan: Plan) -> Step:
    """The resource group, made or looked at."""
    name, region = plan.azure.resource_group, plan.azure.region
    look = sh(
        "az", "group", "show", "--name", name, "--query", "location", "--output", "tsv", note=f"must say {region}"
    )
    if plan.azure.resource_group_exists:
        return Step(
            "resource-group",
            f"See that {name} is in {region}",
            Who.AZURE,
            "In another region everything is made but the scale set, and the deployment ends in an error.",
            (),
            (look,),
            ("sign-in",),
        )
    return Step(
        "resource-group",
        f"Make the resource group {name}",
        Who.AZURE,
        "Rights can be given within it, and all of the gateway goes away with it.",
        (sh("az", "group", "create", "--name", name, "--location", region),),
        (look,),
        ("sign-in",),
    )


def providers(plan: Plan, file: Path) -> Step:
    """The resource providers."""
    names = resource_providers(plan)
    query = (
        "[?"
        + " || ".join(f"namespace=='{name}'" for name in names)
        + "].{namespace:namespace, state:registrationState}"
    )
    return Step(
        "providers",
        "Register the resource providers",
        Who.AZURE,
        "With one missing the deployment fails late, and the message rarely says so.",
        (
            sh("causeway", "azure", "register-providers", "--plan", str(file), note="the commands below do the same"),
            *(sh("az", "provider", "register", "--wait", "--namespace", name) for name in names),
        ),
        (sh("az", "provider", "list", "--query", query, "--output", "table"),),
        ("sign-in",),
    )


def names_free(plan: Plan, file: Path) -> Step:
    """Nobody else has the names."""
    prefix = plan.names.prefix
    return Step(
        "names",
        f"See that {prefix} is free as DNS label, key vault and storage account",
        Who.AZURE,
        "The last two must be free in all of Azure, deleted vaults included. Found out later, it ends the deployment "
        "halfway.",
        (
            sh("causeway", "check", "--plan", str(file), "--only", "names"),
            sh("az", "storage", "account", "check-name", "--name", prefix),
            sh("az", "keyvault", "check-name", "--name", prefix),
        ),
        (sh("az", "keyvault", "list-deleted", "--query", f"[?name=='{prefix}']"),),
        ("sign-in", "providers"),
    )


def entra_applications(plan: Plan, file: Path) -> tuple[Step, ...]:
    """The application registrations and the consent to what they may do: by causeway, or by hand."""
    wanted = applications(plan)
    if not wanted:
        return ()
    found = [
        Step(
            "applications",
            "Register the applications",
            Who.ENTRA,
            "Clients ask Entra ID for tokens for them"
            + (", and the site signs in to Azure as the server's." if plan.target is Target.CONFIGMGR else "."),
            (_apps(plan, file), *(_create(each) for each in wanted)),
            (sh("causeway", "check", "--plan", str(file), "--only", "entra", note=_consent_comes_next(wanted)),),
            ("sign-in",),
        )
    ]
    permissions = [name for each in wanted for name in each.graph_application_permissions]
    if permissions:
        found.append(
            Step(
                "consent",
                f"Consent to {', '.join(permissions)} of Microsoft Graph",
                Who.ENTRA,
                "It takes a Privileged Role Administrator; without it users are not discovered.",
                (
                    sh(
                        *("causeway", "azure", "apps", "create", "--plan", str(file), "--grant-consent"),
                        note="consents to what the client application asks for, too",
                    ),
                    sh(
                        *("az", "ad", "app", "permission", "admin-consent", "--id"),
                        "<client id of the server application>",
                        note="by hand, instead",
                    ),
                ),
                (
                    console(
                        "Entra admin center: Applications, App registrations, the server application, API permissions",
                        f"{', '.join(permissions)} is shown as granted",
                    ),
                ),
                ("applications",),
            )
        )
    return tuple(found)


def _consent_comes_next(wanted: Sequence[Application]) -> str:
    return "all but consent, which comes next" if any(each.graph_application_permissions for each in wanted) else ""


def _apps(plan: Plan, file: Path) -> Command:
    secret = any(each.secret_months for each in applications(plan))
    parts = ["causeway", "azure", "apps", "create", "--plan", str(file)]
    if plan.target is Target.CAUSEWAY:
        parts.append("--grant-consent")  # to delegated permissions alone, which whoever registers them may consent to
    if secret:
        parts += ["--secret-file", "server-application.secret"]
    return sh(*parts, note="does all of it, and prints what the site is told of them; what follows is by hand, instead")


def _create(application: Application) -> Command:
    """What ``az`` can say of a registration in one line; scopes and consent are settled in the portal."""
    parts = ["az", "ad", "app", "create", "--display-name", application.display_name]
    parts += ["--sign-in-audience", "AzureADMyOrg"]
    if application.identifier_uri is not None:
        parts += ["--identifier-uris", application.identifier_uri.replace("{tenant_id}", "<tenant id>")]
    if application.web_redirects:
        parts += ["--web-redirect-uris", *application.web_redirects]
    if application.public_client:
        parts.append("--is-fallback-public-client")
    return sh(*parts, note="what is more than this line is set in the portal, as `causeway plan show` lists it")


def _assign(role: str, scope: str) -> Command:
    return sh("az", "role", "assignment", "create", "--assignee", WHO, "--role", role, "--scope", scope)


def _assigned(scope: str) -> Command:
    return sh(
        "az", "role", "assignment", "list", "--assignee", WHO, "--scope", scope, "--include-inherited", "--output",
        "table",
    )  # fmt: skip
