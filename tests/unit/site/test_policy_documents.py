import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.messaging.assignments import PolicyFlags
from causeway.messaging.policy import ClientSettings, hash_body, parse_policy_body
from causeway.site.config import SiteConfig
from causeway.site.default_policies import CLIENT_SETTINGS, NETWORK_ACCESS_ACCOUNT, default_policies
from causeway.site.errors import PolicyUnknown
from causeway.site.management_point.policy_body import PolicyName, parse_query
from causeway.site.management_point.policy_document import document

Configured = Callable[[str], SiteConfig]


def test_every_site_has_client_settings_and_an_account_that_is_none(configured: Configured) -> None:
    policies = {one.category: one for one in default_policies(configured("[client_settings]\nheartbeat_minutes = 42"))}

    settings = ClientSettings.from_body(
        parse_policy_body(document(policies[CLIENT_SETTINGS].make_body("1.00"), compress=False))
    )
    assert settings is not None
    assert (settings.heartbeat_interval_minutes, settings.polling_interval_minutes) == (42, 60)
    account = policies[NETWORK_ACCESS_ACCOUNT]
    assert PolicyFlags.SECRET in PolicyFlags(account.flags)
    (instance,) = parse_policy_body(document(account.make_body("1.00"), compress=False)).instances
    assert {value for _, value in instance.properties} == {""}


def test_the_ids_are_the_same_at_every_server_of_a_site(configured: Configured) -> None:
    first, again = default_policies(configured("")), default_policies(configured("[log]\nlevel = 'debug'"))

    assert [(one.policy_id, one.assignment_id) for one in first] == [
        (one.policy_id, one.assignment_id) for one in again
    ]
    assert len({one.policy_id for one in first}) == len(first)


def test_a_compressed_document_reads_as_the_plain_one() -> None:
    body = '<Policy PolicyID="{x}" PolicyVersion="1.00"/>'

    packed = document(body, compress=True)

    assert packed != document(body, compress=False)
    assert parse_policy_body(packed) == parse_policy_body(document(body, compress=False))
    assert hash_body(packed) == hash_body(document(body, compress=True))


@pytest.mark.parametrize("query", [b"{a-b}.1_00", b"%7Ba-b%7D.1_00", b"%7ba-b%7d.1_00"])
def test_a_policy_is_named_with_raw_or_encoded_braces(query: bytes) -> None:
    assert parse_query(query) == PolicyName("{a-b}", "1.00")


def test_a_policy_is_named_by_what_stands_before_the_last_dot() -> None:
    assert parse_query(b"PS120003-PS100009-6F6BCC28.1_00") == PolicyName("PS120003-PS100009-6F6BCC28", "1.00")
    assert parse_query(b"a.b.2_10") == PolicyName("a.b", "2.10")


@given(st.binary(max_size=500))
def test_any_query_names_a_policy_or_none(query: bytes) -> None:
    with contextlib.suppress(PolicyUnknown):
        assert parse_query(query).policy_id
