"""A token whose tenant's key is not known waits for the keys, and holds nobody else up."""

from collections.abc import Callable

from causeway.gateway.failures import FailureLimit
from causeway.gateway.metrics import WorkerMetrics
from causeway.gateway.tokens import Tokens
from causeway.gateway_settings import GatewaySettings
from causeway.identity.blocks import Blocks
from causeway.identity.entra.documents import TenantKeys
from tests.unit.identity.entra import issuer

SETTINGS = GatewaySettings(version=1, issued_at="", site_code="PS1", entra_tenants=(issuer.tenant(),))
OLD = issuer.published(issuer.jwk("old", 2))
NEW = issuer.published()


class Worker:
    """Tokens, with a thread and a loop that do at once what they are given, and fetches that end when told."""

    def __init__(self, keys: TenantKeys | None = OLD) -> None:
        self.keys = keys
        self.fetches: list[Callable[[bool], object]] = []
        self.done: list[bytes] = []
        self.metrics = WorkerMetrics()
        self.tokens = Tokens(
            lambda work: work(),
            lambda work: work(),
            FailureLimit(10_000),
            self.metrics,
            lambda _tenant_id: self.keys,
            lambda _tenant_id, then: self.fetches.append(then),
        )
        self.tokens.apply(SETTINGS, Blocks())

    def ask(self, token: bytes) -> str:
        """What is known of a token: the word, ``good``, or nothing while it is being verified."""
        bearer = self.tokens.bearer(token, "192.0.2.1", lambda: self.done.append(token))
        if bearer is None:
            return ""
        return "good" if bearer.denial is None else bearer.denial.word


def test_a_token_with_a_new_key_waits_for_the_keys_and_is_good() -> None:
    worker, token = Worker(), issuer.token()
    assert worker.ask(token) == ""
    assert not worker.done
    worker.keys = NEW
    worker.tokens.keys_changed()
    worker.fetches.pop()(True)
    assert worker.done == [token]
    assert worker.ask(token) == "good"


def test_a_token_whose_key_is_not_among_them_either_is_refused() -> None:
    worker, token = Worker(), issuer.token()
    worker.ask(token)
    worker.fetches.pop()(True)
    assert worker.done == [token]
    assert worker.ask(token) == "CMGService_Invalid_Token"
    assert not worker.fetches


def test_keys_that_came_while_it_was_looked_at_are_looked_at_without_a_fetch() -> None:
    worker, token = Worker(None), issuer.token()

    def keys(_tenant_id: str) -> TenantKeys | None:
        found, worker.keys = worker.keys, NEW
        if found is None:
            worker.tokens.keys_changed()
        return found

    worker.tokens._keys = keys
    worker.tokens.apply(SETTINGS, Blocks())
    worker.ask(token)
    assert not worker.fetches
    assert worker.ask(token) == "good"


def test_keys_that_came_just_before_it_could_wait_for_them_are_looked_at_although_nothing_is_fetched() -> None:
    worker, token = Worker(None), issuer.token()
    worker.ask(token)
    worker.keys = NEW
    worker.tokens.keys_changed()
    worker.fetches.pop()(False)
    assert worker.ask(token) == "good"


def test_during_the_cool_down_it_is_refused_at_once_and_looked_at_again_soon() -> None:
    worker, token = Worker(), issuer.token()
    worker.ask(token)
    worker.fetches.pop()(False)
    assert worker.ask(token) == "CMGService_Invalid_Token"
    worker.keys = NEW
    assert worker.ask(token) == "CMGService_Invalid_Token"
    worker.tokens.keys_changed()
    worker.ask(token)
    assert worker.ask(token) == "good"


def test_invented_keys_hold_nobody_else_up() -> None:
    worker = Worker()
    invented = [issuer.token(header={"kid": f"invented-{number}"}) for number in range(60)]
    for token in invented:
        worker.ask(token)
    assert len(worker.fetches) == 50
    assert worker.done == invented[50:]
    worker.keys = NEW
    worker.ask(issuer.token())
    assert worker.ask(worker.done[-1]) == "good"


def test_a_key_that_was_taken_back_ends_what_it_signed() -> None:
    worker, token = Worker(NEW), issuer.token()
    worker.ask(token)
    assert worker.ask(token) == "good"
    worker.keys = OLD
    worker.tokens.keys_changed()
    assert worker.ask(token) == ""
    worker.fetches.pop()(False)
    assert worker.ask(token) == "CMGService_Invalid_Token"
