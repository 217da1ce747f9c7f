"""Entra tokens of a real provider at a real gateway: who passes, who does not, and how soon that changes."""

import base64
import dataclasses
import hmac
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from causeway.gateway_settings import Authentication
from causeway.gateway_settings.entra import TokenUser
from tests.system.certificates import certificates
from tests.system.data_path.client import Answer, Client
from tests.system.data_path.path import DataPath, endpoint
from tests.system.entra.provider import AUDIENCE, Provider, in_seconds
from tests.system.entra.test_keys import tenant_of
from tests.system.processes import wait_until

ENTRA = Authentication.ENTRA
COOL_DOWN_S = 1.0
ROUTINE: dict[str, Any] = {
    "limits": {"max_invalid_tokens_per_minute": 100_000},
    "entra_keys": {"cool_down_s": COOL_DOWN_S},
}
PROTECTED = "/protected/x"


def new_path(folder: Path, provider: Provider, **options: Any) -> DataPath:
    path = DataPath(folder, gateway=options.pop("gateway", ROUTINE), publish=False)
    endpoints = (
        endpoint("protected", "/protected", path.origin.url, authentication=(ENTRA,)),
        endpoint("site", "/site", path.origin.url, authentication=(Authentication.TOKEN,)),
        *path.settings.endpoints,
    )
    path.settings = dataclasses.replace(
        path.settings, endpoints=endpoints, entra_tenants=(tenant_of(provider, **options),)
    )
    path.site.publish(path.settings)
    return path


@pytest.fixture(scope="module")
def path(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataPath]:
    with new_path(tmp_path_factory.mktemp("path"), provider, name="Contoso", roles=["register"]).running() as path:
        yield path


@pytest.fixture
def client(path: DataPath) -> Iterator[Client]:
    with path.connect() as client:
        yield client


def ask(client: Client, token: str, target: str = PROTECTED) -> Answer:
    return client.ask("GET", target, f"Authorization: Bearer {token}")


def outcome(client: Client, token: str) -> tuple[int, str]:
    answer = ask(client, token)
    return answer.status, answer.reason


def device_token(provider: Provider, **claims: Any) -> str:
    return provider.token(**{"roles": ["register"], **claims})


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_a_device_and_a_user_pass_and_the_site_system_is_told_who_they_are(
    path: DataPath, client: Client, provider: Provider, version: str
) -> None:
    device, user = str(uuid.uuid4()), str(uuid.uuid4())
    answer = ask(client, device_token(provider, version=version, deviceid=device), "/protected/device")
    assert answer.status == 200
    request = path.origin.requests[-1]
    assert request.header("X-Causeway-Client") == "entra-device"
    assert request.header("X-Causeway-Device") == device
    assert request.header("X-Causeway-Tenant") == provider.tenant_id
    assert request.header("Authorization") is None
    assert ask(client, provider.user_token(version=version, oid=user), "/protected/user").status == 200
    request = path.origin.requests[-1]
    assert request.header("X-Causeway-Client") == "entra-user"
    assert request.header("X-Causeway-User") == user


def test_without_a_token_or_where_other_tokens_are_wanted_nobody_passes(client: Client, provider: Provider) -> None:
    answer = client.ask("GET", PROTECTED)
    assert (answer.status, answer.reason) == (401, "CMGService_TokenRequired")
    answer = ask(client, device_token(provider), "/site/x")
    assert (answer.status, answer.reason) == (403, "CMGService_TokenNotAccepted")


INVALID = (401, "CMGService_Invalid_Token")
INSUFFICIENT = (403, "CMGService_TokenInsufficient")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"aud": "api://another"}, INSUFFICIENT),
        ({"aud": f"{AUDIENCE}/"}, INSUFFICIENT),
        ({"aud": [AUDIENCE]}, INSUFFICIENT),
        ({"aud": None}, INSUFFICIENT),
        ({"tid": str(uuid.uuid4())}, INVALID),
        ({"tid": None}, INVALID),
        ({"ver": "2.0"}, INVALID),
        ({"ver": "9.9"}, INVALID),
        ({"ver": None}, INVALID),
        ({"appid": str(uuid.uuid4())}, INSUFFICIENT),
        ({"appid": None}, INSUFFICIENT),
        ({"roles": ["another"]}, INSUFFICIENT),
        ({"roles": None}, INSUFFICIENT),
        ({"scp": "another", "oid": str(uuid.uuid4())}, INSUFFICIENT),
        ({"scp": "user_impersonation"}, INSUFFICIENT),
        ({"deviceid": None}, INSUFFICIENT),
        ({"exp": in_seconds(-120)}, (401, "CMGService_TokenExpired")),
        ({"exp": None}, INVALID),
        ({"nbf": in_seconds(600), "exp": in_seconds(1200)}, (401, "CMGService_TokenNotYetValid")),
        ({"nbf": None, "iat": None}, INVALID),
        ({"iss": "https://localhost/another"}, INVALID),
    ],
)
def test_a_genuine_token_that_says_something_else_is_refused_and_its_values_stay_out_of_the_log(
    path: DataPath, client: Client, provider: Provider, claims: dict[str, Any], expected: tuple[int, str]
) -> None:
    token = device_token(provider, upn="someone@example.com", **claims)
    answer = ask(client, token)
    assert (answer.status, answer.reason) == expected
    (line,) = path.gateway.wait_for("refused", request_id=answer.request_id)
    assert line["remedy"]
    text = json.dumps(line)
    # An issuer that nobody knows is the one thing that is named: it says where the device belongs.
    values = [value for name, value in claims.items() if isinstance(value, str) and len(value) > 8 and name != "iss"]
    assert not any(value in text for value in (*values, token.split(".")[1], "someone@example.com"))


