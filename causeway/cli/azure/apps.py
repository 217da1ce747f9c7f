"""``causeway azure apps``: the application registrations of a plan, made, mended and shown."""

import asyncio
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from causeway.azure.sign_in import CredentialSource, login_command
from causeway.cli.shared.azure_options import CredentialOption
from causeway.cli.shared.entra_options import ClientApp, ServerApp, app_ids, open_directory
from causeway.cli.shared.help import examples, pointer
from causeway.cli.shared.options import JsonOption, PlanOption, TimeoutOption
from causeway.cli.shared.output import print_json, stderr, stdout
from causeway.clouds import CLOUDS
from causeway.errors import OperatorError
from causeway.plan.applications import ApplicationRole, applications
from causeway.plan.document import FILE, Plan, read_plan
from causeway.plan.values import Target

if TYPE_CHECKING:
    from causeway.azure.entra.repair import Made
    from causeway.azure.entra.secret import Kept

app = typer.Typer(
    no_args_is_help=True,
    help="The applications that a plan needs in Entra ID.",
    epilog=pointer("azure.md#applications-in-entra-id"),
)


@app.callback()
def apps() -> None:
    """The applications that a plan needs in Entra ID."""


@dataclass(frozen=True, slots=True)
class _Order:
    """What to do."""

    plan: Plan
    plan_file: Path
    source: CredentialSource
    named: dict[ApplicationRole, str]
    timeout_s: float
    dry_run: bool
    grant_consent: bool
    secret_file: Path | None


