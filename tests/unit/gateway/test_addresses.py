"""What is counted of each client address."""

import pytest

from causeway.gateway.addresses import Addresses, counted_as


@pytest.mark.parametrize(
    ("peer", "name"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
    ],
)
def test_an_ipv6_network_that_one_customer_has_to_itself_counts_as_one(peer: str, name: str) -> None:
    assert counted_as(peer) == name


def test_an_address_is_known_until_its_last_connection_is_gone() -> None:
    addresses = Addresses()
    first = addresses.of("2001:db8::1")
    assert addresses.of("2001:db8::2") is first
    assert addresses.of("2001:db8:0:1::1") is not first
    addresses.forget(first)
    assert len(addresses) == 1
    assert addresses.of("2001:db8::1") is not first
