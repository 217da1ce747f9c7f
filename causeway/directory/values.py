"""What a directory holds of groups and accounts, as values. Pure: no network, no LDAP."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Transport(StrEnum):
    """How the connection is protected."""

    LDAPS = "ldaps"
    """TLS from the first byte."""
    STARTTLS = "starttls"
    """TLS after a question in the clear."""
    LDAP = "ldap"
    """No TLS; Kerberos encrypts every message itself."""


class Scope(StrEnum):
    """Where a group counts, as PowerShell calls it."""

    GLOBAL = "Global"
    UNIVERSAL = "Universal"
    DOMAIN_LOCAL = "DomainLocal"


class Kind(StrEnum):
    """What an account is."""

    USER = "user"
    COMPUTER = "computer"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Account:
    """A user, a computer or a group.

    Attributes:
        dn: its distinguished name.
        name: its account name (sAMAccountName); a computer's ends with ``$``.
        kind: what it is.
        disabled: whether it may not sign in.
        parents: the distinguished names of the groups it is in directly, in lower case; its primary group among them.
    """

    dn: str
    name: str
    kind: Kind
    disabled: bool = False
    parents: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Group:
    """A group without its members.

    Attributes:
        dn: its distinguished name.
        name: its account name.
        scope: where it counts; None for the kinds that only the system makes.
        security: whether rights can be given to it; otherwise it is for mail only.
        rid: the last part of its security identifier.
        member_dns: everything that is in it directly, whatever it is.
    """

    dn: str
    name: str
    scope: Scope | None
    security: bool
    rid: int
    member_dns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Membership:
    """A group and everybody who is in it, directly, through other groups, or by the primary group.

    Attributes:
        group: the group.
        accounts: users and computers.
        nested: groups in it.
        complete: false where there are more than were read.
    """

    group: Group
    accounts: tuple[Account, ...] = ()
    nested: tuple[Account, ...] = ()
    complete: bool = True

    def way(self, account: Account) -> tuple[str, ...]:
        """The names of the groups between ``account`` and the group; empty where it is in it directly."""
        groups = {each.dn.lower(): each for each in self.nested}
        top, seen = self.group.dn.lower(), {account.dn.lower()}
        reached: list[tuple[Account, tuple[str, ...]]] = [(account, ())]
        for at, names in reached:  # breadth first: the shortest way; it grows while it is read
            if top in at.parents:
                return names
            for parent in sorted(at.parents & groups.keys() - seen):
                seen.add(parent)
                reached.append((groups[parent], (*names, groups[parent].name)))
        return ()

    def is_within(self, account: Account, names: frozenset[str]) -> bool:
        """Whether one of the groups called ``names`` (in lower case) holds ``account``, directly or not."""
        groups = {each.dn.lower(): each for each in self.nested}
        seen, todo = set[str](), [account]
        while todo:
            for parent in (todo.pop().parents & groups.keys()) - seen:
                if groups[parent].name.lower() in names:
                    return True
                seen.add(parent)
                todo.append(groups[parent])
        return False


@dataclass(frozen=True, slots=True)
class Found:
    """What the directory holds of a plan.

    Attributes:
        memberships: by the group's planned name; None where there is no such group.
        accounts: by the planned name in lower case, those that exist.
        inside: planned members that are in a group whose members were not all read: (group, account) in lower case.
    """

    memberships: Mapping[str, Membership | None]
    accounts: Mapping[str, Account]
    inside: frozenset[tuple[str, str]] = frozenset()
