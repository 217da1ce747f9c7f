"""Gateway settings."""

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from causeway.gateway_settings import Authentication, Endpoint, GatewaySettings, sign
from fuzz.harnesses.gateway_settings import KEY

_START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def _root() -> str:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Root")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(_START).not_valid_after(_START + dt.timedelta(days=3650))
    return builder.sign(key, None).public_bytes(Encoding.PEM).decode()


_LEAST = GatewaySettings(version=1, issued_at="2026-01-01T00:00:00Z", site_code="PS1")
_MOST = GatewaySettings(
    version=1_800_000_000,
    issued_at="2026-01-01T00:00:00Z",
    site_code="PS1",
    service_name="gateway.example",
    endpoints=(
        Endpoint(
            name="MP",
            path="/CCM_Proxy_MutualAuth/72057594037927937",
            upstream="https://mp.corp.example:8443/SMS_MP",
            authentication=(Authentication.CERTIFICATE,),
            methods=("GET", "CCM_POST"),
            max_body_bytes=32 * 1024 * 1024,
        ),
        Endpoint(
            name="chat",
            path="/apps/chat",
            upstream="http://[2001:db8::5]/",
            authentication=(Authentication.NONE,),
            methods=("GET",),
            max_body_bytes=0,
            connection_bound=True,
            upgrades=("websocket",),
            response_timeout_s=3.5,
        ),
    ),
    trusted_roots=(_root(),),
    blocked_certificates=("ab" * 32,),
)


def seeds() -> Iterator[tuple[str, str, bytes]]:
    """For the harness of ``gateway_settings/``: as documents, and as the site signs them."""
    for name, settings in {"least": _LEAST, "most": _MOST}.items():
        document = json.dumps(dataclasses.asdict(settings), separators=(",", ":"), sort_keys=True).encode()
        yield "gateway_settings", name, b"\0" + document
        yield "gateway_settings", f"{name}-signed", b"\1" + sign(settings, KEY)
