"""What is seen in Entra ID becomes checks, each failure with the command that mends it."""

import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from causeway.azure.entra.directory import Directory
from causeway.azure.entra.repair import Repair
from causeway.azure.entra.wanted import planned
from causeway.azure.entra.who import SignedIn, signed_in
from causeway.observability.checks import CheckResult, Status
from causeway.plan.applications import ApplicationRole
from causeway.plan.document import Plan
from causeway.plan.values import Target
from causeway.preflight import entra, entra_results
from causeway.preflight.probe import run_probes
from tests.unit.azure.fake_graph import APPLICATION, TENANT, USER, FakeGraph, access_token, failure
from tests.unit.azure.graph import entra_plan, tenant
from tests.unit.plan.plans import contoso

FILE = Path("plan.toml")
CREATE = "causeway azure apps create --plan plan.toml"


async def check(
    fake: FakeGraph, plan: Plan, token: str = USER, named: dict[ApplicationRole, str] | None = None
) -> list[CheckResult]:
    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[tuple[Directory, SignedIn]]:
        async with tenant(fake, plan, named, token) as both:
            yield both

    return await run_probes(entra.probes(plan, FILE, opened), timeout_s=20)


async def made(plan: Plan, *, consent: bool = True) -> FakeGraph:
    """A tenant in which everything is as planned, but for a secret."""
    fake = FakeGraph()
    async with tenant(fake, plan) as (directory, who):
        await Repair(directory, who, lambda _: None, grant_consent=consent).run(planned(plan, TENANT))
    return fake


def of(results: list[CheckResult], name: str, target: str = "") -> CheckResult:
    return next(each for each in results if each.name == name and each.target.startswith(target))


def secret(days: float) -> dict[str, Any]:
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    return {"keyId": "00000000-0000-0000-0000-0000000000ff", "displayName": "mine", "endDateTime": ends.isoformat()}


async def test_a_plan_without_entra_skips_and_signs_nobody_in() -> None:
    def never() -> Any:
        raise AssertionError

    (only,) = await run_probes(entra.probes(contoso(), FILE, never), timeout_s=5)
    assert (only.status, only.details) == (
        Status.SKIP,
        "no client authenticates with Entra ID, and our own gateway needs no application",
    )


@pytest.mark.parametrize("target", Target)
async def test_everything_as_planned_passes(target: Target) -> None:
    fake = await made(entra_plan(target))
    fake.applications[0]["passwordCredentials"] = [secret(200)]
    results = await check(fake, entra_plan(target))
    assert [each for each in results if each.status in {Status.FAIL, Status.WARN}] == []
    assert {each.name for each in results} == set(entra_results.CHECKS)
    assert of(results, "entra sign-in").target == "Contoso (contoso.onmicrosoft.com)"


async def test_an_empty_tenant_fails_with_the_command_that_makes_them() -> None:
    fake = FakeGraph()
    fake.roles = ["Cloud Application Administrator"]
    results = await check(fake, entra_plan())
    assert [(each.status, each.action) for each in results if each.name == "entra application"] == [
        (Status.FAIL, f"Make it: `{CREATE}`.")
    ] * 2
    role = of(results, "entra role")
    assert role.status is Status.PASS, role
    assert role.details.startswith("Cloud Application Administrator: may register the applications")


async def test_another_tenant_fails_with_the_command_that_signs_in() -> None:
    fake = await made(entra_plan())
    fake.tenant = "99999999-0000-0000-0000-000000000000"
    result = of(await check(fake, entra_plan()), "entra sign-in")
    assert result.status is Status.FAIL
    assert result.action == f"Sign in there: `az login --tenant {TENANT}`."
    result = of(await check(fake, contoso(azure__tenant_id=None, target=Target.CONFIGMGR)), "entra sign-in")
    assert (result.status, result.action) == (Status.WARN, f'Set tenant_id = "{fake.tenant}" in [azure].')


