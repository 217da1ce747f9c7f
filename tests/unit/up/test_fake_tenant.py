"""The fake tenant: its tokens are verified by the very steps that gateways and the site take."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.errors import StateError
from causeway.gateway_settings.entra import EntraTenant
from causeway.identity.entra.documents import TenantKeys, metadata_url, parse_keys, parse_metadata
from causeway.identity.entra.verifier import EntraVerifier
from causeway.identity.identity import Kind
from causeway.identity.jwt import read_token
from causeway.up.fake_tenant import CLIENT_APP_ID, TOKEN_LIFETIME_S, EntraDevice, FakeTenant, Unknown
from causeway.up.fake_tenant_server import FakeTenantApp

NOW = int(time.time())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tenant")


@pytest.fixture(scope="module")
def device(folder: Path) -> EntraDevice:
    return EntraDevice.kept(folder / "entra-device.json")


@pytest.fixture(scope="module")
def tenant(folder: Path, device: EntraDevice) -> FakeTenant:
    return FakeTenant.kept(folder / "signing.key", "https://localhost:8450", {str(device.device_id): device})


def onboarded(tenant: FakeTenant) -> EntraTenant:
    table = tenant.table(Path("ca.pem"))
    del table["authority_file"]
    terms: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    return EntraTenant(**terms)


def asked(tenant: FakeTenant, device: EntraDevice, **changes: str) -> dict[str, str]:
    return {
        "client_id": CLIENT_APP_ID,
        "resource": tenant.audience,
        "device_id": str(device.device_id),
        "device_secret": device.secret,
        **changes,
    }


def test_its_tokens_pass_every_step_by_its_own_documents_and_table(tenant: FakeTenant, device: EntraDevice) -> None:
    terms = onboarded(tenant)
    (version,) = terms.versions
    assert metadata_url(terms, version) == tenant.origin + tenant.metadata_path
    metadata = parse_metadata(tenant.metadata(), terms)
    assert metadata.keys_url == tenant.origin + tenant.keys_path
    keys = TenantKeys({str(version): parse_keys(tenant.key_set(), terms, metadata.issuer)}, NOW)
    answer = json.loads(tenant.token(asked(tenant, device), NOW))
    verifier = EntraVerifier([terms], lambda tenant_id: keys if tenant_id == tenant.tenant_id else None)
    verified = verifier.verify(read_token(answer["access_token"].encode()), NOW)
    assert verified.identity.kind is Kind.ENTRA_DEVICE
    assert verified.identity.device == str(device.device_id)
    assert answer["expires_in"] == TOKEN_LIFETIME_S
    assert NOW + TOKEN_LIFETIME_S <= verified.expires <= NOW + TOKEN_LIFETIME_S + 120


@pytest.mark.parametrize(
    "change",
    [
        {"device_secret": "guessed"},
        {"device_secret": "\xe9"},
        {"device_id": "00000000-0000-0000-0000-000000000000"},
        {"client_id": "another"},
        {"resource": "api://another"},
    ],
)
def test_who_is_not_a_device_of_it_gets_no_token(
    tenant: FakeTenant, device: EntraDevice, change: dict[str, str]
) -> None:
    with pytest.raises(Unknown):
        tenant.token(asked(tenant, device, **change), NOW)


def test_tenant_and_device_stay_the_same_and_their_files_are_for_their_owner_alone(
    folder: Path, tenant: FakeTenant, device: EntraDevice
) -> None:
    again = FakeTenant.kept(folder / "signing.key", tenant.origin, {})
    assert again.tenant_id == tenant.tenant_id
    assert EntraDevice.kept(folder / "entra-device.json") == device
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    assert device.secret not in repr(device)
    assert device.secret not in repr(tenant)


@pytest.mark.parametrize("content", [b"\x00 garbage \xff", b"{}", b'{"device_id": "x", "secret": "y"}', b"[1]"])
def test_a_damaged_device_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "entra-device.json").write_bytes(content)
    with pytest.raises(StateError, match=r"entra-device\.json"):
        EntraDevice.kept(tmp_path / "entra-device.json")


def client(tenant: FakeTenant) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(FakeTenantApp(tenant)), base_url=tenant.origin)


async def test_over_http_it_gives_its_documents_and_a_token_to_its_device(
    tenant: FakeTenant, device: EntraDevice
) -> None:
    async with client(tenant) as http:
        assert (await http.get(tenant.metadata_path)).content == tenant.metadata()
        assert (await http.get(tenant.keys_path)).content == tenant.key_set()
        assert (await http.get("/")).status_code == 404
        assert (await http.get(tenant.token_path)).status_code == 404
        answer = await http.post(tenant.token_path, data=asked(tenant, device))
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        refused = await http.post(tenant.token_path, data=asked(tenant, device, device_secret="guessed"))
        assert (refused.status_code, refused.json()) == (401, {"error": "invalid_client"})
        assert (await http.post(tenant.token_path, content=b"x" * 4097)).status_code == 413


@given(
    st.binary(max_size=200)
    | st.dictionaries(st.text(max_size=9), st.text(max_size=9)).map(lambda fields: urlencode(fields).encode())
)
def test_whatever_asks_for_a_token_gets_none_and_a_plain_answer(tenant: FakeTenant, body: bytes) -> None:
    async def ask() -> httpx.Response:
        async with client(tenant) as http:
            return await http.post(tenant.token_path, content=body)

    assert asyncio.run(ask()).status_code in (400, 401)
