import contextlib
import hmac
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from causeway.gateway_settings.entra import EntraTenant, TokenUser, TokenVersion
from causeway.identity import Identity, Kind
from causeway.identity.denial import EXPIRED, INVALID, NOT_YET_VALID, Denied
from causeway.identity.entra.documents import TenantKeys
from causeway.identity.entra.steps import INSUFFICIENT, NO_KEYS, NOT_ONBOARDED, KeyMissing
from causeway.identity.entra.verifier import EntraVerifier, no_keys
from causeway.identity.jwt import read_token
from causeway.identity.verified import Verified
from tests.unit.identity.entra import issuer
from tests.unit.identity.entra.issuer import APP, AUDIENCE, ISSUERS, TENANT_ID, tenant, token, user_token

OTHER_ID = "99999999-2222-4333-8444-555555555555"
DEVICE_ID = "de71ce00-0000-4000-8000-000000000001"
USER_ID = "0b1d0000-0000-4000-8000-000000000001"
V1, V2 = TokenVersion.V1, TokenVersion.V2


PUBLISHED = issuer.published()


@pytest.fixture
def keys() -> TenantKeys:
    return PUBLISHED


def verify(compact: bytes, keys: TenantKeys, known: EntraTenant | None = None) -> Verified:
    verifier = EntraVerifier([known or tenant()], lambda _tenant_id: keys)
    read = read_token(compact)
    assert verifier.responsible(read.issuer)
    return verifier.verify(read, time.time())


@pytest.mark.parametrize("version", TokenVersion)
def test_a_device_s_token_of_either_version_names_the_device(version: TokenVersion, keys: TenantKeys) -> None:
    verified = verify(token(version), keys)
    assert verified.identity == Identity(Kind.ENTRA_DEVICE, device=DEVICE_ID, tenant=TENANT_ID)
    assert verified.expires == pytest.approx(time.time() + 3600 + 60, abs=5)


@pytest.mark.parametrize("version", TokenVersion)
def test_a_user_s_token_names_the_user_and_the_device_where_it_is_on_one(
    version: TokenVersion, keys: TenantKeys
) -> None:
    assert verify(user_token(version), keys).identity == Identity(
        Kind.ENTRA_USER, device=DEVICE_ID, tenant=TENANT_ID, user=USER_ID
    )
    assert verify(user_token(version, deviceid=None), keys).identity.device == ""


def test_the_claim_that_names_the_device_is_a_setting(keys: TenantKeys) -> None:
    named = tenant(device_claim="onprem_sid")
    assert verify(token(onprem_sid="S-1-5-21-1"), keys, named).identity.device == "s-1-5-21-1"
    with pytest.raises(Denied, match="names no device"):
        verify(token(), keys, named)


@pytest.mark.parametrize(
    ("claims", "word", "claim"),
    [
        ({"exp": time.time() - 100}, EXPIRED, "exp"),
        ({"exp": None}, INVALID, "exp"),
        ({"exp": "tomorrow"}, INVALID, "exp"),
        ({"exp": True}, INVALID, "exp"),
        ({"nbf": time.time() + 3600}, NOT_YET_VALID, "nbf"),
        ({"nbf": None}, INVALID, "nbf"),
        ({"nbf": -1}, INVALID, "nbf"),
        ({"aud": "api://another"}, INSUFFICIENT, "aud"),
        ({"aud": AUDIENCE.upper()}, INSUFFICIENT, "aud"),
        ({"aud": [AUDIENCE]}, INSUFFICIENT, "aud"),
        ({"aud": None}, INSUFFICIENT, "aud"),
        ({"iss": ISSUERS[V2]}, INVALID, "iss"),
        ({"iss": f"https://sts.windows.net/{TENANT_ID}"}, INVALID, "iss"),
        ({"iss": f"https://evil.example/{TENANT_ID}/"}, INVALID, "iss"),
        ({"tid": OTHER_ID}, INVALID, "tid"),
        ({"tid": None}, INVALID, "tid"),
        ({"ver": "3.0"}, INVALID, "iss"),
        ({"ver": None}, INVALID, "iss"),
        ({"appid": OTHER_ID}, INSUFFICIENT, "appid"),
        ({"appid": None, "azp": APP}, INSUFFICIENT, "appid"),
        ({"idtyp": "user"}, INSUFFICIENT, "scp"),
        ({"deviceid": None}, INSUFFICIENT, "deviceid"),
        ({"deviceid": ""}, INSUFFICIENT, "deviceid"),
        ({"deviceid": 7}, INSUFFICIENT, "deviceid"),
        ({"deviceid": "two words"}, INSUFFICIENT, "deviceid"),
    ],
)
def test_a_device_s_token_that_says_something_wrong_is_refused_by_the_name_of_the_claim(
    claims: dict[str, Any], word: str, claim: str, keys: TenantKeys
) -> None:
    with pytest.raises(Denied) as caught:
        verify(token(**claims), keys)
    assert caught.value.denial.word == word
    assert claim in caught.value.denial.details


