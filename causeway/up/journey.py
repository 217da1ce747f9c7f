"""The end-to-end check: requests that really go device → gateway → tunnel → connection point → management point."""

import asyncio
import ssl
from collections.abc import AsyncIterator

import httpx

from causeway.configuration import load
from causeway.observability.checks import CheckResult, Status
from causeway.site.config import SiteConfig
from causeway.up.fake_tenant import FakeTenant
from causeway.up.home import WORKERS, Home
from causeway.up.metrics_reader import GatewayFigures, read_gateway

_TIMEOUT_S = 15.0
_LOOK_IN_THE_LOGS = "look into the logs folder for the request id"


async def check_the_way(home: Home) -> AsyncIterator[CheckResult]:
    """One result after the other, as a device would see it."""
    figures = await read_gateway(home.ports.gateway_admin)
    yield _tunnels(home, figures)
    context = ssl.create_default_context(cafile=home.authority)
    async with httpx.AsyncClient(verify=context, timeout=_TIMEOUT_S, trust_env=False) as anonymous:
        url = f"{home.service_url}/CCM_Proxy_ServerAuth/ServiceMetadata"
        yield await _expect(anonymous, "gateway answers", url, 200, "")
        url = f"{home.management_point_url}/SMS_MP/.sms_aut?MPLIST"
        word = "CMGConnector_ClientCertificateRequired"
        yield await _expect(anonymous, "certificate required", url, 403, word)
        url = f"{home.service_url}/anything/else"
        yield await _expect(anonymous, "nothing else published", url, 404, "CMGService_NotPublished")
    if home.tenant is not None:
        yield await _tenant(home, home.tenant)
    device = home.devices[0]
    context = ssl.create_default_context(cafile=home.authority)
    context.load_cert_chain(device.certificate, device.key)
    async with httpx.AsyncClient(verify=context, timeout=_TIMEOUT_S, trust_env=False) as client:
        url = f"{home.management_point_url}/SMS_MP/.sms_aut?MPLIST"
        yield await _expect(client, "device to management point", url, 200, "", content=b"<MPList")


def _tunnels(home: Home, figures: GatewayFigures) -> CheckResult:
    target = f"gateway with {WORKERS} workers"
    details = f"{figures.tunnels} tunnels, settings version {figures.settings_version}"
    if figures.tunnels >= WORKERS and figures.settings_version:
        return CheckResult("tunnels", target, Status.PASS, details)
    return CheckResult("tunnels", target, Status.FAIL, details, f"see {home.logs / 'connection-point.log'}")


async def _tenant(home: Home, tenant: FakeTenant) -> CheckResult:
    """The fake tenant, whose tokens count for nothing where a person who edited ``site.toml`` does not name it."""
    name = "fake Entra tenant"
    site = await asyncio.to_thread(load, home.site.config, SiteConfig)
    if all(one.tenant_id != tenant.tenant_id for one in site.entra_tenant):
        remedy = f"add it to {home.site.config}: [[entra_tenant]] tenant_id = {tenant.tenant_id} (docs/entra.md)"
        return CheckResult(name, tenant.origin, Status.FAIL, "not onboarded at the site", remedy)
    context = ssl.create_default_context(cafile=home.authority)
    async with httpx.AsyncClient(verify=context, timeout=_TIMEOUT_S, trust_env=False) as client:
        return await _expect(client, name, tenant.origin + tenant.metadata_path, 200, "", content=b"jwks_uri")


async def _expect(
    client: httpx.AsyncClient, name: str, url: str, status: int, word: str, *, content: bytes = b""
) -> CheckResult:
    try:
        response = await client.get(url)
    except httpx.HTTPError as error:
        return CheckResult(name, url, Status.FAIL, str(error) or type(error).__name__, "see the gateway's log")
    request_id = response.headers.get("X-Request-Id", "-")
    details = f"{response.status_code} {response.reason_phrase}, request {request_id}"
    good = (
        response.status_code == status and (not word or response.reason_phrase == word) and content in response.content
    )
    return CheckResult(name, url, Status.PASS if good else Status.FAIL, details, "" if good else _LOOK_IN_THE_LOGS)