def test_a_user_s_token_is_refused_where_only_devices_are_accepted(path: DataPath, provider: Provider) -> None:
    before = path.settings.entra_tenants
    with path.connect() as client:
        token = provider.user_token()
        assert ask(client, token).status == 200
        path.change_everywhere(entra_tenants=(dataclasses.replace(before[0], accept=(TokenUser.DEVICE,)),))
        try:
            assert outcome(client, token) == INSUFFICIENT
        finally:
            path.change_everywhere(entra_tenants=before)
        assert ask(client, token).status == 200


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_no_signature_a_secret_that_is_public_and_other_keys_do_not_make_a_token(
    client: Client, provider: Provider
) -> None:
    genuine = device_token(provider)
    _, payload, signature = genuine.split(".")
    (published,) = provider.key_set()["keys"]
    numbers = (int.from_bytes(base64.urlsafe_b64decode(published[name] + "=="), "big") for name in ("e", "n"))
    public = rsa.RSAPublicNumbers(*numbers).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    other = rsa.generate_private_key(65537, 2048)

    def head(**fields: Any) -> str:
        return encoded(json.dumps({"typ": "JWT", "alg": "RS256", "kid": published["kid"], **fields}).encode())

    none, confused, own = head(alg="none"), head(alg="HS256"), head()
    own_key = encoded(other.sign(f"{own}.{payload}".encode(), padding.PKCS1v15(), SHA256()))
    for token in (
        f"{none}.{payload}.",
        f"{none}.{payload}.{signature}",
        f"{confused}.{payload}.{encoded(hmac.digest(pem, f'{confused}.{payload}'.encode(), 'sha256'))}",
        f"{own}.{payload}.{own_key}",
        f"{head(jwk={'kty': 'RSA', 'n': '', 'e': 'AQAB'})}.{payload}.{own_key}",
        f"{head(jku='https://evil.example/keys')}.{payload}.{own_key}",
        f"{genuine.rpartition('.')[0]}.{encoded(b'x' * 256)}",
    ):
        assert outcome(client, token) == INVALID
    assert ask(client, genuine).status == 200


def test_a_tenant_that_is_not_onboarded_is_refused_and_its_provider_is_not_asked(
    client: Client, tmp_path: Path
) -> None:
    with Provider(tmp_path, certificates("site")).running() as stranger:
        asked = stranger.requests_for("openid-configuration")
        assert outcome(client, stranger.token()) == (401, "CMGService_TenantNotOnboarded")
        assert stranger.requests_for("openid-configuration") == asked


def test_an_installer_is_told_of_an_onboarded_tenant_and_of_no_other(
    path: DataPath, client: Client, provider: Provider
) -> None:
    def told(query: str) -> Any:
        answer = client.ask("GET", f"/ccm_proxy_serverauth/AADAuthInfo{query}")
        assert answer.status == 200
        assert answer.header("Content-Type") == "application/json"
        return json.loads(answer.body)

    tenant = path.settings.entra_tenants[0]
    expected = {
        "TenantId": provider.tenant_id,
        "AuthorityUri": f"{provider.url}/{provider.tenant_id}",
        "ClientAppId": tenant.client_app_ids[0],
        "ResourceUri": AUDIENCE,
    }
    assert told(f"?TenantID={provider.tenant_id}") == told(f"?tenantid={{{provider.tenant_id.upper()}}}") == expected
    for query in ("", "?", f"?TenantID={uuid.uuid4()}", f"?TenantID={provider.tenant_id}&TenantID=x", "?TenantID=%FF"):
        assert told(query) == {}
    assert client.ask("POST", "/CCM_Proxy_ServerAuth/AADAuthInfo", body=b"").status == 405


