"""Who a client is, signed: once a client and half a minute, and never more than is known."""

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from causeway.connection_point.config import IdentitySection
from causeway.connection_point.signed_identity import (
    HEADER,
    LIFETIME_S,
    REUSED_FOR_S,
    IdentitySigner,
    SignedIdentities,
    audience_of,
    encoded_chain,
    issuer_of,
)
from causeway.errors import StateError
from causeway.identity import ANONYMOUS, Identity, Kind
from causeway.pki.authority import Authority
from causeway.pki.export import key_pem, pem_chain
from causeway.pki.keys import CertificateKey, new_p256_key, new_rsa_key
from causeway.pki.roles import Role
from causeway.refusals import Refused

NOW = 1_800_000_000.0
DEVICE = Identity(Kind.SITE_TOKEN, "ab" * 32, "PC1", "GUID:1", token="t1")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"), "site")


def files(folder: Path, authority: Authority, key: CertificateKey) -> IdentitySection:
    section = IdentitySection(certificate=folder / "cp.pem", key=folder / "cp.key")
    authority.issue_client("cp1", key, Role.CONNECTION_POINT).write(section.certificate, section.key)
    return section


class CountingSigner(IdentitySigner):
    def __init__(self, section: IdentitySection) -> None:
        super().__init__(section)
        self.signed = 0
        self.load()

    def sign(self, claims: dict[str, Any]) -> bytes:
        self.signed += 1
        return super().sign(claims)


@pytest.fixture
def signer(tmp_path: Path, authority: Authority) -> CountingSigner:
    return CountingSigner(files(tmp_path, authority, new_p256_key()))


def identities(signer: IdentitySigner | None) -> SignedIdentities:
    return SignedIdentities(signer, issuer_of("PS1"), "https://intranet", "intranet")


def claims_of(line: bytes) -> dict[str, Any]:
    name, _, token = line.decode().removesuffix("\r\n").partition(": ")
    assert name == HEADER
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_the_token_says_what_the_headers_say_and_for_whom_and_how_long(signer: CountingSigner) -> None:
    claims = claims_of(identities(signer).line(DEVICE.encode(), NOW))
    assert claims == {
        "iss": "urn:causeway:site:PS1",
        "aud": "https://intranet",
        "sub": "GUID:1",
        "iat": NOW,
        "exp": NOW + LIFETIME_S,
        "endpoint": "intranet",
        "client": "site-token",
        "device": "GUID:1",
        "certificate": "ab" * 32,
        "subject": "PC1",
        "token": "t1",
    }


@pytest.mark.parametrize(
    ("identity", "subject"),
    [
        (Identity(Kind.CERTIFICATE, "cd" * 32, "CN=PC1"), "cd" * 32),
        (Identity(Kind.ENTRA_USER, tenant="t", user="u"), "u"),
        (Identity(Kind.BULK_TOKEN, token="b1"), "b1"),
    ],
)
def test_a_client_without_a_device_id_is_named_by_what_it_showed(
    signer: CountingSigner, identity: Identity, subject: str
) -> None:
    assert claims_of(identities(signer).line(identity.encode(), NOW))["sub"] == subject


def test_nothing_is_signed_for_an_anonymous_client(signer: CountingSigner) -> None:
    assert identities(signer).line(ANONYMOUS.encode(), NOW) == b""
    assert signer.signed == 0


def test_a_client_that_comes_back_costs_a_signature_every_half_minute(signer: CountingSigner) -> None:
    signed = identities(signer)
    first = signed.line(DEVICE.encode(), NOW)
    assert all(signed.line(DEVICE.encode(), NOW + second) == first for second in range(REUSED_FOR_S))
    assert signer.signed == 1
    assert claims_of(signed.line(DEVICE.encode(), NOW + REUSED_FOR_S))["exp"] == NOW + REUSED_FOR_S + LIFETIME_S
    assert signer.signed == 2


def test_a_token_from_the_future_is_not_reused_when_the_clock_goes_back(signer: CountingSigner) -> None:
    signed = identities(signer)
    signed.line(DEVICE.encode(), NOW)
    assert claims_of(signed.line(DEVICE.encode(), NOW - 1000))["iat"] == NOW - 1000


def test_clients_and_endpoints_do_not_share_tokens(signer: CountingSigner) -> None:
    one, two = identities(signer), SignedIdentities(signer, "i", "https://other", "other")
    other = Identity(Kind.SITE_TOKEN, "", "PC2", "GUID:2")
    lines = {each.line(who.encode(), NOW) for each in (one, two) for who in (DEVICE, other)}
    assert len(lines) == 4


