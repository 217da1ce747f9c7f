"""Credentials: which are taken, what is kept, and that every failure says what to do."""

import base64
import json
import time
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity import CredentialUnavailableError
from hypothesis import given
from hypothesis import strategies as st

from causeway.azure.credentials import Credential, token_claims
from causeway.azure.errors import AzureSignIn, AzureUnreachable
from causeway.azure.sign_in import CredentialSource, one_line, sign_in_remedy
from causeway.clouds import CLOUDS, CloudName

GLOBAL, GOVERNMENT = CLOUDS[CloudName.GLOBAL], CLOUDS[CloudName.US_GOVERNMENT]
TENANT = "11111111-2222-3333-4444-555555555555"
SCOPE = GLOBAL.resource_manager_scope


class Fake:
    """A credential that gives tokens or raises; no network."""

    def __init__(self, outcome: Exception | None = None, lifetime_s: float = 3600) -> None:
        self.outcome = outcome
        self.lifetime_s = lifetime_s
        self.asked = 0

    async def get_token(self, *scopes: str, **how: Any) -> AccessToken:
        self.asked += 1
        if self.outcome:
            raise self.outcome
        return AccessToken(f"{scopes[0]} {self.asked}", int(time.time() + self.lifetime_s))

    async def close(self) -> None:
        self.outcome = RuntimeError("closed")

    async def __aenter__(self) -> "Fake":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def made(*fakes: Fake, source: CredentialSource = CredentialSource.ANY) -> Credential:
    sources = [each for each in CredentialSource if each is not CredentialSource.ANY]
    chosen = sources if source is CredentialSource.ANY else [source]
    return Credential(list(zip(chosen, fakes, strict=False)), GLOBAL, source, TENANT)


async def test_what_there_is_not_is_passed_over_and_the_first_that_works_is_used() -> None:
    fakes = Fake(CredentialUnavailableError("not set")), Fake(CredentialUnavailableError("nobody")), Fake()
    credential = made(*fakes)
    assert (await credential.get_token(SCOPE)).token == f"{SCOPE} 1"
    assert credential.used is CredentialSource.AZURE_CLI


async def test_what_was_refused_ends_the_search_and_says_what_to_do() -> None:
    cli = Fake()
    refused = ClientAuthenticationError("AADSTS7000222: The provided client secret keys are expired; visit us")
    with pytest.raises(AzureSignIn) as raised:
        await made(Fake(refused), Fake(), cli).get_token(SCOPE)
    what, _, remedy = str(raised.value).partition("; ")
    assert what.startswith("the environment's credentials: refused: AADSTS7000222")
    assert remedy.startswith("make a new secret with `az ad app credential reset")
    assert cli.asked == 0


async def test_no_credentials_at_all_lead_to_az_login_in_the_tenant_of_the_plan() -> None:
    with pytest.raises(
        AzureSignIn,
        match=f"neither the .* nor the Azure CLI; sign in with `az login --tenant {TENANT}`, or set AZURE_TENANT_ID",
    ):
        await made(*(Fake(CredentialUnavailableError("no")) for _ in range(3))).get_token(SCOPE)


async def test_a_refusal_is_final_and_asked_for_once() -> None:
    fake = Fake(ClientAuthenticationError("AADSTS7000215: Invalid client secret"))
    credential = made(fake)
    for _ in range(3):
        with pytest.raises(AzureSignIn, match="AADSTS7000215"):
            await credential.get_token(SCOPE)
    assert fake.asked == 1


async def test_an_authority_out_of_reach_is_no_refusal() -> None:
    with pytest.raises(AzureUnreachable, match="HTTPS_PROXY"):
        await made(Fake(ServiceRequestError("Cannot connect"))).get_token(SCOPE)


async def test_a_token_is_kept_until_shortly_before_it_expires_and_by_scope() -> None:
    fake = Fake()
    credential = made(fake)
    first = await credential.get_token(SCOPE)
    assert await credential.get_token(SCOPE) is first
    await credential.get_token("https://graph.microsoft.com/.default")
    assert fake.asked == 2
    await credential.get_token(SCOPE, claims="{}")  # Azure wants another one
    assert fake.asked == 3
    short = Fake(lifetime_s=200)
    credential = made(short)
    await credential.get_token(SCOPE)
    await credential.get_token(SCOPE)
    assert short.asked == 2


def test_the_way_to_sign_in_is_that_of_the_cloud() -> None:
    remedy = sign_in_remedy(CredentialSource.AZURE_CLI, GOVERNMENT, TENANT)
    assert remedy == f"sign in with `az cloud set --name AzureUSGovernment`, then `az login --tenant {TENANT}`"
    assert "cloud set" not in sign_in_remedy(CredentialSource.AZURE_CLI, GLOBAL, TENANT)


@pytest.mark.parametrize("source", CredentialSource)
@pytest.mark.parametrize(
    "code", ["", *(f"{word}: " for word in ("AADSTS7000215", "AADSTS90002", "AADSTS700016", "AADSTS50076"))]
)
def test_every_remedy_names_a_command_or_a_variable_and_is_one_part(source: CredentialSource, code: str) -> None:
    remedy = sign_in_remedy(source, GLOBAL, None, code)
    assert "`az " in remedy or "AZURE_TENANT_ID" in remedy
    assert ";" not in remedy


def test_what_a_token_says_of_itself_is_read_without_trust() -> None:
    body = base64.urlsafe_b64encode(json.dumps({"tid": TENANT}).encode()).decode().rstrip("=")
    assert token_claims(AccessToken(f"e30.{body}.c2ln", 0)) == {"tid": TENANT}


@given(st.text() | st.lists(st.text("abcXYZ09-_=", max_size=20), min_size=3, max_size=3).map(".".join))
def test_any_token_is_read_or_says_nothing(text: str) -> None:
    assert isinstance(token_claims(AccessToken(text, 0)), dict)


@given(st.text(max_size=1000))
def test_what_azure_said_is_one_bounded_line_without_the_separator(text: str) -> None:
    line = one_line(text)
    assert len(line) <= 301
    assert ";" not in line
    assert line.isprintable()
