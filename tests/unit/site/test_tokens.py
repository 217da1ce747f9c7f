from datetime import UTC, datetime, timedelta

from causeway.site.tokens import TokenLedger

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
REUSE = timedelta(seconds=30)
LIFETIME = timedelta(minutes=31)


def use(ledger: TokenLedger, signature: str, at: datetime) -> bool:
    return ledger.use(signature, now=at, reuse=REUSE, lifetime=LIFETIME)


def test_a_token_may_come_again_for_a_while_and_not_later() -> None:
    ledger = TokenLedger()

    assert use(ledger, "AB", START)
    assert use(ledger, "AB", START + REUSE)
    assert not use(ledger, "AB", START + REUSE + timedelta(seconds=1))


def test_coming_again_does_not_prolong_the_while() -> None:
    ledger = TokenLedger()
    for seconds in (0, 20, 30):
        assert use(ledger, "AB", START + timedelta(seconds=seconds))

    assert not use(ledger, "AB", START + timedelta(seconds=40))


def test_the_case_of_the_hex_makes_no_other_token() -> None:
    ledger = TokenLedger()
    use(ledger, "abcdef", START)

    assert not use(ledger, " ABCDEF ", START + timedelta(minutes=1))


def test_a_token_is_forgotten_when_its_time_would_refuse_it_anyway() -> None:
    ledger = TokenLedger()
    use(ledger, "AB", START)

    assert use(ledger, "AB", START + LIFETIME + timedelta(seconds=1))


def test_the_ledger_does_not_grow_without_end() -> None:
    ledger = TokenLedger(max_tokens=10)
    for number in range(1000):
        assert use(ledger, str(number), START)

    assert len(ledger) <= 10
