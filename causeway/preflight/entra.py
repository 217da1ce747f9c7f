"""Entra ID: who is signed in, whether that is enough, and whether the plan's applications are as it needs them."""

import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from causeway.azure.entra.answers import Principal
from causeway.azure.entra.directory import Directory, Found, granted
from causeway.azure.entra.wanted import GRAPH_APP_ID, Permission, changes, planned, unique_name
from causeway.azure.entra.who import SignedIn
from causeway.azure.errors import AzureFailed
from causeway.observability.checks import CheckResult, Status
from causeway.plan.applications import applications
from causeway.plan.document import Plan
from causeway.preflight import entra_results as results
from causeway.preflight.entra_results import Seen
from causeway.preflight.probe import Probe

Opened = Callable[[], AbstractAsyncContextManager[tuple[Directory, SignedIn]]]
"""Signs in, and gives the tenant to ask and who that is."""


def probes(plan: Plan, plan_file: Path, opened: Opened) -> tuple[Probe, ...]:
    """What to look at.

    Args:
        plan: the plan.
        plan_file: where it is, for the commands.
        opened: signs in.
    """
    wanted = applications(plan)

    async def look() -> Sequence[CheckResult]:
        if not wanted:
            why = "no client authenticates with Entra ID, and our own gateway needs no application"
            return [CheckResult(results.SIGN_IN, "Entra ID", Status.SKIP, why)]
        async with opened() as (directory, who):
            return [result async for result in _look(_Look(plan, plan_file, directory, who))]

    return (Probe(results.SIGN_IN, plan.azure.tenant_id or "the tenant", look),)


@dataclass(slots=True)
class _Look:
    plan: Plan
    plan_file: Path
    directory: Directory
    who: SignedIn
    seen: list[Seen] = field(default_factory=list)


async def _look(this: _Look) -> AsyncIterator[CheckResult]:
    try:
        organization = await this.directory.organization()
    except AzureFailed as error:
        yield results.failed(results.SIGN_IN, str(this.who), error)
        return
    yield results.sign_in(this.plan, organization, this.who)
    try:
        for application in planned(this.plan, organization.id):
            this.seen.append(await _seen(this, await this.directory.find(application)))
    except AzureFailed as error:
        yield results.failed(results.APPLICATION, "the plan's applications", error)
    for seen in this.seen:
        for result in results.application(seen, this.plan_file, dt.datetime.now(dt.UTC)):
            yield result
    if len(this.seen) == len(applications(this.plan)):
        yield await _role(this)


async def _seen(this: _Look, found: Found) -> Seen:
    application = found.application
    server = next((each.found.registration for each in this.seen), None)
    server_principal = next((each.found.principal for each in this.seen), None)
    permissions = await this.directory.permissions(application, server)
    found = await this.directory.consented(found)
    difference = changes(application, found.registration, permissions, unique_name(this.plan, application.role))
    missing: list[Permission] = []
    for each in permissions:
        resource: Principal | None = server_principal
        if each.resource_app_id == GRAPH_APP_ID:
            resource = await this.directory.principal(GRAPH_APP_ID)
        if not granted(found, each, resource):
            missing.append(each)
    waiting = application.delegated_on_server and not any(each.resource_app_id != GRAPH_APP_ID for each in permissions)
    return Seen(found, difference, permissions, tuple(missing), waiting=waiting)


async def _role(this: _Look) -> CheckResult:
    tasks = results.tasks(this.seen)
    if not tasks:
        return results.no_role_needed(this.who)
    try:
        held = await this.directory.roles(this.who)
    except AzureFailed as error:
        if not this.who.is_application:
            return results.failed(results.ROLE, str(this.who), error)
        held = frozenset()  # an application may lack the right to read them, and its permissions may be enough
    eligible = None if this.who.is_application else await this.directory.eligible()
    return results.role(this.who, tasks, held, eligible)
