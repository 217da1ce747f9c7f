"""The keys for one token, for those who explain it: the gateway's where they serve, else fetched now."""

import time
from pathlib import Path

from causeway.gateway_settings.entra import EntraTenant
from causeway.identity.entra.config import EntraKeysSection
from causeway.identity.entra.documents import KeysUnusable, TenantKeys, parse_keys
from causeway.identity.entra.fetch import fetch
from causeway.identity.entra.key_file import KeyFile
from causeway.observability.checks import CheckResult, Status


async def look_up(
    tenant: EntraTenant, key_id: str, config: EntraKeysSection, folder: Path | None
) -> tuple[TenantKeys | None, CheckResult]:
    """The keys of ``tenant``, and where they are from.

    Args:
        tenant: whose.
        key_id: the key that is wanted: where the kept ones lack it, they are fetched again, as a gateway does.
        config: how to fetch.
        folder: where a gateway keeps them; None for nowhere.
    """
    url = tenant.issuing_url
    kept = KeyFile(folder, tenant).read().keys if folder is not None else None
    if kept is not None and time.time() - kept.fetched_at > config.stale_s:
        kept = None
    if kept is not None and any(version.keys.knows(key_id) for version in kept.versions.values()):
        return kept, CheckResult("tenant's keys", url, Status.PASS, "those that the gateway keeps")
    try:
        fetched = await fetch(tenant, config)
        versions = {str(version): parse_keys(one.key_set, tenant, one.issuer) for version, one in fetched.items()}
    except KeysUnusable as error:
        details = f"{error.word}: {error}" + ("; older ones still serve" if kept is not None else "")
        remedy = "Look at name, route, firewall and web proxy ([entra_keys] proxy) on the way to Entra ID."
        return kept, CheckResult("tenant's keys", url, Status.FAIL, details, remedy)
    return TenantKeys(versions, time.time()), CheckResult("tenant's keys", url, Status.PASS, "fetched now")