@app.command(
    epilog=examples(
        "causeway azure apps create --dry-run", "causeway azure apps create --secret-file server-app.secret"
    )
)
def create(
    plan: PlanOption = FILE,
    credential: CredentialOption = CredentialSource.ANY,
    server_app: ServerApp = None,
    client_app: ClientApp = None,
    grant_consent: Annotated[
        bool, typer.Option("--grant-consent", help="Consent for everybody in the tenant to what they ask for.")
    ] = False,
    secret_file: Annotated[
        Path | None,
        typer.Option("--secret-file", help="Where the server application's secret goes, if it needs one; mode 0600."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    timeout_s: TimeoutOption = 300.0,
    as_json: JsonOption = False,
) -> None:
    """Register the plan's applications in Entra ID, and mend those that are there already.

    What it does, and what is left to others, goes to standard error; what the site is told of the applications, to
    standard output. Nothing that is there is taken away. Cut off at any moment, the next run goes on from there.
    """
    document = read_plan(plan)
    _run(
        _Order(
            document,
            plan,
            credential,
            app_ids(server_app, client_app),
            timeout_s,
            dry_run=dry_run,
            grant_consent=grant_consent,
            secret_file=secret_file,
        ),
        as_json=as_json,
    )


@app.command(epilog=examples("causeway azure apps show --json"))
def show(
    plan: PlanOption = FILE,
    credential: CredentialOption = CredentialSource.ANY,
    server_app: ServerApp = None,
    client_app: ClientApp = None,
    timeout_s: TimeoutOption = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Show what the site is told of the applications, and what they lack; changes nothing."""
    named = app_ids(server_app, client_app)
    order = _Order(
        read_plan(plan), plan, credential, named, timeout_s, dry_run=True, grant_consent=False, secret_file=None
    )
    _run(order, as_json=as_json)


def _run(order: _Order, *, as_json: bool) -> None:
    if not applications(order.plan):
        if as_json:
            print_json({"applications": [], "done": [], "left": []})
        else:
            stdout.print("No client authenticates with Entra ID, and our own gateway needs no application.")
        return
    found = asyncio.run(_work(order))
    for line in found["left"]:
        _tell(f"left: {line}")
    if as_json:
        print_json(found)
    elif "toml" in found:
        stdout.print(found["toml"], markup=False, soft_wrap=True, end="")
    else:
        for title, value in found.get("wizard", {}).items():
            stdout.print(f"{title}: {value}", markup=False, soft_wrap=True)


async def _work(order: _Order) -> dict[str, Any]:
    from causeway.azure.entra import repair, secret  # noqa: PLC0415  # loads an HTTP client
    from causeway.azure.entra.wanted import planned  # noqa: PLC0415

    plan = order.plan
    async with open_directory(plan, order.source, order.named, order.timeout_s) as (directory, who):
        organization = await directory.organization()
        if plan.azure.tenant_id not in {None, organization.id}:
            login = login_command(CLOUDS[plan.azure.cloud], plan.azure.tenant_id)
            raise OperatorError(
                f"signed in to tenant {organization.id}, and the plan's is {plan.azure.tenant_id}; sign in there: "
                f"{login}"
            )
        _tell(f"tenant {organization.display_name or ''} {organization.id}, as {who}")
        mender = repair.Repair(directory, who, _tell, dry_run=order.dry_run, grant_consent=order.grant_consent)
        made = await mender.run(planned(plan, organization.id))
        server = made[0]
        months, registration = server.found.application.secret_months, server.found.registration
        kept = None
        if order.secret_file and not months:
            _tell("the server application needs no secret: none is made")
        if months and order.secret_file and registration and not order.dry_run:
            kept = await secret.keep_secret(directory.graph, registration, order.secret_file, months)
            if kept.made:
                _tell(f"make a secret of the server application, in {kept.file}")
    return _report(order, organization.id, made, kept)


def _report(order: _Order, tenant_id: str, made: "tuple[Made, ...]", kept: "Kept | None") -> dict[str, Any]:
    from causeway.azure.entra import snippet  # noqa: PLC0415
    from causeway.azure.entra.secret import alive_secrets  # noqa: PLC0415

    found: dict[str, Any] = {
        "tenant_id": tenant_id,
        "dry_run": order.dry_run,
        "applications": [_application(each) for each in made],
        "would" if order.dry_run else "done": [line for each in made for line in each.done],
        "left": _left(order, made, kept),
        "secret": kept and {"file": str(kept.file), "ends": kept.ends, "key_id": kept.key_id, "made": kept.made},
    }
    registrations = {each.found.application.role: each.found.registration for each in made}
    server, client = registrations.get(ApplicationRole.SERVER), registrations.get(ApplicationRole.CLIENT)
    if server and client:
        ids = snippet.Ids(tenant_id, made[0].found.application, server, client)
        if order.plan.target is Target.CONFIGMGR:
            ends = kept.ends if kept else next((each.end_date_time for each in alive_secrets(server)), None)
            found["wizard"] = snippet.wizard(order.plan, ids) | {
                "Secret key expiry": f"{ends:%Y-%m-%d}" if ends else ""
            }
        else:
            found["entra_tenant"] = snippet.table(order.plan, ids)
            found["toml"] = snippet.toml(found["entra_tenant"])
    return found


def _application(made: "Made") -> dict[str, Any]:
    found = made.found
    return {
        "role": found.application.role,
        "display_name": found.application.display_name,
        "found": found.by or None,
        "application_id": found.registration and found.registration.app_id,
        "object_id": found.registration and found.registration.id,
        "service_principal_id": found.principal and found.principal.id,
        "missing_consent": [str(each) for each in made.missing],
    }


def _left(order: _Order, made: "tuple[Made, ...]", kept: "Kept | None") -> list[str]:
    from causeway.azure.entra.secret import alive_secrets  # noqa: PLC0415
    from causeway.azure.entra.wanted import Kind  # noqa: PLC0415
    from causeway.azure.entra.who import LEAST, Task  # noqa: PLC0415

    command = f"causeway azure apps create --plan {shlex.quote(str(order.plan_file))}"
    lines = []
    for each in made:
        role = each.found.application.role
        lines += [f"the {role} application: {line}" for line in each.left]
        if each.found.principal is not None and each.found.principal.account_enabled is False:
            lines.append(
                f"the service principal of the {role} application is disabled; where that was not on purpose: `az ad "
                f"sp update --id {each.found.principal.id} --set accountEnabled=true`"
            )
        for permission in each.missing:
            task = Task.CONSENT_TO_ROLES if permission.kind is Kind.APPLICATION else Task.CONSENT
            lines.append(
                f"consent to {permission} for the {role} application: a {LEAST[task]} runs `{command} --grant-consent`"
            )
    server = made[0].found
    wants = server.application.secret_months and kept is None
    if wants and (server.registration is None or not alive_secrets(server.registration)):
        lines.append(f"a secret of the server application: `{command} --secret-file FILE`")
    return lines


def _tell(line: str) -> None:
    stderr.print(line, markup=False, soft_wrap=True)
