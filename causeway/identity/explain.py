"""How a gateway decides on a token, step by step, for people.

The steps are the verifiers' own, and the last one is the very decision, so that nobody is told another story than the
gateway acts on. A certificate's steps: ``causeway.identity.client_trust``.
"""

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from causeway.gateway_settings import GatewaySettings, SiteTokens
from causeway.identity.blocks import Blocks
from causeway.identity.denial import Denied
from causeway.identity.entra.steps import STEPS, Case, Step
from causeway.identity.entra.verifier import EntraVerifier, KeySource
from causeway.identity.identity import Identity
from causeway.identity.jwt import KeyRing, Token, read_token
from causeway.identity.site_token import check_dates, read_claims, token_digest
from causeway.identity.tokens import TokenVerifier
from causeway.observability.checks import CheckResult, Status

_MAX_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Explanation:
    """The steps, and who the client is; None where they do not lead to anybody."""

    steps: tuple[CheckResult, ...]
    identity: Identity | None


def explain_token(compact: bytes, settings: GatewaySettings, keys: KeySource, now: float) -> Explanation:
    """Every step that the token takes.

    What the token says is shown: whoever explains it has it. Steps of an Entra token go on behind a failure, so that
    everything that is wrong with it shows at once.

    Args:
        compact: the token.
        settings: of the gateway.
        keys: of Entra tenants.
        now: seconds since 1970.
    """
    steps = list(_steps(compact, settings, keys, now))
    try:
        verified = TokenVerifier(settings, keys).verify(compact, now)
    except Denied as denied:
        return Explanation((*steps, failed("decision", "the token", denied)), None)
    identity = verified.identity
    good = f"good: {described(identity)}, until {_time(verified.expires)} at most"
    steps.append(CheckResult("decision", "the token", Status.PASS, good))
    steps.append(explain_blocks(settings, identity, digest=token_digest(compact)))
    return Explanation(tuple(steps), identity)


def explain_blocks(
    settings: GatewaySettings,
    identity: Identity,
    names: Set[str] = frozenset(),
    digest: str = "",
    fingerprints: Set[str] = frozenset(),
) -> CheckResult:
    """Whether anything of the client is blocked; arguments as for ``Blocks.denial``."""
    blocked = Blocks.of(settings).denial(identity, names, digest, fingerprints)
    if blocked is None:
        return CheckResult("blocks", described(identity), Status.PASS, "nothing of it is blocked")
    return CheckResult("blocks", described(identity), Status.FAIL, f"{blocked.word}: {blocked.details}", blocked.remedy)


def described(identity: Identity) -> str:
    """Who it is, in a line."""
    parts = {
        "subject": identity.subject,
        "device": identity.device,
        "user": identity.user,
        "tenant": identity.tenant,
        "token": identity.token,
    }
    return ", ".join([str(identity.kind), *(f"{name} {value}" for name, value in parts.items() if value)])


def _steps(compact: bytes, settings: GatewaySettings, keys: KeySource, now: float) -> Iterator[CheckResult]:
    try:
        token = read_token(compact)
    except Denied as denied:
        yield failed("token", "form", denied)
        return
    shown = f"{token.header['alg']}, key {token.key_id[:_MAX_SHOWN] or 'unnamed'}, {len(compact)} bytes"
    yield CheckResult("token", "form", Status.PASS, shown)
    entra = EntraVerifier(settings.entra_tenants, keys)
    if entra.responsible(token.issuer):
        yield from _entra_steps(entra, token, now)
    elif settings.site_tokens is not None and token.issuer == settings.site_tokens.issuer:
        yield from _site_steps(settings.site_tokens, token, now)


def failed(name: str, target: str, denied: Denied) -> CheckResult:
    """A step that fails, with the word that the client gets and what to do."""
    why = denied.denial
    return CheckResult(name, target, Status.FAIL, f"{why.word}: {why.details}", why.remedy)


def _entra_steps(verifier: EntraVerifier, token: Token, now: float) -> Iterator[CheckResult]:
    try:
        tenant = verifier.tenant(token)
        yield CheckResult("tenant", token.issuer, Status.PASS, f"{tenant.label} is onboarded")
        case = verifier.case(token, now)
    except Denied as denied:
        yield failed("tenant", token.issuer, denied)
        return
    age_s = max(0.0, now - case.keys.fetched_at)
    count = sum(len(version.keys) for version in case.keys.versions.values())
    yield CheckResult("keys", tenant.issuing_url, Status.PASS, f"{count} keys, fetched {age_s:.0f} s ago")
    for step in STEPS:
        yield _taken(step.name, _what(step, case), partial(step.check, case))


def _what(step: Step, case: Case) -> str:
    """The claims that a step looks at, with their values."""
    said = {**case.token.claims, **{name: value for name, value in case.token.header.items() if name in ("alg", "kid")}}
    names = [*step.claims, *([case.tenant.device_claim] if step.name == "identity" else [])]
    shown = (
        f"{name} = {_time(said[name]) if name in ('nbf', 'exp') else said[name]}" for name in names if name in said
    )
    return ", ".join(shown)[:_MAX_SHOWN] or step.name


def _site_steps(site: SiteTokens, token: Token, now: float) -> Iterator[CheckResult]:
    yield CheckResult("issuer", token.issuer, Status.PASS, "the site issues such tokens")
    yield _taken("signature", f"key {token.key_id[:_MAX_SHOWN]}", lambda: KeyRing(site.keys).verify(token, now))
    try:
        claims = read_claims(token)
    except Denied as denied:
        yield failed("claims", "form", denied)
        return
    yield CheckResult("claims", "form", Status.PASS, f"{claims.type}, id {claims.unique_id}")
    times = f"nbf = {_time(claims.not_before)}, exp = {_time(claims.expires)}"
    yield _taken("times", times, lambda: check_dates(claims.not_before, claims.expires, now))


def _taken(name: str, target: str, check: Callable[[], object]) -> CheckResult:
    try:
        check()
    except Denied as denied:
        return failed(name, target, denied)
    return CheckResult(name, target, Status.PASS, "as it must be")


def _time(value: object) -> str:
    if isinstance(value, int | float) and 0 <= value < 2**35:
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return repr(value)