@pytest.mark.parametrize(
    ("name", "change", "status", "said", "action"),
    [
        ("entra settings", lambda s, c: c.update(isFallbackPublicClient=False), Status.FAIL,
         "public client flows are not allowed", f"Mend it: `{CREATE}`."),
        ("entra settings", lambda s, c: c.update(publicClient={"redirectUris": []}), Status.FAIL,
         "the redirect URI ms-appx-web://Microsoft.AAD.BrokerPlugin/", f"Mend it: `{CREATE}`."),
        ("entra settings", lambda s, c: s.update(identifierUris=[]), Status.FAIL, "the ID URI api://", "Mend it:"),
        ("entra settings", lambda s, c: c.update(requiredResourceAccess=[]), Status.FAIL,
         "the permission user_impersonation of the server application is not asked for", "Mend it:"),
        ("entra settings", lambda s, c: s.update(signInAudience="AzureADMultipleOrgs"), Status.WARN,
         "its audience is AzureADMultipleOrgs", "Narrow it: `az ad app update --id"),
        ("entra secret", lambda s, c: s.update(passwordCredentials=[secret(-3)]), Status.FAIL,
         "the last of them ended on", f"Make one: `{CREATE} --secret-file FILE`"),
        ("entra secret", lambda s, c: s.update(passwordCredentials=[secret(29), secret(-3)]), Status.WARN,
         "in 28 days", f"Make one: `{CREATE} --secret-file FILE`"),
        ("entra secret", lambda s, c: s.update(passwordCredentials=[]), Status.FAIL,
         "has neither a secret nor a certificate", "Make one:"),
        ("entra secret", lambda s, c: s.update(passwordCredentials=[], keyCredentials=[secret(99)]), Status.PASS,
         "mine ends on", ""),
    ],
)  # fmt: skip
async def test_what_differs_is_said_with_what_mends_it(
    name: str, change: Any, status: Status, said: str, action: str
) -> None:
    plan = entra_plan(Target.CONFIGMGR)
    fake = await made(plan)
    fake.applications[0]["passwordCredentials"] = [secret(200)]
    change(*fake.applications)
    wrong = [each for each in await check(fake, plan) if each.name == name and said in each.details]
    assert [each.status for each in wrong] == [status]
    assert wrong[0].action.startswith(action)


async def test_a_disabled_service_principal_and_a_missing_one_fail() -> None:
    fake = await made(entra_plan())
    fake.principals[1]["accountEnabled"] = False
    del fake.principals[2]
    results = await check(fake, entra_plan())
    server, client = (of(results, "entra service principal", role) for role in ("server", "client"))
    assert "is disabled" in server.details
    assert server.action.endswith(f"`az ad sp update --id {fake.principals[1]['id']} --set accountEnabled=true`.")
    assert (client.details, client.action) == ("has none, so nobody gets tokens", f"Make it: `{CREATE}`.")


async def test_missing_consent_names_who_gives_it() -> None:
    plan = entra_plan(Target.CONFIGMGR)
    results = await check(await made(plan, consent=False), plan)
    server, client = (of(results, "entra consent", role) for role in ("server", "client"))
    assert server.action == f"A Privileged Role Administrator consents: `{CREATE} --grant-consent`."
    assert client.action == f"A Cloud Application Administrator consents: `{CREATE} --grant-consent`."
    assert of(results, "entra role").status is Status.FAIL


async def test_others_of_the_same_name_are_said() -> None:
    fake = await made(entra_plan())
    other = fake.application(fake.applications[0]["displayName"])
    result = of(await check(fake, entra_plan()), "entra duplicates", "server")
    assert (result.status, result.details) == (Status.WARN, f"others have the same name: {other['appId']}")
    empty = FakeGraph()
    twins = [empty.application("Contoso cloud management gateway (server)") for _ in range(2)]
    result = of(await check(empty, entra_plan()), "entra application", "server")
    assert all(each["appId"] in result.details for each in twins)
    assert "--server-app ID" in result.action
    named = await check(empty, entra_plan(), named={ApplicationRole.SERVER: twins[1]["appId"]})
    assert of(named, "entra application", "server").status is Status.PASS
    assert of(named, "entra settings", "server").action == f"Mend it: `{CREATE} --server-app {twins[1]['appId']}`."


async def test_a_role_that_is_eligible_is_to_be_activated_and_a_missing_one_to_be_given() -> None:
    fake = FakeGraph()
    fake.roles, fake.eligible = ["Directory Readers"], ["Global Administrator"]
    result = of(await check(fake, entra_plan(Target.CONFIGMGR)), "entra role")
    assert result.status is Status.WARN
    assert "Privileged Identity Management, My roles, Global Administrator, Activate" in result.action
    fake.eligible = None  # not readable, as without its licence
    result = of(await check(fake, entra_plan()), "entra role")
    assert result.status is Status.FAIL
    assert "give the role Cloud Application Administrator" in result.action


async def test_an_application_is_judged_by_its_own_permissions() -> None:
    fake = FakeGraph()
    result = of(await check(fake, entra_plan(), APPLICATION), "entra role")
    assert result.status is Status.FAIL
    assert "may not consent to delegated permissions" in result.details
    assert "give the permission DelegatedPermissionGrant.ReadWrite.All" in result.action


async def test_what_may_not_be_read_fails_with_who_grants_it() -> None:
    fake = FakeGraph()
    fake.instead = lambda method, target: (
        failure(403, "Authorization_RequestDenied", "Insufficient privileges") if "/applications" in target else None
    )
    results = await check(fake, entra_plan())
    assert [each.status for each in results] == [Status.PASS, Status.FAIL]
    assert results[1].action.startswith("Have the roles granted that `causeway plan show` lists")


def test_who_is_signed_in_is_read_out_of_any_claims() -> None:
    assert str(signed_in({})) == ""
    assert not signed_in({"roles": "x", "tid": 7, "oid": ["a"], "scp": "x"}).is_application
    assert signed_in({"roles": ["a", 7], "appid": "b"}).permissions == {"a"}
    assert access_token(tid="x").count(".") == 2
