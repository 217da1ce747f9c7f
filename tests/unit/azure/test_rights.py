"""What grants give and denials take, by patterns; compared with a slower and simpler reading of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.azure.rights import EVERYBODY, Denial, Grant, concerns, covers, denied, missing, overlaps

PATTERNS = st.text("ab/*", min_size=1, max_size=6)
ACTIONS = st.text("ab/", min_size=1, max_size=6)


def matches(pattern: str, action: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), action, re.IGNORECASE | re.DOTALL) is not None


@given(PATTERNS, ACTIONS)
def test_a_pattern_covers_the_actions_that_it_matches(pattern: str, action: str) -> None:
    assert covers(pattern, action) == matches(pattern, action)
    assert overlaps(pattern, action) == matches(pattern, action)


@given(PATTERNS, PATTERNS, ACTIONS)
def test_a_pattern_that_covers_another_has_all_of_its_actions(one: str, other: str, action: str) -> None:
    if covers(one, other) and matches(other, action):
        assert matches(one, action)
    assert covers(one, one)


@given(PATTERNS, PATTERNS, ACTIONS)
def test_patterns_with_an_action_in_common_overlap(one: str, other: str, action: str) -> None:
    if matches(one, action) and matches(other, action):
        assert overlaps(one, other)
        assert overlaps(other, one)


CONTRIBUTOR = Grant(("*",), ("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"))


@pytest.mark.parametrize(
    ("wanted", "grants", "lacking"),
    [
        ("Microsoft.Compute/skus/read", [Grant(("*/read",))], False),
        ("Microsoft.Compute/skus/read", [Grant(("MICROSOFT.COMPUTE/*",))], False),
        ("Microsoft.Compute/virtualMachineScaleSets/*", [Grant(("Microsoft.Compute/*",))], False),
        ("Microsoft.Compute/virtualMachineScaleSets/*", [Grant(("*/read",))], True),
        ("Microsoft.Network/register/action", [], True),
        ("Microsoft.Authorization/roleAssignments/write", [CONTRIBUTOR], True),
        (
            "Microsoft.Authorization/roleAssignments/write",
            [CONTRIBUTOR, Grant(("Microsoft.Authorization/roleAssignments/*",))],
            False,
        ),
        ("*", [CONTRIBUTOR], True),
        ("*", [Grant(("*",))], False),
        ("Microsoft.KeyVault/vaults/*", [Grant(("*",), ("Microsoft.KeyVault/vaults/delete",))], True),
    ],
)
def test_what_is_wanted_is_given_as_a_whole_by_one_grant_or_lacks(
    wanted: str, grants: list[Grant], lacking: bool
) -> None:
    assert missing([wanted], grants) == ((wanted,) if lacking else ())


def test_a_denial_takes_even_a_part_and_leaves_what_it_leaves() -> None:
    denial = Denial("x", ("Microsoft.KeyVault/*",), ("*/read",))
    wanted = ("Microsoft.KeyVault/vaults/read", "Microsoft.KeyVault/vaults/*", "Microsoft.Network/x/read")
    assert denied(wanted, [denial]) == (("Microsoft.KeyVault/vaults/*", denial),)


@pytest.mark.parametrize(
    ("principals", "excluded", "object_id", "expected"),
    [
        ([(EVERYBODY, "SystemDefined")], [], "me", True),
        ([(EVERYBODY, "SystemDefined")], ["me"], "me", False),
        ([("me", "User")], [], "me", True),
        ([("you", "User")], [], "me", False),
        ([("team", "Group")], [], "me", None),
        ([("you", "User")], [], None, None),
    ],
)
def test_whom_a_deny_assignment_concerns(
    principals: list[tuple[str, str]], excluded: list[str], object_id: str | None, expected: bool | None
) -> None:
    assert concerns(principals, excluded, object_id) is expected
