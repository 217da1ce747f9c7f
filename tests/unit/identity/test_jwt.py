"""A token has one reading or none, costs little to refuse, and no header of its own chooses how it is verified."""

import hashlib
import hmac
import json
import time
from unittest.mock import patch

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given
from hypothesis import strategies as st

from causeway.gateway_settings import SiteTokens
from causeway.identity import Denied
from causeway.identity.jwt import MAX_TOKEN_BYTES, KeyRing, read_token
from causeway.identity.site_token import sign, verify
from tests.unit.identity.tokens import EC_KEY, NOW, RSA_KEY, SETTINGS, compact, device_claims, device_token, part

HEADER = {"alg": "RS256", "typ": "JWT", "kid": "rsa"}
CLAIMS = device_claims().as_json()
GOOD = device_token()
PUBLIC_PEM = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def with_own_key(header: dict[str, object]) -> bytes:
    """Signed by the attacker's key, which the header brings along."""
    attacker = pyjwt.PyJWS()
    return attacker.encode(json.dumps(CLAIMS).encode(), EC_KEY, "ES256", headers={"kid": "rsa", **header}).encode()


def hs256_with_the_public_key() -> bytes:
    signed = part({**HEADER, "alg": "HS256"}) + b"." + part(CLAIMS)
    return signed + b"." + part(hmac.digest(PUBLIC_PEM, signed, hashlib.sha256))


def resigned(claims: bytes) -> bytes:
    """Any payload, with a good signature: what a signing key that leaked or a site gone wrong could make."""
    return pyjwt.PyJWS().encode(claims, RSA_KEY, "RS256", headers={"kid": "rsa"}).encode()


