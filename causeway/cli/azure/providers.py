"""``causeway azure register-providers``: what Azure wants before it makes anything."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer

from causeway.azure.errors import AzureFailed
from causeway.azure.sign_in import CredentialSource, require_sdk
from causeway.cli.shared.azure_options import CredentialOption, target
from causeway.cli.shared.options import JsonOption, PlanOption
from causeway.cli.shared.output import OK, PROBLEMS, print_json, stderr, stdout
from causeway.plan.access import resource_providers
from causeway.plan.document import FILE, Plan, read_plan


def register_providers(
    plan_file: PlanOption = FILE,
    credential: CredentialOption = CredentialSource.ANY,
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=1, max=3600, help="Seconds to wait until all are registered.")
    ] = 600.0,
    as_json: JsonOption = False,
) -> None:
    """Register the resource providers that the plan needs, and wait until Azure has done so; may be repeated.

    Exit code 0 where all are registered, 1 where they are not within the time or Azure cannot be reached, 2 where
    nobody is signed in or the rights are missing.
    """
    plan = read_plan(plan_file)
    require_sdk()
    found = asyncio.run(_register(plan, credential, timeout_s, quiet=as_json))
    ok = all(state == "Registered" for state in found.values())
    if as_json:
        print_json({"ok": ok, "providers": found})
    else:
        for name, state in found.items():
            stdout.print(f"{name}: {state}", markup=False)
        if not ok:
            stdout.print(f"Not all within {timeout_s:g} s: Azure goes on by itself. Run this again to wait longer.")
    raise typer.Exit(OK if ok else PROBLEMS)


async def _register(plan: Plan, source: CredentialSource, timeout_s: float, *, quiet: bool) -> dict[str, str]:
    from causeway.azure.clients import connect  # noqa: PLC0415  # an extra, and slow to load
    from causeway.azure.providers import register  # noqa: PLC0415

    names = resource_providers(plan)
    last = dict.fromkeys(names, "Unknown")
    with stderr.status("Asking Azure …") as status:

        def report(states: Mapping[str, str]) -> None:
            last.update(states)
            waiting = [name for name, state in states.items() if state != "Registered"]
            if waiting and not quiet:
                status.update(f"Waiting for {', '.join(waiting)} …")

        try:
            async with asyncio.timeout(timeout_s), connect(target(plan, source)) as azure:
                await register(azure, names, report)
        except TimeoutError:
            pass
        except AzureFailed:
            status.stop()
            raise
    return last
