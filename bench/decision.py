"""What the gateway's decision on a client's token costs, the first time and from then on: ``python -m bench.decision``.

In memory and in one thread, since the question is what a request pays: the token is found in the request's head, and
who bears it is looked up. CPU time, the best of many batches.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from causeway.gateway.failures import FailureLimit
from causeway.gateway.metrics import WorkerMetrics
from causeway.gateway.tokens import Tokens
from causeway.gateway_settings import GatewaySettings, SiteTokens, TokenAlgorithm, TokenKey
from causeway.http import parse_request_head
from causeway.identity.blocks import Blocks
from causeway.identity.entra.verifier import no_keys
from causeway.identity.site_token import SiteTokenClaims, TokenType, sign

_ISSUER = "urn:sccm:oauth2:00000000-0000-4000-8000-000000000000"
_PEER = "192.0.2.1"
_FIRST = 50


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU time in microseconds: of a verification, and of every decision after it."""

    first_us: float
    following_us: float


def measure(algorithm: TokenAlgorithm, *, batches: int = 20, batch: int = 2000) -> Cost:
    """Measure with tokens of that algorithm."""
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if algorithm is TokenAlgorithm.RS256:
        key = rsa.generate_private_key(65537, 2048)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    tokens = _tokens(algorithm, key)
    heads = [_fields(sign(_claims(number), "key", key)) for number in range(_FIRST)]
    first_us = min(_us(lambda one=found: _decide(tokens, one), 1) for found in heads)  # type: ignore[misc]
    head = heads[0]
    assert _decide(tokens, head), "the token is not known yet"
    return Cost(first_us, min(_us(lambda: _decide(tokens, head), batch) for _ in range(batches)))


def _tokens(algorithm: TokenAlgorithm, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> Tokens:
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    published = TokenKey(kid="key", algorithm=algorithm, public_key=pem)
    settings = GatewaySettings(
        version=1, issued_at="", site_code="PS1", site_tokens=SiteTokens(issuer=_ISSUER, keys=(published,))
    )
    now = lambda work: work()  # noqa: E731  # the thread that verifies is this one
    tokens = Tokens(now, now, FailureLimit(1000), WorkerMetrics(), no_keys, lambda _tenant, then: then(False))
    tokens.apply(settings, Blocks.of(settings))
    return tokens


def _claims(number: int) -> SiteTokenClaims:
    seconds = int(time.time())
    return SiteTokenClaims(
        type=TokenType.DEVICE,
        unique_id=f"00000000-0000-4000-8000-{number:012}",
        issuer=_ISSUER,
        not_before=seconds - 60,
        expires=seconds + 3600,
        sms_id=f"GUID:00000000-0000-4000-8000-{number:012}",
        thumbprint="ab" * 32,
        name="PC1.corp.example",
    )


def _fields(token: str) -> bytes:
    lines = ("CCM_POST /x HTTP/1.1", "Host: gateway.example.com", "User-Agent: x", f"Authorization: Bearer {token}")
    return parse_request_head("\r\n".join([*lines, "", ""]).encode()).fields


def _decide(tokens: Tokens, fields: bytes) -> bool:
    bearer = tokens.bearer(tokens.headers.find(fields), _PEER, _nothing)
    return bearer is not None and bearer.denial is None


def _nothing() -> None:
    """Nobody waits."""


def _us(work: Callable[[], object], count: int) -> float:
    began = time.thread_time_ns()
    for _ in range(count):
        work()
    return (time.thread_time_ns() - began) / 1000 / count


def main() -> None:
    """Measure and print."""
    for algorithm in TokenAlgorithm:
        cost = measure(algorithm)
        sys.stdout.write(
            f"{algorithm}: first {cost.first_us:.0f} µs, from then on {cost.following_us:.1f} µs of CPU a request\n"
        )


if __name__ == "__main__":
    main()