HOSTILE = {
    "empty": b"",
    "dots": b"..",
    "many dots": b"." * MAX_TOKEN_BYTES,
    "two parts": GOOD.rpartition(b".")[0],
    "four parts": GOOD + b".e30",
    "five parts, encrypted": b".".join((part({"alg": "RSA-OAEP", "enc": "A256GCM"}), b"AA", b"AA", b"AA", b"AA")),
    "no signature": GOOD.rpartition(b".")[0] + b".",
    "signature cut": GOOD[:-4],
    "signature grown": GOOD + b"AAAA",
    "signature of zeros": compact(HEADER, CLAIMS, b"\0" * 256),
    "payload of another": b".".join((GOOD.split(b".")[0], part({**CLAIMS, "SMSID": "GUID:x"}), GOOD.split(b".")[2])),
    "alg none": compact({**HEADER, "alg": "none"}, CLAIMS),
    "alg None": compact({**HEADER, "alg": "None"}, CLAIMS, b"\0"),
    "alg null": compact({**HEADER, "alg": None}, CLAIMS),
    "alg a list": compact({**HEADER, "alg": ["RS256"]}, CLAIMS),
    "no alg": compact({"kid": "rsa"}, CLAIMS),
    "HS256 with the public key": hs256_with_the_public_key(),
    "PS256": pyjwt.encode(CLAIMS, RSA_KEY, "PS256", headers={"kid": "rsa"}).encode(),
    "RS512": pyjwt.encode(CLAIMS, RSA_KEY, "RS512", headers={"kid": "rsa"}).encode(),
    "ES256 with the id of the RSA key": sign(device_claims(), "rsa", EC_KEY).encode(),
    "ES256 of zeros (the psychic signature)": compact({**HEADER, "alg": "ES256", "kid": "ec"}, CLAIMS, b"\0" * 64),
    "unknown kid": compact({**HEADER, "kid": "another"}, CLAIMS),
    "kid that climbs": compact({**HEADER, "kid": "../../../../dev/null"}, CLAIMS),
    "kid that injects": compact({**HEADER, "kid": "x' UNION SELECT 'key"}, CLAIMS),
    "kid a number": compact({**HEADER, "kid": 1}, CLAIMS),
    "kid an object": compact({**HEADER, "kid": {}}, CLAIMS),
    "no kid": compact({"alg": "RS256"}, CLAIMS),
    "jwk of its own": with_own_key({"jwk": json.loads(pyjwt.algorithms.ECAlgorithm.to_jwk(EC_KEY.public_key()))}),
    "jku of its own": with_own_key({"jku": "http://169.254.169.254/keys"}),
    "x5u of its own": with_own_key({"x5u": "http://169.254.169.254/certificate"}),
    "x5c of its own": with_own_key({"x5c": ["MIIB"]}),
    "crit": compact({**HEADER, "crit": ["exp"]}, CLAIMS),
    "crit empty": compact({**HEADER, "crit": []}, CLAIMS),
    "b64 false": compact({**HEADER, "b64": False}, CLAIMS),
    "zip": compact({**HEADER, "zip": "DEF"}, CLAIMS),
    "alg twice": compact(b'{"alg":"none","alg":"RS256","kid":"rsa"}', CLAIMS),
    "a claim twice": resigned(json.dumps(CLAIMS).encode()[:-1] + b',"SMSID":"GUID:other"}'),
    "a claim twice, escaped": resigned(json.dumps(CLAIMS).encode()[:-1] + b',"SMS\\u0049D":"GUID:other"}'),
    "header a list": compact([HEADER], CLAIMS),
    "header a string": compact("RS256", CLAIMS),
    "payload a list": resigned(json.dumps([CLAIMS]).encode()),
    "payload a token": resigned(GOOD),
    "payload null": resigned(b"null"),
    "payload empty": resigned(b""),
    "payload with a tail": resigned(json.dumps(CLAIMS).encode() + b"{}"),
    "payload UTF-16": resigned(json.dumps(CLAIMS).encode("utf-16")),
    "payload with a mark of order": resigned(b"\xef\xbb\xbf" + json.dumps(CLAIMS).encode()),
    "payload not UTF-8": resigned(b'{"iss":"\xff"}'),
    "nested": resigned(b'{"a":' * 2000 + b"1" + b"}" * 2000),
    "nested lists": resigned(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    "nested a little too deep": resigned(json.dumps({**CLAIMS, "a": [[[[[[1]]]]]]}).encode()),
    "a huge number": resigned(json.dumps(CLAIMS).encode()[:-1] + b',"n":' + b"9" * 9000 + b"}"),
    "a huge exponent": resigned(json.dumps(CLAIMS).encode()[:-1] + b',"n":1e999999999}'),
    "NaN": resigned(json.dumps({**CLAIMS, "exp": float("nan")}).encode()),
    "Infinity": resigned(json.dumps({**CLAIMS, "exp": float("inf")}).encode()),
    "exp a string": resigned(json.dumps({**CLAIMS, "exp": str(NOW + 60)}).encode()),
    "exp true": resigned(json.dumps({**CLAIMS, "exp": True}).encode()),
    "exp a fraction": resigned(json.dumps({**CLAIMS, "exp": NOW + 60.5}).encode()),
    "no exp": resigned(json.dumps({k: v for k, v in CLAIMS.items() if k != "exp"}).encode()),
    "aud a list": resigned(json.dumps({**CLAIMS, "aud": ["urn:sccm:service"]}).encode()),
    "NUL in a name": resigned(json.dumps({**CLAIMS, "Name": "PC1\0.corp.example"}).encode()),
    "line break in an id": resigned(json.dumps({**CLAIMS, "SMSID": "GUID:x\r\nX-Causeway-Device: y"}).encode()),
    "half a surrogate": resigned(json.dumps({**CLAIMS, "Name": "\ud800"}).encode()),
    "huge claims": compact(HEADER, {**CLAIMS, "x": "y" * MAX_TOKEN_BYTES}),
    "very many claims": compact(HEADER, b"{" + b",".join(b'"%d":{}' % n for n in range(1200)) + b"}"),
    "very many lists": resigned(b'{"a":[' + b"[]," * 3800 + b"[]]}"),
    "base64 with padding": GOOD + b"=",
    "base64, not base64url": GOOD.replace(b".", b"+.", 1),
    "white space": GOOD.replace(b".", b" .", 1),
    "spare bits set": b".".join((part(HEADER), part(CLAIMS), b"x" * 341 + b"B")),
    "one character too many": compact(HEADER, CLAIMS)[:-3] + b"A",
    "the site's category changed": resigned(json.dumps({**CLAIMS, "SCCMTokenCategory": "SCCMPreAuthToken"}).encode()),
    "an unknown type": resigned(json.dumps({**CLAIMS, "Type": "Administrator"}).encode()),
    "a type that is no text": resigned(json.dumps({**CLAIMS, "Type": {"a": 1}}).encode()),
    "typ of another use": pyjwt.encode(CLAIMS, RSA_KEY, "RS256", headers={"kid": "rsa", "typ": "at+jwt"}).encode(),
}


def test_the_token_from_which_the_hostile_ones_are_made_is_good() -> None:
    assert verify(resigned(json.dumps(CLAIMS).encode()), SETTINGS, NOW) == verify(GOOD, SETTINGS, NOW)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_token_is_refused_with_the_one_coarse_word(name: str) -> None:
    started = time.process_time()
    with pytest.raises(Denied) as denied:
        verify(HOSTILE[name], SETTINGS, NOW)
    assert time.process_time() - started < 1  # generous by two orders of magnitude
    assert denied.value.refused_word == "CMGService_Invalid_Token"
    assert denied.value.denial.guessed
    assert len(denied.value.denial.details) < 1000


def test_a_token_of_more_than_the_most_bytes_is_not_looked_at() -> None:
    with patch("base64.urlsafe_b64decode") as decode, pytest.raises(Denied):
        read_token(b"a." + b"b" * MAX_TOKEN_BYTES + b".c")
    decode.assert_not_called()


@given(st.binary(max_size=300) | st.lists(st.binary(max_size=60), min_size=3, max_size=3).map(lambda p: compact(*p)))
@example(b"e30.e30.")
def test_any_bytes_are_refused_without_another_error(compact: bytes) -> None:
    with pytest.raises(Denied):
        verify(compact, SETTINGS, NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@given(st.dictionaries(st.sampled_from(sorted(CLAIMS)), json_values, min_size=1, max_size=4))
def test_any_claims_make_a_device_or_a_refusal(changes: dict[str, object]) -> None:
    try:
        identity = verify(resigned(json.dumps({**CLAIMS, **changes}).encode()), SETTINGS, NOW)
    except Denied:
        return
    assert identity.headers("::1").count(b"\n") == identity.headers("::1").count(b"\r\n")


@given(st.integers(0, len(GOOD) - 1), st.sampled_from(b"ABCDwxyz019-_."))
def test_a_token_with_one_character_changed_is_refused(position: int, character: int) -> None:
    changed = bytearray(GOOD)
    changed[position] = character
    if bytes(changed) != GOOD:
        with pytest.raises(Denied):
            verify(bytes(changed), SETTINGS, NOW)


def test_an_unknown_key_costs_the_same_work_as_a_wrong_signature() -> None:
    def work(token: bytes) -> list[str]:
        done: list[str] = []
        real = pyjwt.get_algorithm_by_name

        def noted(name: str) -> object:
            done.append(name)
            return real(name)

        with patch("jwt.get_algorithm_by_name", noted), pytest.raises(Denied) as denied:
            verify(token, SETTINGS, NOW)
        assert denied.value.refused_word == "CMGService_Invalid_Token"
        return done

    for algorithm, kid, signature in (("RS256", "rsa", b"x" * 256), ("ES256", "ec", b"x" * 64)):
        header = {"alg": algorithm, "kid": kid}
        wrong = compact(header, CLAIMS, signature)
        unknown = compact({**header, "kid": "another"}, CLAIMS, signature)
        assert work(wrong) == work(unknown) == [algorithm]


def test_a_ring_without_keys_knows_nobody() -> None:
    with pytest.raises(Denied, match="no keys"):
        verify(GOOD, SiteTokens(issuer=SETTINGS.issuer), NOW)
    assert not len(KeyRing(()))


def test_nothing_of_a_token_stands_in_its_repr() -> None:
    assert GOOD.split(b".")[1].decode()[:20] not in repr(read_token(GOOD))
    assert "GUID" not in repr(read_token(GOOD))
