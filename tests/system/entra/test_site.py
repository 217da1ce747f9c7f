"""Entra tokens at the site itself: registration, approval by Entra identity, and the exchange for site tokens."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from causeway.identity.jwt import read_token
from causeway.messaging.tokens import TokenKind
from tests.system.certificates import certificates
from tests.system.entra.provider import Provider
from tests.system.processes import wait_until
from tests.system.site.by_token import bearer, exchange
from tests.system.site.running import RunningSite, lay_out, running
from tests.system.site.third_party import Client


def table(provider: Provider, **options: object) -> str:
    """The tenant, as the site's configuration says it."""
    terms = {**provider.tenant_table(**options), "authority_file": str(provider.authority)}
    del terms["authority_certificates"]
    return "[[entra_tenant]]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in terms.items()) + "\n"


@pytest.fixture(scope="module")
def site(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    laid_out = lay_out(tmp_path_factory.mktemp("site"), {})
    laid_out.configure("entra_keys", cool_down_s=1)
    laid_out.append(table(provider))
    with running(laid_out) as site:
        yield site


def test_a_device_registers_with_an_entra_token_is_approved_by_it_and_exchanges_it_for_site_tokens(
    site: RunningSite, provider: Provider
) -> None:
    user = str(uuid.uuid4())
    client = bearer(site, provider.user_token(oid=user))
    reply = client.register()
    assert (reply.get("Status"), reply.get("ApprovalStatus")) == ("0", "3")
    tokens = {one.kind: one for one in exchange(client).tokens}
    claims = read_token(tokens[TokenKind.CCM].text.encode()).claims
    assert claims["Type"] == "UDA"
    assert (claims["TenantId"], claims["UserId"], claims["SMSID"]) == (provider.tenant_id, user, client.smsid)
    client.session.headers["Authorization"] = f"Bearer {tokens[TokenKind.CCM].text}"
    assert client.assignments().tag == "ReplyAssignments"
    assert client.register().get("ApprovalStatus") == "3"
    client.session.headers["Authorization"] = f"Bearer {tokens[TokenKind.SELF_PROVE].text}"
    renewed = {one.kind: one for one in exchange(client).tokens}
    assert read_token(renewed[TokenKind.CCM].text.encode()).claims["TenantId"] == provider.tenant_id
    (device,) = [
        one for one in json.loads(site.cli("devices", "list", "--json").stdout) if one["smsid"] == client.smsid
    ]
    assert provider.tenant_id in json.dumps(device)


@pytest.mark.parametrize(
    ("claims", "status", "word"),
    [
        ({"aud": "api://another"}, 403, "MP_EntraTokenRefused"),
        ({"deviceid": None}, 403, "MP_EntraTokenRefused"),
        ({"tid": str(uuid.uuid4())}, 401, "MP_SiteTokenWrong"),
        ({"exp": 1_700_000_000}, 401, "MP_SiteTokenExpired"),
    ],
)
def test_the_site_verifies_for_itself_what_a_gateway_let_through(
    site: RunningSite, provider: Provider, claims: dict[str, Any], status: int, word: str
) -> None:
    client = bearer(site, provider.token(**claims))
    response = client.send("MP_ClientRegistration", client.registration(), signed=False)
    assert (response.status_code, response.reason) == (status, word)


def test_a_token_of_a_tenant_whose_keys_cannot_be_had_is_refused_for_the_time_being(
    tmp_path: Path, provider: Provider
) -> None:
    laid_out = lay_out(tmp_path, {})
    laid_out.append(table(provider, authority="https://localhost:1"))
    with running(laid_out) as site:
        client = bearer(site, provider.token(iss=f"https://localhost:1/{provider.tenant_id}/"))
        response = client.send("MP_ClientRegistration", client.registration(), signed=False)
        assert (response.status_code, response.reason) == (503, "MP_EntraKeysUnavailable")
        assert '"EntraKeys"' in site.log.read_text()


def test_a_key_that_the_site_does_not_know_yet_is_fetched_and_the_request_waits(tmp_path: Path) -> None:
    with Provider(tmp_path, certificates("site")).running() as provider:
        laid_out = lay_out(tmp_path / "laid-out", {})
        laid_out.configure("entra_keys", cool_down_s=1)
        laid_out.append(table(provider, enabled=True))
        with running(laid_out) as site:
            assert bearer(site, provider.token()).register().get("ApprovalStatus") == "3"
            provider.stop()
            provider.start()
            client = bearer(site, provider.token())

            def registered() -> bool:
                return client.send("MP_ClientRegistration", client.registration(), signed=False).status_code == 200

            wait_until(registered)


def test_a_tenant_whose_registrations_do_not_approve_leaves_that_to_the_operator_and_one_that_is_disabled_ends_all(
    tmp_path: Path, provider: Provider
) -> None:
    laid_out = lay_out(tmp_path, {})
    laid_out.append(table(provider, registration_approves=False))
    with running(laid_out) as site:
        client = bearer(site, provider.token())
        reply = client.register()
        assert (reply.get("Status"), reply.get("ApprovalStatus")) == ("1", "0")
        site.cli("devices", "approve", client.smsid)
        assert client.register("Confirmation").get("ApprovalStatus") == "1"
        tokens = exchange(client).tokens
        config = site.paths.config.read_text()
        site.paths.config.write_text(config.replace("[[entra_tenant]]", "[[entra_tenant]]\nenabled = false"))
        before = site.log.read_text().count('"reloaded"')
        site.reload()
        wait_until(lambda: site.log.read_text().count('"reloaded"') > before)
        for token in (provider.token(), *(one.text for one in tokens)):
            client.session.headers["Authorization"] = f"Bearer {token}"
            response = client.send("MP_PolicyManager", client.assignments_request())
            # A message of a device that is blocked is not accepted, which is an empty answer.
            assert (response.status_code, response.content) in ((200, b""), (403, response.content))


def test_a_device_is_blocked_with_what_it_is_at_its_tenant_and_by_that(site: RunningSite, provider: Provider) -> None:
    known_as = str(uuid.uuid4())
    entra = bearer(site, provider.token(deviceid=known_as))
    assert entra.register().get("ApprovalStatus") == "3"
    ccm = next(one.text for one in exchange(entra).tokens if one.kind is TokenKind.CCM)
    own = bearer(site, ccm, key=entra.key, certificate=entra.certificate)
    own.smsid = entra.smsid

    def is_let_in(client: Client) -> bool:
        status: int = client.get("/SMS_MP_TokenAuth/.sms_aut?MPLIST").status_code
        return status == 200

    for block, unblock in (
        (("devices", "block", entra.smsid), ("devices", "unblock", entra.smsid)),
        (("blocks", "add", "device", known_as.upper()), ("blocks", "remove", "device", known_as)),
    ):
        assert is_let_in(entra)
        assert is_let_in(own)
        site.cli(*block)
        wait_until(lambda: not is_let_in(entra) and not is_let_in(own))
        site.cli(*unblock)
        wait_until(lambda: is_let_in(entra) and is_let_in(own))