def test_only_so_many_clients_are_remembered_and_the_oldest_go_first(
    signer: CountingSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("causeway.connection_point.signed_identity._MOST_CLIENTS", 3)
    signed = identities(signer)
    clients = [Identity(Kind.SITE_TOKEN, "", "", f"GUID:{number}").encode() for number in range(4)]
    lines = [signed.line(client, NOW) for client in clients]
    assert [signed.line(client, NOW) for client in clients[1:]] == lines[1:]
    assert signer.signed == 4
    signed.line(clients[0], NOW)
    assert signer.signed == 5


def test_an_rsa_key_signs_rs256(tmp_path: Path, authority: Authority) -> None:
    signer = CountingSigner(files(tmp_path, authority, new_rsa_key()))
    header = jwt.get_unverified_header(signer.sign({}))
    assert (header["alg"], header["typ"], len(header["x5c"])) == ("RS256", "causeway-identity+jwt", 1)


def test_without_a_key_that_signs_the_request_is_refused_and_nothing_goes_out_unsigned(
    tmp_path: Path, authority: Authority
) -> None:
    signer = IdentitySigner(files(tmp_path, authority, ec.generate_private_key(ec.SECP521R1())))
    with pytest.raises(StateError, match="signs no tokens"):
        signer.load()
    for each in (signer, None):
        with pytest.raises(Refused) as refused:
            identities(each).line(DEVICE.encode(), NOW)
        assert refused.value.refused_word == "CMGConnector_IdentityNotSigned"
    assert "signs no tokens" in signer.problem


def test_a_key_that_does_not_fit_leaves_the_one_in_force(signer: CountingSigner, authority: Authority) -> None:
    before = jwt.get_unverified_header(signer.sign({}))
    other = authority.issue_client("cp1", new_p256_key(), Role.CONNECTION_POINT)
    section = signer._files
    section.key.write_bytes(other.key_pem)
    with pytest.raises(StateError, match="not the RSA or EC key"):
        signer.load()
    assert jwt.get_unverified_header(signer.sign({})) == before
    section.certificate.write_bytes(other.certificate_pem)
    signer.load()
    assert jwt.get_unverified_header(signer.sign({})) != before


@pytest.mark.parametrize(
    ("upstream", "origin"),
    [
        ("https://Intranet.Corp.example/app/x", "https://intranet.corp.example"),
        ("https://a:443/", "https://a"),
        ("https://a:8444", "https://a:8444"),
        ("http://a:80/x", "http://a"),
        ("http://a:443/x", "http://a:443"),
        ("https://[2001:db8::1]:8444/x", "https://[2001:db8::1]:8444"),
    ],
)
def test_the_audience_is_the_origin(upstream: str, origin: str) -> None:
    assert audience_of(upstream) == origin


@cache
def any_signer(folder: Path) -> IdentitySigner:
    signer = IdentitySigner(IdentitySection(certificate=folder / "cp.pem", key=folder / "cp.key"))
    signer.load()
    return signer


@given(subject=st.text(max_size=60), encoded=st.none() | st.binary(max_size=60))
def test_whatever_a_gateway_says_stays_within_one_header_line(
    subject: str, encoded: bytes | None, tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any-signer"
    if not folder.exists():
        folder.mkdir()
        files(folder, authority, new_p256_key())
    identity = Identity(Kind.CERTIFICATE, "ab" * 32, subject).encode() if encoded is None else encoded
    try:
        line = identities(any_signer(folder)).line(identity, NOW)
    except ValueError:
        return
    if line:
        assert line.count(b"\r\n") == 1
        assert claims_of(line)["client"] in list(Kind)


def test_the_chain_goes_along_in_order_and_without_its_root(tmp_path: Path) -> None:
    root_key, middle_key, leaf_key = new_p256_key(), new_p256_key(), new_p256_key()
    root = certificate("root", root_key, "root", root_key)
    middle = certificate("middle", middle_key, "root", root_key)
    leaf = certificate("cp", leaf_key, "middle", middle_key)
    section = IdentitySection(certificate=tmp_path / "cp.pem", key=tmp_path / "cp.key")
    section.certificate.write_bytes(pem_chain([leaf, root, middle]))
    section.key.write_bytes(key_pem(leaf_key, None))
    signer = CountingSigner(section)
    assert jwt.get_unverified_header(signer.sign({}))["x5c"] == encoded_chain((leaf, middle))


def certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    def named(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])

    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(issuer_key, SHA256())
    )
