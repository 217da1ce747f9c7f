"""The plan's applications are made, mended and consented to once, whatever is there and wherever it is cut off."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from causeway.azure.entra.answers import Registration
from causeway.azure.entra.repair import Made, Repair
from causeway.azure.entra.secret import keep_secret, months_later
from causeway.azure.entra.wanted import changes, planned
from causeway.azure.errors import AzureConflict, AzureForbidden
from causeway.errors import OperatorError
from causeway.plan.applications import ApplicationRole
from causeway.plan.document import Plan
from causeway.plan.values import Target
from tests.unit.azure.fake_graph import DIRECTORY_READ, GRAPH_APP, TENANT, FakeGraph
from tests.unit.azure.graph import entra_plan, tenant

URI = f"api://{TENANT}/contosogateway"
SERVER, CLIENT = ("Contoso cloud management gateway (server)", "Contoso cloud management gateway (client)")
WHOLE = {"applications": 2, "principals": 2, "grants": 1, "assignments": 1, "secrets": 1}


async def create(
    fake: FakeGraph,
    plan: Plan,
    *,
    secret: Path | None = None,
    named: dict[ApplicationRole, str] | None = None,
    told: list[str] | None = None,
    dry_run: bool = False,
    grant_consent: bool = False,
) -> tuple[Made, ...]:
    tell = (told if told is not None else []).append
    async with tenant(fake, plan, named) as (directory, who):
        made = await Repair(directory, who, tell, dry_run=dry_run, grant_consent=grant_consent).run(
            planned(plan, TENANT)
        )
        registration = made[0].found.registration
        if secret is not None and registration is not None:
            await keep_secret(directory.graph, registration, secret, 12)
        return made


async def test_for_our_own_gateway_two_applications_are_made_as_planned_and_the_second_run_changes_nothing() -> None:
    fake = FakeGraph()
    made = await create(fake, entra_plan(), grant_consent=True)
    server, client = fake.applications
    assert (server["displayName"], server["identifierUris"]) == (SERVER, [URI])
    assert server["signInAudience"] == client["signInAudience"] == "AzureADMyOrg"
    (scope,) = server["api"]["oauth2PermissionScopes"]
    assert (scope["value"], scope["type"], scope["isEnabled"]) == ("user_impersonation", "User", True)
    assert client["publicClient"]["redirectUris"] == [f"ms-appx-web://Microsoft.AAD.BrokerPlugin/{client['appId']}"]
    assert client["isFallbackPublicClient"] is True
    wanted = {"resourceAppId": server["appId"], "resourceAccess": [{"id": scope["id"], "type": "Scope"}]}
    assert client["requiredResourceAccess"] == [wanted]
    (grant,) = fake.grants
    assert (grant["consentType"], grant["scope"]) == ("AllPrincipals", "user_impersonation")
    assert fake.state() == WHOLE | {"assignments": 0, "secrets": 0}
    assert [each.missing for each in made] == [(), ()]
    changed: list[str] = []
    fake.written = changed.append
    again = await create(fake, entra_plan(), grant_consent=True)
    assert (changed, [each.done for each in again]) == ([], [(), ()])


async def test_for_configuration_manager_the_server_reads_the_directory_and_both_issue_id_tokens() -> None:
    fake = FakeGraph()
    await create(fake, entra_plan(Target.CONFIGMGR), grant_consent=True)
    server, client = fake.applications
    assert server["web"] == {
        "redirectUris": ["http://localhost"],
        "implicitGrantSettings": {"enableIdTokenIssuance": True},
    }
    assert client["web"]["implicitGrantSettings"] == {"enableIdTokenIssuance": True}
    wanted = {"resourceAppId": GRAPH_APP, "resourceAccess": [{"id": DIRECTORY_READ, "type": "Role"}]}
    assert server["requiredResourceAccess"] == [wanted]
    assert [each["appRoleId"] for each in fake.assignments] == [DIRECTORY_READ]


async def test_a_dry_run_changes_nothing_and_says_what_would_be_done() -> None:
    fake, told, changed = FakeGraph(), list[str](), list[str]()
    fake.written = changed.append
    await create(fake, entra_plan(), dry_run=True, told=told)
    assert (changed, fake.applications) == ([], [])
    assert told[0] == f"would register the server application {SERVER}"


async def test_what_others_set_stays_and_only_what_is_missing_is_added() -> None:
    fake = FakeGraph()
    old = {"id": fake.id(), "value": "other", "isEnabled": True, "type": "Admin", "adminConsentDisplayName": "Other"}
    off = {"id": fake.id(), "value": "user_impersonation", "isEnabled": False, "type": "User"}
    access = {"resourceAppId": fake.id(), "resourceAccess": [{"id": fake.id(), "type": "Scope", "new": 1}]}
    server = fake.application(
        "Anything",
        identifierUris=[URI, "api://old"],
        api={"requestedAccessTokenVersion": 2, "oauth2PermissionScopes": [old, off]},
        web={"redirectUris": ["https://old.example"], "homePageUrl": None, "implicitGrantSettings": None},
        requiredResourceAccess=[access],
        publicClient=None,
    )
    await create(fake, entra_plan(Target.CONFIGMGR))
    assert server["identifierUris"] == [URI, "api://old"]
    assert server["api"] == {
        "requestedAccessTokenVersion": 2,
        "oauth2PermissionScopes": [old, off | {"isEnabled": True}],
    }
    assert server["web"]["redirectUris"] == ["https://old.example", "http://localhost"]
    assert server["requiredResourceAccess"][0] == access
    assert len(server["requiredResourceAccess"]) == 2
    assert server["displayName"] == "Anything"


async def test_a_scope_is_added_beside_others_and_asked_for_twice_is_the_same() -> None:
    fake = FakeGraph()
    old = {"id": fake.id(), "value": "other", "isEnabled": True, "type": "Admin"}
    server = fake.application("Anything", identifierUris=[URI], api={"oauth2PermissionScopes": [old]})
    await create(fake, entra_plan())
    assert [each["value"] for each in server["api"]["oauth2PermissionScopes"]] == ["other", "user_impersonation"]
    application = planned(entra_plan(), TENANT)[0]
    assert changes(application, None, (), "key").body == changes(application, None, (), "key").body
    assert changes(application, None, (), "key").body != changes(application, None, (), "other").body


async def test_what_was_just_made_may_be_unknown_for_a_while() -> None:
    fake = FakeGraph()
    fake.lag = 3
    await create(fake, entra_plan(), grant_consent=True)
    assert fake.state() == WHOLE | {"assignments": 0, "secrets": 0}
    assert sum("not found" in line for line in fake.asked) == 0


class Killed(BaseException):
    """The process is gone."""


def kill_at(fake: FakeGraph, number: int) -> None:
    """Behind the ``number``-th change: it is done, and its answer never comes."""
    left = [number]

    def gone(_: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    fake.written = gone


@pytest.mark.parametrize("lag", [0, 2])
async def test_cut_off_behind_any_change_the_next_run_ends_with_everything_once(tmp_path: Path, lag: int) -> None:
    plan, cuts = entra_plan(Target.CONFIGMGR), 0
    for number in range(1, 50):
        fake, secret = FakeGraph(), tmp_path / f"{lag}-{number}"
        fake.lag = lag
        kill_at(fake, number)
        try:
            await create(fake, plan, grant_consent=True, secret=secret)
            break
        except Killed:
            cuts += 1
        fake.written = None
        await create(fake, plan, grant_consent=True, secret=secret)
        assert fake.state() == WHOLE, number
        assert secret.read_text().startswith("sec~")
        assert secret.stat().st_mode & 0o777 == 0o600
        assert not secret.with_name(f"{secret.name}.pending").exists()
    assert cuts >= 8


async def test_a_name_alone_is_not_trusted_since_any_user_may_register_it() -> None:
    fake = FakeGraph()
    squatter = fake.application(SERVER)
    with pytest.raises(AzureConflict, match=f"{squatter['appId']}; see whose it is, then name it with --server-app ID"):
        await create(fake, entra_plan())
    assert len(fake.applications) == 1
    await create(fake, entra_plan(), named={ApplicationRole.SERVER: squatter["appId"]})
    assert squatter["identifierUris"] == [URI]


async def test_a_permission_of_graphs_is_not_given_to_an_application_that_others_own() -> None:
    fake, told = FakeGraph(), list[str]()
    plan = entra_plan(Target.CONFIGMGR)
    server = fake.application("Anything", identifierUris=[URI])
    fake.owners[server["id"]] = [{"id": fake.id(), "displayName": "Mallory"}]
    made = await create(fake, plan, grant_consent=True, told=told)
    assert fake.assignments == []
    assert [str(each) for each in made[0].missing] == ["Directory.Read.All of Microsoft Graph"]
    assert any("Mallory own the server application" in line for line in told)
    await create(fake, plan, grant_consent=True, named={ApplicationRole.SERVER: server["appId"]})
    assert len(fake.assignments) == 1


async def test_consent_that_is_there_for_other_scopes_is_widened() -> None:
    fake = FakeGraph()
    await create(fake, entra_plan())
    assert fake.grants == []
    client, server = (next(p for p in fake.principals if p["appId"] == a["appId"]) for a in reversed(fake.applications))
    kept: dict[str, Any] = {"id": "g", "clientId": client["id"], "resourceId": server["id"], "scope": "other"}
    fake.grants.append(kept | {"consentType": "AllPrincipals"})
    fake.grants.append(kept | {"id": "h", "consentType": "Principal", "scope": "user_impersonation"})
    await create(fake, entra_plan(), grant_consent=True)
    assert [each["scope"] for each in fake.grants] == ["other user_impersonation", "user_impersonation"]


async def test_who_may_not_consent_is_told_who_may() -> None:
    fake = FakeGraph()
    fake.rights -= {"consent-roles"}
    with pytest.raises(AzureForbidden, match="takes a Privileged Role Administrator: let one run the same command"):
        await create(fake, entra_plan(Target.CONFIGMGR), grant_consent=True)


async def test_one_that_was_deleted_is_restored_by_a_person() -> None:
    fake = FakeGraph()
    gone = fake.application("x", uniqueName="causeway-contosogateway-server")
    fake.applications.remove(gone)
    fake.deleted.append(gone)
    with pytest.raises(AzureConflict, match=f"deletedItems/{gone['id']}/restore`"):
        await create(fake, entra_plan())


async def test_a_secret_is_not_made_again_and_a_strange_file_is_left_alone(tmp_path: Path) -> None:
    fake, secret, plan = FakeGraph(), tmp_path / "secret", entra_plan(Target.CONFIGMGR)
    await create(fake, plan, secret=secret)
    await create(fake, plan, secret=secret)
    assert fake.state()["secrets"] == 1
    strange = tmp_path / "strange"
    strange.write_text("mine")
    with pytest.raises(OperatorError, match="holds no secret of this application"):
        await create(fake, plan, secret=strange)
    assert strange.read_text() == "mine"
    assert Registration.model_validate(fake.applications[0]).password_credentials[0].hint == "sec"


def test_months_end_on_a_day_that_there_is() -> None:
    assert months_later(dt.datetime(2027, 10, 31, tzinfo=dt.UTC), 4) == dt.datetime(2028, 2, 29, tzinfo=dt.UTC)
    assert months_later(dt.datetime(2026, 11, 24, tzinfo=dt.UTC), 12) == dt.datetime(2027, 11, 24, tzinfo=dt.UTC)
