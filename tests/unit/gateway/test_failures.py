"""Whoever sends too many invalid tokens is limited for a while, and remembering that costs bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from causeway.gateway.failures import PERIOD_S, FailureLimit


def test_an_address_may_fail_so_often_within_a_minute() -> None:
    limit = FailureLimit(3)
    assert [limit.failed("192.0.2.1", now) for now in (0, 0, 0)] == [False, False, True]
    assert limit.exceeded("192.0.2.1", 1)
    assert not limit.exceeded("192.0.2.2", 1)
    assert not limit.exceeded("192.0.2.1", PERIOD_S / 3)
    assert limit.failed("192.0.2.1", PERIOD_S / 3)
    assert not limit.exceeded("192.0.2.1", 3 * PERIOD_S)


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    limit = FailureLimit(2)
    limit.failed("2001:db8:0:1::1", 0)
    limit.failed("2001:db8:0:1:ffff::2", 0)
    assert limit.exceeded("2001:db8:0:1::3", 0)
    assert not limit.exceeded("2001:db8:0:2::1", 0)
    limit.failed("::ffff:192.0.2.1", 0)
    limit.failed("192.0.2.1", 0)
    assert limit.exceeded("192.0.2.1", 0)


@given(st.lists(st.tuples(st.ip_addresses().map(str), st.floats(0, 1e6)), max_size=60))
def test_no_more_addresses_than_the_most_are_remembered(failures: list[tuple[str, float]]) -> None:
    limit = FailureLimit(5, most_addresses=10)
    for peer, now in failures:
        limit.failed(peer, now)
        assert len(limit) <= 10