def test_a_tenant_that_is_disabled_or_blocked_is_refused_at_every_worker_on_connections_that_stand(
    path: DataPath, provider: Provider
) -> None:
    tenants, token = path.settings.entra_tenants, device_token(provider)
    clients = path.connect_to_every_worker()
    try:
        for change, refusal in (
            ({"entra_tenants": (dataclasses.replace(tenants[0], enabled=False),)}, "CMGService_TenantNotOnboarded"),
            ({"entra_tenants": ()}, "CMGService_TenantNotOnboarded"),
            ({"blocked_tenants": (provider.tenant_id,)}, "CMGService_TenantBlocked"),
        ):
            assert {ask(client, token).status for client in clients} == {200}
            path.change_everywhere(**change)
            assert {ask(client, token).reason for client in clients} == {refusal}
            path.change_everywhere(entra_tenants=tenants, blocked_tenants=())
        assert {ask(client, token).status for client in clients} == {200}
    finally:
        for client in clients:
            client.close()


def test_a_request_under_way_ends_when_its_tenant_is_disabled(path: DataPath, provider: Provider) -> None:
    tenants = path.settings.entra_tenants
    with path.connect() as client:
        assert ask(client, device_token(provider)).status == 200
        length = "Content-Length: 1000000"
        client.start("POST", PROTECTED, f"Authorization: Bearer {device_token(provider)}", length)
        client.send(b"x" * 1000)
        path.gateway.wait_for("settings in force")
        wait_until(lambda: path.gateway.metric("causeway_gateway_requests_in_flight") == 1)
        path.change_everywhere(entra_tenants=())
        try:
            answer = client.answer()
            assert answer.status in {401, 403}
        finally:
            path.change_everywhere(entra_tenants=tenants)


def test_invented_keys_do_not_make_the_gateway_hammer_the_provider(path: DataPath, provider: Provider) -> None:
    asked = provider.requests_for("/v2.0/discovery/keys")
    payload, signature = device_token(provider).split(".")[1:]
    with path.connect() as client:
        for number in range(200):
            head = encoded(json.dumps({"alg": "RS256", "kid": f"invented-{number}"}).encode())
            assert outcome(client, f"{head}.{payload}.{signature}") == INVALID
    unknown = path.gateway.metric("causeway_gateway_entra_unknown_keys_total", tenant="Contoso")
    assert unknown >= 200
    # How many fetches there may be depends on how long that took, and on nothing else.
    fetches = path.gateway.metric("causeway_gateway_entra_key_fetches_total", tenant="Contoso")
    assert provider.requests_for("/v2.0/discovery/keys") - asked <= fetches < unknown / 4


def test_keys_that_the_provider_changes_are_fetched_as_soon_as_a_token_names_them(tmp_path: Path) -> None:
    with Provider(tmp_path, certificates("site")).running() as provider:
        folder = tmp_path / "path"
        folder.mkdir()
        with new_path(folder, provider).running() as path, path.connect() as client:
            before = provider.token()
            assert ask(client, before).status == 200
            provider.stop()
            provider.start()
            after = provider.token()
            wait_until(lambda: outcome(client, after) == (200, "OK"), what="the new key is known")
            # The old key was taken back, so what it signed is good no longer, whatever was decided on it before.
            wait_until(lambda: outcome(client, before) == INVALID, what="the old key is forgotten")


def test_keys_serve_while_the_provider_is_away_through_a_restart_but_not_beyond_their_time(tmp_path: Path) -> None:
    with Provider(tmp_path, certificates("site")).running() as provider:
        folder = tmp_path / "path"
        folder.mkdir()
        gateway = {**ROUTINE, "entra_keys": {"cool_down_s": COOL_DOWN_S, "refresh_s": 60, "stale_s": 3600}}
        with new_path(folder, provider, gateway=gateway).running() as path:
            first, second, third = provider.token(), provider.token(), provider.token()
            with path.connect() as client:
                assert ask(client, first).status == 200
            (kept,) = (folder / "gateway-state" / "entra-keys").glob("*.json")
            provider.stop()
            for age_s, expected in ((1800, (200, "OK")), (7200, (503, "CMGService_TenantKeysUnavailable"))):
                path.gateway.stop()
                document = json.loads(kept.read_text())
                aged = {**document, "fetched_at": in_seconds(-age_s), "attempted_at": in_seconds(-age_s)}
                kept.write_text(json.dumps(aged))
                path.gateway.start()
                path.wait_until_ready()
                with path.connect() as client:
                    assert outcome(client, second) == expected
                failed = path.gateway.wait_for("the keys of an Entra tenant cannot be had")
                assert failed[-1]["word"] == "EntraKeys"
                assert failed[-1]["usable"] is (expected[0] == 200)
            provider.start()
            # It comes back with another key; what the first one signed is not good any more.
            with path.connect() as client:
                wait_until(lambda: outcome(client, provider.token()) == (200, "OK"), what="the provider is back")
                assert outcome(client, third) == INVALID
