import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from causeway.pki.authority import Authority
from causeway.pki.keys import new_p256_key
from causeway.pki.roles import Role
from causeway.site.config import SiteConfig
from causeway.site.context import InForce, Site
from causeway.site.database import Database
from causeway.site.peer import TLS_STATE, Client, TlsPeer, client_of, common_names, tls_peer
from causeway.site.trust import TrustedRoots
from tests.unit.certificates import root, twin_of

HASH = "0123456789abcdef" * 4


def peer(authority: Authority, name: str, role: Role) -> TlsPeer:
    issued = authority.issue_client(name, new_p256_key(), role)
    der = x509.load_pem_x509_certificate(issued.certificate_pem).public_bytes(Encoding.DER)
    found = tls_peer(der, TrustedRoots([authority.certificate]))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def point(authority: Authority) -> TlsPeer:
    return peer(authority, "point", Role.CONNECTION_POINT)


@pytest.fixture(scope="module")
def device(authority: Authority) -> TlsPeer:
    return peer(authority, "pc1", Role.DEVICE)


def client(tls: TlsPeer | None, *headers: tuple[bytes, bytes]) -> Client:
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "https",
        "path": "/",
        "query_string": b"",
        "server": ("mp", 443),
        "client": ("192.0.2.1", 1),
        "headers": list(headers),
        "state": {TLS_STATE: tls},
    }
    return client_of(Request(scope))


FORWARDED = (
    (b"x-forwarded-client-cert", f'Hash={HASH};Subject="CN=PC \u00e9"'.encode()),
    (b"x-forwarded-for", b"198.51.100.7"),
    (b"x-request-id", b"abc-1"),
)


def test_a_connection_point_vouches_for_a_device(point: TlsPeer) -> None:
    found = client(point, *FORWARDED)

    assert (found.address, found.request_id) == ("198.51.100.7", "abc-1")
    assert (found.certificate_fingerprint, found.subject) == (HASH, "CN=PC \u00e9")
    assert found.fingerprints == point.fingerprints | {HASH}


def test_a_device_vouches_for_nobody_but_itself(device: TlsPeer) -> None:
    found = client(device, *FORWARDED)

    assert (found.address, found.request_id, found.vouched) == ("192.0.2.1", "", None)
    assert found.certificate_fingerprint == device.fingerprint
    assert found.subject == "CN=pc1"


def test_a_client_without_a_certificate_is_nobody() -> None:
    found = client(None, *FORWARDED)

    assert (found.address, found.certificate_fingerprint, found.subject) == ("192.0.2.1", None, None)


def test_a_connection_points_own_certificate_is_no_devices(point: TlsPeer) -> None:
    assert client(point).certificate_fingerprint is None


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"Hash=" + HASH.encode(),
        f'Hash={HASH[:-1]};Subject="CN=a"'.encode(),
        f'Hash={HASH};Subject="CN=a";x'.encode(),
        f'Hash={HASH};Subject="CN="a"'.encode(),
        f'Hash={HASH.upper()};Subject="CN=a"'.encode(),
    ],
)
def test_a_header_of_another_form_vouches_for_nobody(point: TlsPeer, value: bytes) -> None:
    assert client(point, (b"x-forwarded-client-cert", value)).certificate_fingerprint is None


def test_an_authority_of_devices_cannot_make_a_connection_point(authority: Authority, tmp_path: Path) -> None:
    devices = Authority.create(tmp_path, "The authority of devices")
    issued = devices.issue_client("point", new_p256_key(), Role.CONNECTION_POINT)
    der = x509.load_pem_x509_certificate(issued.certificate_pem).public_bytes(Encoding.DER)

    found = tls_peer(der, TrustedRoots([authority.certificate]))

    assert found is not None
    assert not found.is_connection_point


def test_a_twin_of_a_blocked_certificate_is_blocked(configured: Callable[[str], SiteConfig]) -> None:
    issuer = root()
    device = issuer.issue("PC1")
    twin = twin_of(device, issuer)
    config = configured("")
    site = Site(InForce.read(config), Database(config.database))
    for blocked, other in ((device.der, twin), (twin, device.der)):
        site.block([hashlib.sha256(blocked).hexdigest()])
        found = client(tls_peer(other, TrustedRoots([])))
        assert any(site.is_blocked(one) for one in found.fingerprints)
        assert site.is_certificate_blocked(x509.load_der_x509_certificate(other))
    assert not site.is_certificate_blocked(issuer.issue("PC2").certificate)


def test_a_header_that_comes_twice_counts_as_none(point: TlsPeer) -> None:
    assert client(point, *FORWARDED, *FORWARDED).vouched is None


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_in_the_headers_are_taken_or_ignored(point: TlsPeer, certificate: bytes, request_id: bytes) -> None:
    found = client(point, (b"x-forwarded-client-cert", certificate), (b"x-request-id", request_id))

    assert found.request_id == "" or found.request_id.isascii()


@given(st.binary())
def test_any_bytes_in_place_of_a_certificate_are_no_peer(data: bytes) -> None:
    assert tls_peer(data, TrustedRoots([])) is None


@given(st.text(max_size=200))
def test_a_subject_from_a_connection_point_has_common_names_or_none(text: str) -> None:
    assert all(name == name.lower() for name in common_names(text))


def test_common_names_are_those_of_the_subject_in_lower_case() -> None:
    assert common_names("CN=PC1,O=Contoso\\, Ltd") == {"pc1"}
    assert common_names("O=CN\\=PC1") == set()
    assert common_names("CN=Ä+CN=b") == {"ä", "b"}
    assert common_names('CN="') == set()