@pytest.mark.parametrize(
    ("claims", "word", "claim"),
    [
        ({"scp": "mail.read"}, INSUFFICIENT, "scp"),
        ({"scp": ""}, INSUFFICIENT, "scp"),
        ({"scp": ["user_impersonation"]}, INSUFFICIENT, "scp"),
        ({"scp": "user_impersonation2"}, INSUFFICIENT, "scp"),
        ({"oid": None}, INSUFFICIENT, "oid"),
        ({"oid": None, "upn": "someone@example.com", "name": "Someone"}, INSUFFICIENT, "oid"),
        ({"idtyp": "app"}, INVALID, "idtyp"),
    ],
)
def test_a_user_s_token_that_says_something_wrong_is_refused_by_the_name_of_the_claim(
    claims: dict[str, Any], word: str, claim: str, keys: TenantKeys
) -> None:
    with pytest.raises(Denied) as caught:
        verify(user_token(**claims), keys)
    assert caught.value.denial.word == word
    assert claim in caught.value.denial.details


@pytest.mark.parametrize("claim", ["aud", "tid", "appid", "scp", "roles", "deviceid", "ver", "exp", "nbf"])
def test_what_is_logged_of_a_refusal_names_claims_and_never_their_values(claim: str, keys: TenantKeys) -> None:
    secret = "5ec4e7 5ec4e7"
    claims: dict[str, Any] = {claim: secret}
    with pytest.raises(Denied) as caught:
        verify(token(**claims), keys, tenant(roles=("register",)))
    assert secret not in repr(caught.value.denial)


def test_a_user_s_token_is_refused_where_only_devices_are_accepted_and_the_other_way_round(keys: TenantKeys) -> None:
    with pytest.raises(Denied, match="user's token"):
        verify(user_token(), keys, tenant(accept=(TokenUser.DEVICE,)))
    with pytest.raises(Denied, match="device's token"):
        verify(token(), keys, tenant(accept=(TokenUser.USER,)))


def test_a_device_s_token_needs_a_role_where_the_tenant_asks_for_one(keys: TenantKeys) -> None:
    asking = tenant(roles=("register", "report"))
    assert verify(token(roles=["other", "report"]), keys, asking).identity.device == DEVICE_ID
    for roles in (["other"], "report", None, [["report"]]):
        with pytest.raises(Denied, match="roles"):
            verify(token(roles=roles), keys, asking)


def test_a_version_that_is_not_taken_is_refused(keys: TenantKeys) -> None:
    only_v2 = tenant(versions=(V2,))
    assert verify(token(V2), keys, only_v2)
    with pytest.raises(Denied) as caught:
        verify(token(V1), keys, only_v2)
    assert caught.value.denial.word == INSUFFICIENT


def test_a_token_of_another_key_or_with_another_signature_is_refused(keys: TenantKeys) -> None:
    with pytest.raises(Denied, match="signature") as forged:
        verify(token(number=0), keys)
    assert forged.value.denial.word == INVALID
    good = token()
    head, _, signature = good.rsplit(b".", 2)
    other = token(deviceid="another").split(b".")[1]
    with pytest.raises(Denied, match="signature"):
        verify(b".".join((head, other, signature)), keys)


