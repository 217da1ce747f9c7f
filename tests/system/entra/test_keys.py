"""Keys fetched from a real provider over TLS, and tokens that it signed."""

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import TypeAdapter

from causeway.errors import StateError
from causeway.gateway_settings.entra import EntraTenant, TokenVersion
from causeway.identity import Identity, Kind
from causeway.identity.entra.config import EntraKeysSection
from causeway.identity.entra.documents import KeysUnusable, TenantKeys
from causeway.identity.entra.fetch import fetch
from causeway.identity.entra.key_cache import KeyCache
from causeway.identity.entra.verifier import EntraVerifier
from causeway.identity.jwt import read_token
from tests.system.certificates import certificates
from tests.system.entra.provider import Provider
from tests.system.processes import running, wait_until
from tests.system.web_proxy import PASSWORD, USER, WebProxy

ADAPTER = TypeAdapter(EntraTenant)


def tenant_of(provider: Provider, **options: Any) -> EntraTenant:
    return ADAPTER.validate_json(json.dumps(provider.tenant_table(**options)))


async def keys_of(provider: Provider, folder: Path, **section: Any) -> TenantKeys:
    cache = KeyCache(EntraKeysSection(**section), folder)
    cache.configure([tenant_of(provider)])
    try:
        async with asyncio.timeout(60):
            while (keys := cache.keys(provider.tenant_id)) is None:
                await asyncio.sleep(0.01)
        return keys
    finally:
        cache.close()


async def test_tokens_of_a_real_provider_are_verified_in_both_versions(provider: Provider, tmp_path: Path) -> None:
    keys = await keys_of(provider, tmp_path)
    assert {version: one.issuer for version, one in keys.versions.items()} == {
        "1.0": f"{provider.url}/{provider.tenant_id}/",
        "2.0": f"{provider.url}/{provider.tenant_id}/v2.0",
    }
    verifier = EntraVerifier([tenant_of(provider)], lambda _tenant_id: keys)
    device, user = str(uuid.uuid4()), str(uuid.uuid4())
    for version in TokenVersion:
        token = read_token(provider.token(version=version, deviceid=device).encode())
        assert verifier.responsible(token.issuer)
        assert verifier.verify(token, time.time()).identity == Identity(
            Kind.ENTRA_DEVICE, device=device, tenant=provider.tenant_id
        )
        token = read_token(provider.user_token(version=version, deviceid=device, oid=user).encode())
        assert verifier.verify(token, time.time()).identity == Identity(
            Kind.ENTRA_USER, device=device, tenant=provider.tenant_id, user=user
        )


async def test_a_provider_whose_certificate_is_not_trusted_is_not_believed(provider: Provider) -> None:
    other = certificates("other").root.read_text()
    for trusted in (other, None):
        with pytest.raises(KeysUnusable, match="certificate verify failed"):
            await fetch(tenant_of(provider, authority_certificates=trusted), EntraKeysSection())


async def test_a_provider_that_is_another_tenant_s_or_nobody_s_is_said_so(provider: Provider) -> None:
    with pytest.raises(KeysUnusable, match="404"):
        await fetch(tenant_of(provider, tenant_id=str(uuid.uuid4())), EntraKeysSection())
    with pytest.raises(KeysUnusable):
        await fetch(tenant_of(provider, authority="https://localhost:1"), EntraKeysSection())


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[WebProxy]:
    proxy = WebProxy(tmp_path)
    with running(proxy):
        wait_until(proxy.listens, what="the proxy")
        yield proxy


async def test_keys_are_fetched_through_a_web_proxy_that_wants_credentials_and_their_secret_stays_in_its_file(
    provider: Provider, proxy: WebProxy, tmp_path: Path
) -> None:
    password = tmp_path / "proxy-password"
    password.write_text(PASSWORD + "\n")
    section: dict[str, Any] = {
        "proxy": f"http://127.0.0.1:{proxy.port}",
        "proxy_user": USER,
        "proxy_password_file": password,
    }
    with structlog.testing.capture_logs() as logged:
        assert (await keys_of(provider, tmp_path / "keys", **section)).versions
    assert proxy.requests_for(f"CONNECT localhost:{provider.port}") >= 1
    assert any(line["event"] == "keys of an Entra tenant fetched" for line in logged)
    assert PASSWORD not in repr((logged, EntraKeysSection(**section)))

    password.write_text("wrong-secret\n")
    with pytest.raises(KeysUnusable, match="401 Unauthorized") as refused:  # tinyproxy's way to say 407
        await fetch(tenant_of(provider), EntraKeysSection(**section))
    assert "wrong-secret" not in str(refused.value)
    password.write_text("two\nlines\n")
    with pytest.raises(StateError, match="expected one line"):
        await fetch(tenant_of(provider), EntraKeysSection(**section))
    password.unlink()
    with pytest.raises(StateError, match="the proxy's password cannot be read"):
        await fetch(tenant_of(provider), EntraKeysSection(**section))
