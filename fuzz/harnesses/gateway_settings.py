"""The gateway settings: what verifies can be put in force, at the gateway and at the connection point."""

import ssl
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from causeway.connection_point.site_systems import SiteSystems
from causeway.gateway.publishing import PublishingTable
from causeway.gateway.tls import service_context
from causeway.gateway_settings import GatewaySettings, SettingsError, sign, verify
from causeway.http import parse_request_head
from fuzz.data_path import Ground

# A key for nothing but this: the document must be signed, or no input would ever come further than its signature.
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_TYPE = {"typ": "causeway-gateway-settings"}
_AS_SENT = 1


def check(data: bytes) -> bool:
    """With a first byte of 1 the rest is a signed document as sent; else it is signed here first."""
    signed = data[1:] if data[:1] == bytes((_AS_SENT,)) else _signed(data[1:])
    try:
        settings = verify(signed, KEY.public_key())
    except SettingsError:
        return False
    assert verify(sign(settings, KEY), KEY.public_key()) == settings
    _can_be_put_in_force(settings)
    return True


def _signed(payload: bytes) -> bytes:
    return jwt.PyJWS().encode(payload, KEY, algorithm="EdDSA", headers=_TYPE).encode()


def _can_be_put_in_force(settings: GatewaySettings) -> None:
    table = PublishingTable(settings, {})
    systems = SiteSystems(_context(), connect_timeout_s=1.0, idle_timeout_s=1.0, limit=1)
    systems.apply(settings)
    for endpoint in settings.endpoints:
        path = endpoint.path.encode()
        assert table.find(path).name == endpoint.name.encode() or path.lower().startswith(b"/ccm_proxy_")
        route = systems.routes[endpoint.name.encode()]
        for method in endpoint.methods[:1]:
            head = parse_request_head(b"%b %b/x HTTP/1.1\r\nHost: a\r\n\r\n" % (method.encode(), path))
            internal = b"%b %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (head.method, route.internal_target(head), route.host)
            assert parse_request_head(internal).host == route.host
    if settings.trusted_roots:
        service_context(_ground().gateway_config(), settings.trusted_roots)


@cache
def _ground() -> Ground:
    return Ground()


@cache
def _context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
