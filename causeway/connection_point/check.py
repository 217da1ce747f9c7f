"""Checks of a connection point: its files, the site, the gateways, the way through a proxy."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable

import httpx
from cryptography import x509

from causeway.connection_point.config import ConnectionPointConfig, GatewaySection
from causeway.connection_point.signed_identity import IdentitySigner
from causeway.connection_point.tls import gateway_context, site_context, site_system_context
from causeway.errors import OperatorError, StateError
from causeway.gateway_settings import verify
from causeway.gateway_settings.errors import SettingsError
from causeway.observability.checks import CheckResult, Status
from causeway.pki.in_use import ExpiresSoon, term_of
from causeway.pki.key_rights import check_key_rights
from causeway.pki.keys import load_verification_key
from causeway.pki.roles import Role, roles_of
from causeway.transport.proxy import connect_through
from causeway.transport.reasons import why
from causeway.tunnel.handshake import ALPN

_TIMEOUT_S = 10.0


async def check(config: ConnectionPointConfig) -> list[CheckResult]:
    """Look at every file, then ask the site for its settings and shake hands with every gateway."""
    results = [
        await _attempt("connection point certificate", str(config.identity.certificate), lambda: _certificate(config)),
        *check_key_rights(*filter(None, dict.fromkeys((config.identity.key, config.site_systems.key)))),
        _identity_signing(config),
        await _attempt("site key", str(config.site.key), lambda: _site_key(config)),
        await _attempt("site system trust", "site systems", lambda: _site_systems(config)),
        await _attempt("site", config.site.url, lambda: _site(config)),
    ]
    for gateway in config.gateway:

        def shake_hands(gateway: GatewaySection = gateway) -> Awaitable[str]:
            return _gateway(config, gateway)

        results.append(await _attempt("gateway", gateway.address, shake_hands))
    return results


async def _attempt(name: str, target: str, look: Callable[[], Awaitable[str]]) -> CheckResult:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return CheckResult(name, target, Status.PASS, await look())
    except ssl.SSLCertVerificationError as error:
        action = "check the authority file and the name in the certificate"
        return CheckResult(name, target, Status.FAIL, f"its certificate is not good: {error.verify_message}", action)
    except TimeoutError:
        return CheckResult(name, target, Status.FAIL, "no answer in time", "check the address, routes and firewalls")
    except httpx.HTTPStatusError as error:
        details = f"{error.response.status_code} {error.response.reason_phrase}"
        return CheckResult(name, target, Status.FAIL, details, "check this connection point's certificate at the site")
    except (OperatorError, OSError, ValueError, httpx.HTTPError, SettingsError) as error:
        details, _, action = why(error).removeprefix(f"{target}: ").partition("; ")
        status = Status.WARN if isinstance(error, ExpiresSoon) else Status.FAIL
        return CheckResult(name, target, status, details, action or "check the address, routes and files")


async def _certificate(config: ConnectionPointConfig) -> str:
    site_context(config)
    certificate = x509.load_pem_x509_certificate(config.identity.certificate.read_bytes())
    if Role.CONNECTION_POINT not in roles_of(certificate):
        raise OperatorError("it is not a connection point's; have the site issue one")
    return f"{certificate.subject.rfc4514_string()}, {term_of(certificate)}"


def _identity_signing(config: ConnectionPointConfig) -> CheckResult:
    """A warning where it cannot be: that is of no matter unless an application is published with sign_identity."""
    name, target = "identity signing", str(config.identity.key)
    signer = IdentitySigner(config.identity)
    try:
        signer.load()
    except StateError as error:
        details, _, action = str(error).removeprefix(f"{target}: ").partition("; ")
        return CheckResult(name, target, Status.WARN, details, action or "correct the files of the role certificate")
    return CheckResult(name, target, Status.PASS, f"{signer.algorithm}, for applications with sign_identity")


async def _site_key(config: ConnectionPointConfig) -> str:
    load_verification_key(config.site.key)
    return "an Ed25519 key"


async def _site_systems(config: ConnectionPointConfig) -> str:
    site_system_context(config)
    systems = config.site_systems
    trust = "the system's authorities" if systems.authority is None else str(systems.authority)
    shown = "no client certificate" if systems.certificate is None else f"client certificate {systems.certificate}"
    return f"trusts {trust}, shows {shown}"


async def _site(config: ConnectionPointConfig) -> str:
    async with httpx.AsyncClient(verify=site_context(config), trust_env=False, timeout=_TIMEOUT_S) as client:
        url = f"{config.site.url}/causeway/gateway-settings"
        response = await client.get(url, params={"newer_than": 0, "wait_s": 0})
        response.raise_for_status()
    settings = verify(response.content, load_verification_key(config.site.key))
    return f"gateway settings version {settings.version} with {len(settings.endpoints)} endpoints"


async def _gateway(config: ConnectionPointConfig, gateway: GatewaySection) -> str:
    host, _, port = gateway.address.rpartition(":")
    host = host.strip("[]")
    name = gateway.name or host
    context = gateway_context(config, gateway)
    proxy = config.proxy.web_proxy
    if proxy is None:
        _, writer = await asyncio.open_connection(host, int(port), ssl=context, server_hostname=name)
    else:
        sock = await connect_through(proxy, host, int(port))
        _, writer = await asyncio.open_connection(sock=sock, ssl=context, server_hostname=name)
    try:
        tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
        if tls.selected_alpn_protocol() != ALPN:
            raise OperatorError(f"whoever answers there does not speak {ALPN}; check the address and port")
        return f"speaks {ALPN} over {tls.version()}, its certificate and name are good"
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
