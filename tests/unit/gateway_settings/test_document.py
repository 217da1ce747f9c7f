"""What a gateway settings document may say: one reading, no surprises."""

import dataclasses
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from causeway.gateway_settings import Authentication, Endpoint, GatewaySettings, SettingsInvalid, sign, verify
from causeway.tunnel.prelude import split_question
from tests.unit.certificates import root, unreadable_pem

KEY = Ed25519PrivateKey.generate()
ENDPOINT: dict[str, Any] = {
    "name": "mp",
    "path": "/CCM_Proxy_MutualAuth/1/SMS_MP",
    "upstream": "https://mp.corp.example/SMS_MP",
    "authentication": "certificate",
    "methods": ["GET", "CCM_POST"],
    "max_body_bytes": 10,
}


def document(**changes: Any) -> GatewaySettings:
    """Through signing and back, as it travels."""
    content: dict[str, Any] = {"version": 1, "issued_at": "x", "site_code": "PS1", **changes}
    headers = {"typ": "causeway-gateway-settings"}
    signed = jwt.PyJWS().encode(json.dumps(content).encode(), KEY, algorithm="EdDSA", headers=headers)
    return verify(signed.encode(), KEY.public_key())


def with_endpoint(**changes: Any) -> GatewaySettings:
    return document(endpoints=[ENDPOINT | changes])


def test_a_good_document_is_read() -> None:
    settings = document(endpoints=[ENDPOINT], trusted_roots=[root().pem], blocked_certificates=["ab" * 32])
    assert settings.endpoints[0].authentication == (Authentication.CERTIFICATE,)
    assert settings.endpoints[0].methods == ("GET", "CCM_POST")


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 0},
        {"version": "1"},
        {"version": 1.5},
        {"format": 2},
        {"unknown": 1},
        {"site_code": None},
        {"trusted_roots": ["nonsense"]},
        {"trusted_roots": "nonsense"},
        {"trusted_roots": [""]},
        {"blocked_certificates": ["AB" * 32]},
        {"blocked_certificates": ["ab"]},
        {"endpoints": [ENDPOINT, ENDPOINT]},
        {"endpoints": [ENDPOINT, ENDPOINT | {"name": "MP", "path": "/other"}]},
        {"endpoints": [ENDPOINT, ENDPOINT | {"name": "other", "path": ENDPOINT["path"].upper()}]},
    ],
    ids=repr,
)
def test_a_document_with_another_content_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsInvalid):
        document(**changes)


def test_a_trusted_root_that_openssl_cannot_read_is_refused() -> None:
    for pem in (unreadable_pem(), root().pem + unreadable_pem()):
        with pytest.raises(SettingsInvalid):
            document(trusted_roots=[pem])


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "a b"},
        {"name": "a\n"},
        {"name": "x" * 101},
        {"path": "relative"},
        {"path": "/"},
        {"path": "/trailing/"},
        {"path": "/double//slash"},
        {"path": "/climbing/../x"},
        {"path": "/./x"},
        {"path": "/query?x"},
        {"path": "/fragment#x"},
        {"path": "/space x"},
        {"path": "/é"},
        {"path": "/line\n"},
        {"upstream": "mp.corp.example"},
        {"upstream": "ftp://mp/"},
        {"upstream": "https://mp*corp.example/"},
        {"upstream": "https://mp:/"},
        {"upstream": "https://user@mp/"},
        {"upstream": "https://user:password@mp/"},
        {"upstream": "https://mp/?x"},
        {"upstream": "https://mp/#x"},
        {"upstream": "https://mp:99999/"},
        {"upstream": "https:///x"},
        {"upstream": "https://mp/ x"},
        {"upstream": "https://mp/x\r\nX: y"},
        {"authentication": "tokens"},
        {"authentication": []},
        {"authentication": None},
        {"methods": ["GET POST"]},
        {"methods": ["GET\r\n"]},
        {"methods": ["X" * 33]},
        {"methods": "GET"},
        {"max_body_bytes": -1},
        {"max_body_bytes": "10"},
        {"response_timeout_s": 0},
        {"response_timeout_s": 1e400},
        {"connection_bound": 1},
        {"upgrades": ["WebSocket"]},
        {"upgrades": ["web socket"]},
        {"unknown": 1},
    ],
    ids=repr,
)
def test_an_endpoint_with_another_content_is_refused(changes: dict[str, Any]) -> None:
    with_endpoint()
    with pytest.raises(SettingsInvalid):
        with_endpoint(**changes)


@pytest.mark.parametrize(
    "path", ["/app", "/a/b.c/d_e~f", "/x-$metadata", "/{guid}", "/a;b=c,d", "/CCM_Proxy_ServerAuth/1/x!'()*+@:", "/%7B"]
)
def test_paths_of_the_field_may_be_published(path: str) -> None:
    assert with_endpoint(path=path).endpoints[0].path == path


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._$/-]{0,99}", fullmatch=True))
def test_every_name_that_may_be_published_fits_a_prelude(name: str) -> None:
    assert with_endpoint(name=name).endpoints[0].name == name
    prelude, _ = split_question(b" " + name.encode() + b" ::1 - -\r\n")
    assert prelude.endpoint == name.encode()


def test_a_document_that_was_made_here_is_checked_like_any_other() -> None:
    endpoint = Endpoint(**(ENDPOINT | {"authentication": (Authentication.NONE,), "methods": ("GET",)}))
    with pytest.raises(ValueError, match="two endpoints have the name mp"):
        GatewaySettings(version=1, issued_at="x", site_code="PS1", endpoints=(endpoint, endpoint))


paths = st.from_regex(r"(/[A-Za-z0-9._~$-]{1,8}){1,3}", fullmatch=True).filter(
    lambda path: not {".", ".."} & set(path.split("/"))
)
endpoints = st.builds(
    Endpoint,
    name=st.from_regex(r"[a-z][a-z0-9]{0,20}", fullmatch=True),
    path=paths,
    upstream=st.sampled_from(("http://a", "https://a:8443/b/c", "https://[::1]:1/x")),
    authentication=st.lists(st.sampled_from(Authentication), min_size=1, unique=True).map(tuple),
    methods=st.lists(st.sampled_from(("GET", "CCM_POST", "BITS_POST")), unique=True).map(tuple),
    max_body_bytes=st.integers(0, 2**40),
    connection_bound=st.booleans(),
    response_timeout_s=st.floats(0.1, 1000),
    upgrades=st.sampled_from(((), ("websocket",))),
)
documents = st.builds(
    GatewaySettings,
    version=st.integers(1, 2**62),
    issued_at=st.text(max_size=20),
    site_code=st.text(max_size=3),
    service_name=st.text(max_size=20),
    endpoints=st.lists(endpoints, max_size=4, unique_by=(lambda e: e.name.lower(), lambda e: e.path.lower())).map(
        tuple
    ),
    blocked_certificates=st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), max_size=2).map(tuple),
)


@given(documents)
def test_a_document_is_read_as_it_was_signed(settings: GatewaySettings) -> None:
    assert verify(sign(settings, KEY), KEY.public_key()) == settings
    assert sign(settings, KEY) == sign(dataclasses.replace(settings), KEY)
