"""Signing in: the real command and the real SDK against the fake of Azure."""

import json
from pathlib import Path

import pytest

from tests.system.azure.running import APPLICATION, SECRET, TENANT, FakeAzure
from tests.system.plan.running import CONTOSO, plan

OTHER = "99999999-0000-0000-0000-000000000009"


def plan_of(azure: FakeAzure) -> str:
    return str(azure.folder / "causeway-plan.toml")


def test_the_environments_application_is_shown_with_its_tenant(azure: FakeAzure) -> None:
    done = azure.causeway("azure", "whoami", "--plan", plan_of(azure), "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert (shown["ok"], shown["credential"], shown["tenant_id"]) == (True, "environment", TENANT)
    assert shown["application_id"] == APPLICATION
    assert {each["host"] for each in azure.requests()} == {"login.microsoftonline.com"}


def test_the_government_cloud_is_asked_at_its_own_host(azure: FakeAzure) -> None:
    file = azure.folder / "government.toml"
    if not file.exists():
        made = ("--cloud=us-government", "--region=usgovvirginia", "--out", str(file))
        assert plan(azure.folder, "new", *CONTOSO, *made).returncode == 0
    done = azure.causeway("azure", "whoami", "--plan", str(file))
    assert done.returncode == 0, done.stderr
    assert {each["host"] for each in azure.requests()} == {"login.microsoftonline.us"}


def test_the_azure_cli_is_asked_for_the_tenant_of_the_plan(azure: FakeAzure, tmp_path: Path) -> None:
    cli = tmp_path / "az"
    cli.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n'
        'echo \'{"accessToken": "e30.e30.x", "expires_on": 4102444800, "expiresOn": "2100-01-01 00:00:00.000000"}\'\n'
    )
    cli.chmod(0o755)
    done = azure.causeway(
        "azure", "whoami", "--plan", plan_of(azure), "--json", signed_in={}, PATH=f"{tmp_path}:/usr/bin:/bin:/usr/sbin"
    )
    assert json.loads(done.stdout)["credential"] == "azure-cli", done.stderr
    assert f"--resource https://management.azure.com --tenant {TENANT}" in (tmp_path / "asked").read_text()


@pytest.mark.parametrize(
    ("changed", "signed_in", "said", "remedy"),
    [
        ({"secret_expired": True}, {}, "AADSTS7000222", "az ad app credential reset"),
        ({}, {"AZURE_CLIENT_SECRET": "wrong"}, "AADSTS7000215", "az ad app credential reset"),
        ({}, {"AZURE_TENANT_ID": OTHER}, "AADSTS90002", "set AZURE_TENANT_ID to a tenant of Azure Global"),
        ({}, {"AZURE_CLIENT_ID": OTHER}, "AADSTS700016", "set AZURE_TENANT_ID and AZURE_CLIENT_ID"),
    ],
)
def test_a_refusal_is_one_line_with_its_remedy_and_without_the_secret(
    azure: FakeAzure, changed: dict[str, object], signed_in: dict[str, str], said: str, remedy: str
) -> None:
    azure.seed(**changed)
    done = azure.causeway("azure", "whoami", "--plan", plan_of(azure), signed_in={**azure.signed_in, **signed_in})
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr
    assert remedy in done.stderr
    assert SECRET not in done.stderr


def test_nobody_signed_in_is_told_how(azure: FakeAzure) -> None:
    done = azure.causeway("azure", "whoami", "--plan", plan_of(azure), signed_in={})
    assert done.returncode == 2
    assert f"sign in with `az login --tenant {TENANT}`" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_another_tenant_than_the_plans_is_a_problem(azure: FakeAzure) -> None:
    azure.seed(tenant_id=OTHER)
    signed_in = {**azure.signed_in, "AZURE_TENANT_ID": OTHER}
    done = azure.causeway("azure", "whoami", "--plan", plan_of(azure), signed_in=signed_in)
    assert done.returncode == 1
    assert f"The plan's tenant is {TENANT}" in done.stdout


def test_a_certificate_that_is_not_trusted_is_never_asked_for_a_token(azure: FakeAzure) -> None:
    done = azure.causeway(
        "azure", "whoami", "--plan", plan_of(azure), SSL_CERT_FILE="/etc/ssl/certs/ca-certificates.crt"
    )
    assert done.returncode == 1
    assert "AzureUnreachable" in done.stderr
    assert "SSL_CERT_FILE" in done.stderr
    assert azure.requests() == []
