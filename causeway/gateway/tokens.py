"""Who bears a token: verified once, off the event loop, and remembered until it ends or the settings say otherwise."""

import dataclasses
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from causeway.gateway.failures import PERIOD_S, FailureLimit
from causeway.gateway.metrics import WorkerMetrics
from causeway.gateway.token_headers import TokenHeaders
from causeway.gateway_settings import GatewaySettings
from causeway.identity import ANONYMOUS, Denial, Denied
from causeway.identity.blocks import Blocks
from causeway.identity.denial import EXPIRED
from causeway.identity.entra.steps import KeyMissing
from causeway.identity.entra.verifier import KeySource
from causeway.identity.tokens import TokenVerifier
from causeway.identity.verified import Verified

log = structlog.get_logger()

_MOST_GOOD = 50_000
_MOST_BAD = 10_000
_MOST_PENDING = 500
_MOST_WAITING_FOR_KEYS = 50
_BAD_S = 60.0
_MISSING_KEY_S = 5.0  # a key that is not known may be, once the keys may be fetched again

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
        version: counts settings and keys; of those under which that was decided.
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


@dataclass(frozen=True, slots=True, repr=False)
class _Asked:
    """A token that is being verified, under these settings, for whoever sent it first."""

    token: bytes
    digest: bytes
    peer: str
    verifier: TokenVerifier
    version: int


class Tokens:
    """All that one worker knows of tokens.

    Args:
        submit: runs a function in a thread.
        call_soon: runs a function on the event loop, called from any thread.
        limit: for tokens that were never good.
        metrics: where verifications are counted.
        keys: of Entra tenants, by their ids.
        renew: has a tenant's keys fetched again, and tells whether they were.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        submit: Callable[[Callable[[], None]], object],
        call_soon: Callable[[Callable[[], None]], object],
        limit: FailureLimit,
        metrics: WorkerMetrics,
        keys: KeySource,
        renew: Callable[[str, Callable[[bool], object]], object],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._submit = submit
        self._call_soon = call_soon
        self._limit = limit
        self._metrics = metrics
        self._keys = keys
        self._renew = renew
        self._clock = clock
        self._good: OrderedDict[bytes, Bearer] = OrderedDict()
        self._bad: OrderedDict[bytes, Bearer] = OrderedDict()
        self._pending: dict[bytes, list[Callable[[], None]]] = {}
        self._waiting_for_keys = 0
        self._verifier: TokenVerifier
        self._blocks = Blocks()
        self._version = 0
        self.headers = TokenHeaders(())

    def __len__(self) -> int:
        return len(self._good)

    def apply(self, settings: GatewaySettings, blocks: Blocks) -> None:
        """Put other settings in force: what is known is decided anew when it is next asked for."""
        self._verifier = TokenVerifier(settings, self._keys)
        self._blocks = blocks
        self.headers = TokenHeaders(settings.token_headers)
        self.keys_changed()

    def keys_changed(self) -> None:
        """An Entra tenant has other keys: what is known is decided anew when it is next asked for."""
        self._version += 1
        self._bad.clear()

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
        """Why a request that was admitted by ``bearer`` would not be by now, under the settings in force."""
        if bearer.until <= self._clock():
            return Denial(EXPIRED, "it expired while the request was under way", "Fetch a new token.")
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
        self._look(_Asked(token, digest, peer, self._verifier, self._version), may_renew=True)

    def _look(self, asked: "_Asked", *, may_renew: bool) -> None:
        """Verify in a thread; where a tenant's key is missing, once more when its keys have been fetched."""

        def work() -> None:
            tenant_id = ""
            outcome: Verified | Denial
            try:
                outcome = asked.verifier.verify(asked.token, self._clock())
            except KeyMissing as missing:
                tenant_id = missing.tenant_id
                outcome = dataclasses.replace(missing.denial, retry_after=self._clock() + _MISSING_KEY_S)
            except Denied as denied:
                outcome = denied.denial
            except Exception as error:
                log.exception("internal error", message="a token could not be verified", exc_info=error)
                outcome = Denial("CMGService_Invalid_Token", f"internal error: {error}", "Report this.")
            if tenant_id and may_renew:
                self._call_soon(lambda: self._wait_for_keys(asked, outcome, tenant_id))
            else:
                self._call_soon(lambda: self._verified(asked, outcome))

        self._submit(work)

    def _wait_for_keys(self, asked: "_Asked", outcome: Verified | Denial, tenant_id: str) -> None:
        """Some wait until the tenant's keys have been fetched; not all, so that invented keys hold nobody else up."""
        if asked.version != self._version:  # they, or the settings, have come meanwhile
            self._look(dataclasses.replace(asked, version=self._version), may_renew=True)
            return
        if self._waiting_for_keys >= _MOST_WAITING_FOR_KEYS:
            self._verified(asked, outcome)
            return
        self._waiting_for_keys += 1

        def then(renewed: bool) -> None:
            self._waiting_for_keys -= 1
            # Nothing is fetched where another fetch has just ended; what that one brought is then there.
            if renewed or asked.version != self._version:
                self._look(asked, may_renew=False)
            else:
                self._verified(asked, outcome)

        self._renew(tenant_id, then)

    def _verified(self, asked: "_Asked", outcome: Verified | Denial) -> None:
        self._metrics.token_verifications[outcome.word if isinstance(outcome, Denial) else "good"] += 1
        if asked.verifier is self._verifier:  # else the settings have changed meanwhile: whoever waits asks anew
            self._keep(Bearer(asked.digest, outcome, self._clock()))
        if isinstance(outcome, Denial) and outcome.guessed and self._limit.failed(asked.peer, self._clock()):
            self._metrics.addresses_limited += 1
            log.warning(
                "too many invalid tokens", peer=asked.peer, details=outcome.details, forgotten_within_s=PERIOD_S
            )
        for again in self._pending.pop(asked.digest):
            self._call_soon(again)

    def _keep(self, bearer: Bearer) -> None:
        if bearer.good:
            bearer.decide(self._verifier, self._blocks, self._version)
        kept, most = (self._good, _MOST_GOOD) if bearer.good else (self._bad, _MOST_BAD)
        kept[bearer.digest] = bearer
        if len(kept) > most:
            kept.popitem(last=False)
