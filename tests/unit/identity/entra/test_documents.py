import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.clouds import CLOUDS, CloudName
from causeway.gateway_settings.entra import TokenVersion
from causeway.identity.entra.documents import (
    MAX_DOCUMENT_BYTES,
    MAX_KEYS,
    KeysUnusable,
    metadata_url,
    parse_keys,
    parse_metadata,
)
from tests.unit.identity.entra.issuer import ISSUERS, TENANT_ID, encoded, jwk, key_set, tenant

ISSUER = ISSUERS[TokenVersion.V2]


def metadata(**fields: Any) -> bytes:
    keys_url = f"https://login.microsoftonline.com/{TENANT_ID}/discovery/v2.0/keys"
    return json.dumps({"issuer": ISSUER, "jwks_uri": keys_url, **fields}).encode()


@pytest.mark.parametrize(
    ("cloud", "host"),
    [(CloudName.GLOBAL, "login.microsoftonline.com"), (CloudName.US_GOVERNMENT, "login.microsoftonline.us")],
)
def test_metadata_comes_from_the_tenant_s_cloud(cloud: CloudName, host: str) -> None:
    assert CLOUDS[cloud].authority == host
    asked = tenant(cloud=cloud)
    assert metadata_url(asked, TokenVersion.V1) == f"https://{host}/{TENANT_ID}/.well-known/openid-configuration"
    assert metadata_url(asked, TokenVersion.V2) == f"https://{host}/{TENANT_ID}/v2.0/.well-known/openid-configuration"


def test_an_authority_of_its_own_replaces_the_cloud_s() -> None:
    asked = tenant(authority="https://localhost:1234")
    assert (
        metadata_url(asked, TokenVersion.V1) == f"https://localhost:1234/{TENANT_ID}/.well-known/openid-configuration"
    )


def test_the_issuer_is_what_the_metadata_says() -> None:
    read = parse_metadata(metadata(issuer=ISSUERS[TokenVersion.V1]), tenant())
    assert read.issuer == f"https://sts.windows.net/{TENANT_ID}/"
    assert read.keys_url.endswith("/discovery/v2.0/keys")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 100_000,
        metadata(issuer=None),
        metadata(issuer="https://sts.windows.net/another/"),
        metadata(jwks_uri=None),
        metadata(jwks_uri="http://login.microsoftonline.com/keys"),
        metadata(jwks_uri="https://evil.example/keys"),
        metadata(jwks_uri="https://login.microsoftonline.com:444/keys"),
        metadata(jwks_uri="https://login.microsoftonline.com.evil.example/keys"),
        metadata(jwks_uri="https://login.microsoftonline.com/keys\r\nX: y"),
        metadata(jwks_uri="https://[::1/keys"),
        metadata() + b" " * MAX_DOCUMENT_BYTES,
    ],
)
def test_metadata_that_is_wrong_or_leads_elsewhere_is_refused(body: bytes) -> None:
    with pytest.raises(KeysUnusable):
        parse_metadata(body, tenant())


def test_keys_of_the_tenant_are_taken_and_others_passed_over() -> None:
    read = parse_keys(
        key_set(
            jwk("plain", use=None) | {"use": "sig"},
            jwk("with-algorithm", alg="RS256"),
            jwk("of-every-tenant", issuer="https://login.microsoftonline.com/{tenantid}/v2.0"),
            jwk("of-this-tenant", issuer=ISSUER),
            jwk(
                "of-another-tenant",
                issuer="https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
            ),
            jwk("for-encryption", use="enc"),
            jwk("for-another-algorithm", alg="PS256"),
            jwk("elliptic", kty="EC"),
            jwk("small", n=encoded(b"\xff" * 128).decode()),
            jwk("huge", n=encoded(b"\xff" * 2048).decode()),
            jwk("broken", n="!"),
            jwk("even", e=encoded(b"\x02").decode()),
            jwk("wide-exponent", e=encoded(b"\x01" * 8).decode()),
            jwk("with space"),
            {"kty": "RSA"},
        ),
        tenant(),
        ISSUER,
    )
    known = [name for name in ("plain", "with-algorithm", "of-every-tenant", "of-this-tenant") if read.keys.knows(name)]
    assert len(read.keys) == len(known) == 4
    assert read.issuer == ISSUER


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [1, "x", null, []]}',
        key_set(jwk(kty="EC")),
        json.dumps({"keys": [{}] * (MAX_KEYS + 1)}).encode(),
        b'{"keys": ' + b"9" * 10_000 + b"}",
    ],
)
def test_a_key_set_without_a_key_that_serves_is_refused(body: bytes) -> None:
    with pytest.raises(KeysUnusable):
        parse_keys(body, tenant(), ISSUER)


MEMBERS = st.sampled_from(("keys", "kty", "kid", "n", "e", "issuer", "jwks_uri"))
JSON = st.recursive(
    st.none() | st.text() | st.integers(), lambda parts: st.lists(parts) | st.dictionaries(MEMBERS, parts)
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_documents_or_refused(body: bytes) -> None:
    for read in (lambda: parse_metadata(body, tenant()), lambda: parse_keys(body, tenant(), ISSUER)):
        try:
            read()
        except KeysUnusable:
            continue


def test_the_certificate_of_a_key_is_not_looked_at() -> None:
    assert parse_keys(key_set(jwk(x5c=[base64.b64encode(b"junk").decode()])), tenant(), ISSUER).keys.knows("key-1")
