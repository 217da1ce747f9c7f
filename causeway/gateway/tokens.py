"""Who bears a token: verified once, off the event loop, and remembered until it ends or the settings say otherwise."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable

import structlog

from causeway.gateway.failures import PERIOD_S, FailureLimit
from causeway.gateway.metrics import WorkerMetrics
from causeway.gateway.token_headers import TokenHeaders
from causeway.gateway_settings import GatewaySettings
from causeway.identity import ANONYMOUS, Denial, Denied
from causeway.identity.blocks import Blocks
from causeway.identity.tokens import TokenVerifier
from causeway.identity.verified import Verified

log = structlog.get_logger()

_MOST_GOOD = 50_000
_MOST_BAD = 10_000
_MOST_PENDING = 500
_BAD_S = 60.0

_BUSY = Denial(
    "CMGService_Busy",
    f"{_MOST_PENDING} tokens are being verified",
    "More workers or instances verify more; many new tokens from one address may be an attack.",
)
_TOO_MANY = Denial(
    "CMGService_TooManyFailures",
    "its address has sent too many tokens that are not valid",
    "Look at the log for the first of them; raise limits.max_invalid_tokens_per_minute where a whole office comes from "
    "one address.",
)


class Bearer:
    """What is known of one token.

    Attributes:
        identity: who bears it; anonymous where it was never good.
        encoded: the same, as it stands in a prelude.
        denial: why it is refused; None where it is not.
        until: seconds since 1970; afterwards it is decided anew.
        version: of the settings under which that was decided.
    """

    __slots__ = ("_verified", "denial", "digest", "encoded", "identity", "until", "version")

    def __init__(self, digest: bytes, outcome: Verified | Denial, now: float) -> None:
        self.digest = digest
        self.version = -1
        self.denial: Denial | None = None
        self._verified: Verified | None = None
        if isinstance(outcome, Verified):
            self._verified = outcome
            self.identity = outcome.identity
            self.until = outcome.expires
        else:
            self.identity = ANONYMOUS
            self.denial = outcome
            self.until = min(now + _BAD_S, outcome.retry_after or now + _BAD_S)
        self.encoded = self.identity.encode()

    @property
    def good(self) -> bool:
        """Whether signature, claims and dates were good, whatever is blocked."""
        return self._verified is not None

    def decide(self, verifier: TokenVerifier, blocks: Blocks, version: int) -> bool:
        """Decide anew under other settings; False where the token has to be verified again."""
        if self._verified is None or not verifier.still_holds(self._verified):
            return False
        self.denial = blocks.denial(self.identity, digest=self.digest.hex())
        self.version = version
        return True


class Tokens:
    """All that one worker knows of tokens.

    Args:
        submit: runs a function in a thread.
        call_soon: runs a function on the event loop, called from any thread.
        limit: for tokens that were never good.
        metrics: where verifications are counted.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        submit: Callable[[Callable[[], None]], object],
        call_soon: Callable[[Callable[[], None]], object],
        limit: FailureLimit,
        metrics: WorkerMetrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._submit = submit
        self._call_soon = call_soon
        self._limit = limit
        self._metrics = metrics
        self._clock = clock
        self._good: OrderedDict[bytes, Bearer] = OrderedDict()
        self._bad: OrderedDict[bytes, Bearer] = OrderedDict()
        self._pending: dict[bytes, list[Callable[[], None]]] = {}
        self._verifier: TokenVerifier
        self._blocks = Blocks()
        self._version = 0
        self.headers = TokenHeaders(())

    def __len__(self) -> int:
        return len(self._good)

    def apply(self, settings: GatewaySettings, blocks: Blocks) -> None:
        """Put other settings in force: what is known is decided anew when it is next asked for."""
        self._verifier = TokenVerifier(settings)
        self._blocks = blocks
        self._version = settings.version
        self._bad.clear()
        self.headers = TokenHeaders(settings.token_headers)

    def bearer(self, token: bytes, peer: str, again: Callable[[], None]) -> Bearer | None:
        """What is known of ``token``; None while it is being verified, after which ``again`` is called.

        Raises:
            Denied: it is not verified at present: there is too much to do, or ``peer`` has sent too much nonsense.
        """
        digest = hashlib.sha256(token).digest()
        now = self._clock()
        bearer = self._good.get(digest)
        if bearer is not None:
            if now < bearer.until and (
                bearer.version == self._version or bearer.decide(self._verifier, self._blocks, self._version)
            ):
                self._good.move_to_end(digest)
                return bearer
            del self._good[digest]
        bearer = self._bad.get(digest)
        if bearer is not None:
            if now < bearer.until:
                return bearer
            del self._bad[digest]
        self._verify(token, digest, peer, again)
        return None

    def still_good(self, bearer: Bearer) -> Denial | None:
        """Why a request that was admitted by ``bearer`` would not be under the settings now in force."""
        if bearer.version == self._version or bearer.decide(self._verifier, self._blocks, self._version):
            return bearer.denial
        return Denial("CMGService_Invalid_Token", "its key or its issuer was withdrawn", "Fetch a new token.")

    def _verify(self, token: bytes, digest: bytes, peer: str, again: Callable[[], None]) -> None:
        if (waiting := self._pending.get(digest)) is not None:
            waiting.append(again)
            return
        if self._limit.exceeded(peer, self._clock()):
            raise Denied.of(_TOO_MANY)
        if len(self._pending) >= _MOST_PENDING:
            raise Denied.of(_BUSY)
        self._pending[digest] = [again]
        verifier = self._verifier

        def work() -> None:
            outcome: Verified | Denial
            try:
                outcome = verifier.verify(token, self._clock())
            except Denied as denied:
                outcome = denied.denial
            except Exception as error:
                log.exception("internal error", message="a token could not be verified", exc_info=error)
                outcome = Denial("CMGService_Invalid_Token", f"internal error: {error}", "Report this.")
            self._call_soon(lambda: self._verified(digest, outcome, verifier, peer))

        self._submit(work)

    def _verified(self, digest: bytes, outcome: Verified | Denial, verifier: TokenVerifier, peer: str) -> None:
        self._metrics.token_verifications[outcome.word if isinstance(outcome, Denial) else "good"] += 1
        if verifier is self._verifier:  # else the settings have changed meanwhile: whoever waits asks anew
            self._keep(Bearer(digest, outcome, self._clock()))
        if isinstance(outcome, Denial) and outcome.guessed and self._limit.failed(peer, self._clock()):
            self._metrics.addresses_limited += 1
            log.warning("too many invalid tokens", peer=peer, details=outcome.details, forgotten_within_s=PERIOD_S)
        for again in self._pending.pop(digest):
            self._call_soon(again)

    def _keep(self, bearer: Bearer) -> None:
        if bearer.good:
            bearer.decide(self._verifier, self._blocks, self._version)
        kept, most = (self._good, _MOST_GOOD) if bearer.good else (self._bad, _MOST_BAD)
        kept[bearer.digest] = bearer
        if len(kept) > most:
            kept.popitem(last=False)
