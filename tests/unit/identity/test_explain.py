import time
from typing import Any

import pytest

from causeway.gateway_settings import GatewaySettings
from causeway.identity import Kind
from causeway.identity.entra.verifier import no_keys
from causeway.identity.explain import Explanation, explain_token
from causeway.identity.site_token import sign
from causeway.observability.checks import Status
from tests.unit.identity import tokens
from tests.unit.identity.entra import issuer
from tests.unit.identity.tokens import NOW

PUBLISHED = issuer.published()


def settings(**options: Any) -> GatewaySettings:
    return GatewaySettings(
        **{
            "version": 1,
            "issued_at": "",
            "site_code": "PS1",
            "site_tokens": tokens.SETTINGS,
            "entra_tenants": (issuer.tenant(name="Contoso"),),
            **options,
        }
    )


def explained(compact: bytes, now: float | None = None, **options: Any) -> Explanation:
    return explain_token(compact, settings(**options), lambda _tenant_id: PUBLISHED, now or time.time())


def failures(explanation: Explanation) -> dict[str, str]:
    return {step.name: step.details for step in explanation.steps if step.status is Status.FAIL}


def test_a_good_entra_token_passes_every_step_and_names_the_device() -> None:
    explanation = explained(issuer.token())
    assert failures(explanation) == {}
    assert [step.name for step in explanation.steps] == [
        "token", "tenant", "keys", "algorithm", "key", "signature", "times", "audience", "issuer", "tenant", "version",
        "client application", "kind", "permission", "identity", "decision", "blocks",
    ]  # fmt: skip
    assert explanation.identity is not None
    assert explanation.identity.kind is Kind.ENTRA_DEVICE
    shown = {step.name: step.target for step in explanation.steps}
    assert shown["audience"] == f"aud = {issuer.AUDIENCE}"
    assert "DE71CE00" in shown["identity"]


def test_everything_that_is_wrong_with_an_entra_token_shows_at_once_with_its_remedy() -> None:
    explanation = explained(issuer.token(aud="api://other", appid="x", deviceid=None))
    assert explanation.identity is None
    assert set(failures(explanation)) == {"audience", "client application", "identity", "decision"}
    assert failures(explanation)["decision"] == failures(explanation)["audience"]
    assert all(step.action for step in explanation.steps if step.status is Status.FAIL)


def test_a_tenant_that_is_not_onboarded_and_one_without_keys_are_said_so() -> None:
    assert "not onboarded" in failures(explained(issuer.token(), entra_tenants=()))["tenant"]
    explanation = explain_token(issuer.token(), settings(), no_keys, time.time())
    assert failures(explanation)["decision"].startswith("CMGService_TenantKeysUnavailable")


def test_a_site_token_and_a_bulk_registration_token_pass_every_step() -> None:
    for compact, kind in (
        (tokens.device_token(), Kind.SITE_TOKEN),
        (sign(tokens.bulk_claims(), "ec", tokens.EC_KEY).encode(), Kind.BULK_TOKEN),
    ):
        explanation = explained(compact, NOW)
        assert failures(explanation) == {}
        assert explanation.identity is not None
        assert explanation.identity.kind is kind


@pytest.mark.parametrize(
    ("compact", "now", "steps"),
    [
        (tokens.device_token(), NOW + 10 * 3600, {"times", "decision"}),
        (sign(tokens.device_claims(), "another", tokens.RSA_KEY).encode(), NOW, {"signature", "decision"}),
        (tokens.device_token(issuer="urn:sccm:oauth2:another"), NOW, {"decision"}),
        (b"nonsense", NOW, {"token", "decision"}),
    ],
)
def test_what_is_wrong_with_a_site_token_is_said_by_step(compact: bytes, now: float, steps: set[str]) -> None:
    explanation = explained(compact, now)
    assert set(failures(explanation)) == steps
    assert explanation.identity is None


def test_what_is_blocked_fails_the_step_for_blocks() -> None:
    assert (
        "CMGService_TenantBlocked" in failures(explained(issuer.token(), blocked_tenants=(issuer.TENANT_ID,)))["blocks"]
    )
    assert (
        "CMGService_DeviceBlocked"
        in failures(explained(tokens.device_token(), NOW, blocked_devices=(tokens.SMS_ID,)))["blocks"]
    )
