"""``causeway azure whoami``: whether signing in works, and who that is."""

import asyncio
from typing import Any

import typer

from causeway.azure.errors import AzureUnreachable
from causeway.azure.sign_in import CredentialSource, require_sdk
from causeway.cli.shared.azure_options import CredentialOption
from causeway.cli.shared.options import JsonOption, PlanOption, TimeoutOption
from causeway.cli.shared.output import OK, PROBLEMS, print_json, stdout
from causeway.clouds import CLOUDS, Cloud
from causeway.plan.document import FILE, read_plan


def whoami(
    plan: PlanOption = FILE,
    credential: CredentialOption = CredentialSource.ANY,
    timeout_s: TimeoutOption = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Sign in to the plan's cloud and tenant, and show as whom.

    Exit code 0 where that works and the tenant is the plan's, 1 where the tenant is another or Azure cannot be
    reached, 2 where nobody is signed in.
    """
    document = read_plan(plan)
    require_sdk()
    cloud, tenant_id = CLOUDS[document.azure.cloud], document.azure.tenant_id
    found = asyncio.run(_within(timeout_s, cloud, credential, tenant_id, document.proxy.url))
    same = tenant_id is None or str(found["tenant_id"]).lower() == tenant_id.lower()
    if as_json:
        print_json({"ok": same, **found, "planned_tenant_id": tenant_id})
    else:
        for title, key in (
            ("Cloud", "cloud"),
            ("Credentials", "credential"),
            ("Tenant", "tenant_id"),
            ("Name", "name"),
            ("Application", "application_id"),
            ("Object", "object_id"),
        ):
            if found[key]:
                stdout.print(f"{title}: {found[key]}", markup=False, soft_wrap=True)
        if not same:
            stdout.print(f"The plan's tenant is {tenant_id}, so nothing will be found there.", markup=False)
    raise typer.Exit(OK if same else PROBLEMS)


async def _within(
    timeout_s: float, cloud: Cloud, source: CredentialSource, tenant_id: str | None, proxy: str | None
) -> dict[str, Any]:
    from causeway.azure.credentials import signed_in, token_claims  # noqa: PLC0415  # an extra, and slow to load

    try:
        async with (
            asyncio.timeout(timeout_s),
            signed_in(cloud, source=source, tenant_id=tenant_id, proxy=proxy) as credential,
        ):
            claims = token_claims(await credential.get_token(cloud.resource_manager_scope))
    except TimeoutError:
        raise AzureUnreachable(f"no token within {timeout_s:g} s; try again with a longer --timeout") from None
    return {
        "cloud": cloud.title,
        "credential": credential.used,
        "tenant_id": claims.get("tid"),
        "name": claims.get("upn") or claims.get("unique_name"),
        "application_id": claims.get("appid") or claims.get("azp"),
        "object_id": claims.get("oid"),
    }
