"""Keys fetched from a real provider over TLS, and tokens that it signed."""

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

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
from tests.system.processes import Process, free_ports, running, wait_until

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
            await fetch(tenant_of(provider, authority_certificates=trusted), proxy=None, timeout_s=30)


async def test_a_provider_that_is_another_tenant_s_or_nobody_s_is_said_so(provider: Provider) -> None:
    with pytest.raises(KeysUnusable, match="404"):
        await fetch(tenant_of(provider, tenant_id=str(uuid.uuid4())), proxy=None, timeout_s=30)
    with pytest.raises(KeysUnusable):
        await fetch(tenant_of(provider, authority="https://localhost:1"), proxy=None, timeout_s=30)


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A tinyproxy, and its log."""
    port, log = free_ports(), tmp_path / "tinyproxy.log"
    config = tmp_path / "tinyproxy.conf"
    config.write_text(
        f'Port {port}\nListen 127.0.0.1\nMaxClients 10\nLogLevel Info\nLogfile "{log}"\nAllow 127.0.0.1\n'
    )
    process = Process(["tinyproxy", "-d", "-c", config], tmp_path / "tinyproxy.out")
    with running(process):
        wait_until(lambda: log.exists() and "Accepting connections" in log.read_text(), what="the proxy")
        yield f"http://127.0.0.1:{port}", log


async def test_keys_are_fetched_through_a_web_proxy_where_one_is_set(
    provider: Provider, proxy: tuple[str, Path], tmp_path: Path
) -> None:
    url, log = proxy
    assert (await keys_of(provider, tmp_path / "keys", proxy=url)).versions
    assert f"CONNECT localhost:{provider.port}" in log.read_text()