def test_a_key_that_nobody_knows_asks_for_the_keys_again(keys: TenantKeys) -> None:
    for header in ({"kid": "another"}, {"kid": None}, {"kid": 7}):
        with pytest.raises(KeyMissing) as caught:
            verify(token(header=header), keys)
        assert (caught.value.denial.word, caught.value.tenant_id) == (INVALID, TENANT_ID)


def test_no_other_algorithm_than_rs256_is_taken_whatever_the_key(keys: TenantKeys) -> None:
    payload = token().split(b".")[1]
    # The key that everybody can read, taken for a secret that only two know.
    public = issuer.key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    confused = issuer.part({"alg": "HS256", "kid": issuer.KID}) + b"." + payload
    signature = issuer.encoded(hmac.digest(public, confused, "sha256"))
    none = issuer.part({"alg": "none", "kid": issuer.KID}) + b"." + payload
    for compact in (
        confused + b"." + signature,
        none + b".",
        none + b"." + signature,
        token(header={"alg": "ES256"}),
        token(header={"alg": "RS384"}),
        token(header={"alg": None}),
    ):
        with pytest.raises(Denied) as caught:
            verify(compact, keys)
        assert caught.value.denial.word == INVALID


def test_a_tenant_that_is_not_onboarded_or_not_enabled_is_refused_before_its_keys_are_looked_for() -> None:
    read = read_token(token())
    for tenants in ([], [tenant(tenant_id=OTHER_ID)], [tenant(enabled=False)]):
        verifier = EntraVerifier(tenants, no_keys)
        assert verifier.responsible(read.issuer)
        with pytest.raises(Denied) as caught:
            verifier.verify(read, time.time())
        assert caught.value.denial.word == NOT_ONBOARDED


def test_a_tenant_without_keys_is_said_to_have_none() -> None:
    with pytest.raises(KeyMissing) as caught:
        EntraVerifier([tenant()], no_keys).verify(read_token(token()), time.time())
    assert caught.value.denial.word == NO_KEYS


def test_tokens_of_others_than_entra_are_somebody_else_s() -> None:
    verifier = EntraVerifier([tenant()], no_keys)
    for other in ("", "urn:sccm:oauth2:x", "https://example.com/", f"http://sts.windows.net/{TENANT_ID}/", TENANT_ID):
        assert not verifier.responsible(other)


def test_what_was_verified_holds_as_long_as_the_tenant_and_its_key_stay_as_they_are(keys: TenantKeys) -> None:
    verified = verify(token(), keys)

    def holds(tenants: list[EntraTenant], keys: TenantKeys | None = keys) -> bool:
        return EntraVerifier(tenants, lambda _tenant_id: keys).still_holds(verified)

    assert holds([tenant()])
    assert holds([tenant()], None)
    assert not holds([])
    assert not holds([tenant(enabled=False)])
    assert not holds([tenant(audiences=("api://other",))])
    assert not holds([tenant()], issuer.published(issuer.jwk("key-2", 2)))
    assert not EntraVerifier([tenant()], no_keys).still_holds(
        Verified(verified.identity, verified.expires, verified.issuer, verified.audience, verified.key)
    )


@given(
    st.dictionaries(
        st.sampled_from(
            ("aud", "tid", "ver", "appid", "azp", "scp", "roles", "idtyp", "oid", "deviceid", "exp", "nbf")
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
            lambda children: st.lists(children, max_size=3),
            max_leaves=4,
        ),
    )
)
def test_whatever_a_signed_token_says_it_is_verified_or_denied(claims: dict[str, Any]) -> None:
    keys = PUBLISHED
    payload = {**json.loads(json.dumps(claims)), "iss": ISSUERS[V1]}
    with contextlib.suppress(Denied):
        verify(token(**payload), keys)
