"""Who is in a group, and by which way."""

from causeway.directory.values import Account, Group, Kind, Membership, Scope

TOP = Group("CN=Top", "Top", Scope.GLOBAL, security=True, rid=1)


def group(name: str, *parents: str) -> Account:
    return Account(f"CN={name}", name, Kind.GROUP, parents=frozenset(f"cn={each}".lower() for each in parents))


def user(name: str, *parents: str) -> Account:
    return Account(f"CN=user {name}", name, Kind.USER, parents=frozenset(f"cn={each}".lower() for each in parents))


NESTED = (group("A", "Top"), group("B", "A", "C"), group("C", "B"))  # B and C are in one another


def test_the_way_is_the_shortest_and_a_ring_of_groups_has_an_end() -> None:
    membership = Membership(TOP, nested=NESTED)
    assert membership.way(user("direct", "Top", "A")) == ()
    assert membership.way(user("a", "A")) == ("A",)
    assert membership.way(user("c", "C")) == ("C", "B", "A")
    assert membership.way(user("elsewhere", "Other")) == ()


def test_who_is_within_a_planned_group_is_planned() -> None:
    membership = Membership(TOP, nested=NESTED)
    assert membership.is_within(user("c", "C"), frozenset({"a"}))
    assert not membership.is_within(user("a", "A"), frozenset({"b"}))
    assert not membership.is_within(user("direct", "Top"), frozenset({"a"}))
