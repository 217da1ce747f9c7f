"""Fetch a tenant's metadata and keys: HTTPS, verified, bounded in time and size."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from causeway import __version__
from causeway.gateway_settings.entra import EntraTenant, TokenVersion
from causeway.identity.entra.config import EntraKeysSection
from causeway.identity.entra.documents import (
    MAX_DOCUMENT_BYTES,
    KeysUnusable,
    Metadata,
    metadata_url,
    parse_metadata,
)
from causeway.transport.httpx_proxy import httpx_proxy

_HEADERS = {"User-Agent": f"causeway/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Fetched:
    """One version's issuer and its key set as it came."""

    issuer: str
    key_set: bytes


async def fetch(tenant: EntraTenant, config: EntraKeysSection) -> Mapping[TokenVersion, Fetched]:
    """The documents of every version of tokens that ``tenant`` takes.

    Args:
        tenant: whose.
        config: says by which web proxy, and how long all of it together may take.

    Raises:
        KeysUnusable: they could not be had; the message says why.
        StateError: the file with the proxy's password cannot be read.
    """
    timeout_s = config.timeout_s
    proxy = httpx_proxy(config.proxy, config.proxy_user, config.proxy_password_file)
    try:
        async with asyncio.timeout(timeout_s), _client(tenant, proxy) as client:
            found = {}
            for version in tenant.versions:
                url = metadata_url(tenant, version)
                metadata: Metadata = parse_metadata(await _get(client, url), tenant)
                found[version] = Fetched(metadata.issuer, await _get(client, metadata.keys_url))
            return found
    except TimeoutError:
        raise KeysUnusable(f"{tenant.issuing_url}: no whole answer within {timeout_s:g} s") from None
    except httpx.HTTPError as error:
        raise KeysUnusable(f"{tenant.issuing_url}: {error or type(error).__name__}") from None


def _client(tenant: EntraTenant, proxy: httpx.Proxy | None) -> httpx.AsyncClient:
    context = ssl.create_default_context(cadata=tenant.authority_certificates)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Neither another proxy nor a .netrc may come in from the environment. Time is bounded for all of it together.
    return httpx.AsyncClient(
        verify=context,
        proxy=proxy,
        trust_env=False,
        follow_redirects=False,
        timeout=None,  # noqa: S113
        headers=_HEADERS,
    )


async def _get(client: httpx.AsyncClient, url: str) -> bytes:
    async with client.stream("GET", url) as response:
        if response.status_code != httpx.codes.OK:
            raise KeysUnusable(f"{url}: {response.status_code} {response.reason_phrase}")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise KeysUnusable(f"{url}: an encoding that was not asked for")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_DOCUMENT_BYTES:
                raise KeysUnusable(f"{url}: more than {MAX_DOCUMENT_BYTES} bytes")
        return bytes(body)
