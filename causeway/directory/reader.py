"""What a directory holds of groups and their members: questions, and the values that their answers make."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import sansldap

from causeway.directory.connection import Connection
from causeway.directory.errors import DirectoryAnswer
from causeway.directory.messages import Entry
from causeway.directory.values import Account, Found, Group, Kind, Membership, Scope

T = TypeVar("T")

MEMBERS_AT_ONCE = 1500
"""Values of ``member`` that are asked for at once; Active Directory gives no more (MaxValRange)."""
MOST_MEMBERS = 5000
"""Accounts of one group that are read; beyond, only the planned ones are looked at, one by one."""

_IN_CHAIN = "1.2.840.113556.1.4.1941"  # MS-ADTS 3.1.1.3.4.4.3, LDAP_MATCHING_RULE_TRANSITIVE_EVAL
_ACTIVE_DIRECTORY = "1.2.840.113556.1.4.800"  # MS-ADTS 3.1.1.3.4.3.1, LDAP_CAP_ACTIVE_DIRECTORY_OID
_DISABLED = 0x2  # userAccountControl (MS-ADTS 2.2.16)
_SECURITY = 0x80000000  # groupType (MS-ADTS 2.2.12)
_SCOPES = ((0x2, Scope.GLOBAL), (0x4, Scope.DOMAIN_LOCAL), (0x8, Scope.UNIVERSAL))
_RANGE = re.compile(r"member;range=(\d{1,9})-(\d{1,9}|\*)")
_NAMES_AT_ONCE = 50
_OF_ACCOUNTS = ("sAMAccountName", "objectClass", "userAccountControl", "memberOf", "primaryGroupID", "objectSid")
_OF_GROUPS = ("sAMAccountName", "groupType", "objectSid")


@dataclass(frozen=True, slots=True)
class Root:
    """What a domain controller says of itself before anybody signs in.

    Attributes:
        base: the distinguished name of its domain.
        host: its full name.
        mechanisms: of SASL, that it takes.
    """

    base: str
    host: str
    mechanisms: tuple[str, ...]

    @property
    def domain(self) -> str:
        """The domain's DNS name."""
        return ".".join(part.partition("=")[2] for part in self.base.split(",")).lower()


async def read_root(connection: Connection) -> Root:
    """Ask for the directory's own entry (rootDSE, RFC 4512, 5.1).

    Raises:
        DirectoryAnswer: it is no Active Directory.
    """
    wanted = ("defaultNamingContext", "dnsHostName", "supportedSASLMechanisms", "supportedCapabilities")
    entry = await connection.entry("", wanted)
    if entry is None or _ACTIVE_DIRECTORY not in entry.texts("supportedCapabilities"):
        raise DirectoryAnswer("it is an LDAP server, but no domain controller of an Active Directory")
    return Root(entry.text("defaultNamingContext"), entry.text("dnsHostName"), entry.texts("supportedSASLMechanisms"))


class Reader:
    """Reads one domain.

    Args:
        connection: signed in.
        base: the domain's distinguished name.
        at_once: values of ``member`` that are asked for at once.
        most: accounts of one group that are read.
    """

    def __init__(
        self, connection: Connection, base: str, *, at_once: int = MEMBERS_AT_ONCE, most: int = MOST_MEMBERS
    ) -> None:
        self._connection, self._base = connection, base
        self._at_once, self._most = at_once, most

    async def find(self, groups: Sequence[tuple[str, Sequence[str]]]) -> Found:
        """What there is of these groups and their planned members."""
        accounts = await self._accounts({name.lower() for _, members in groups for name in members})
        memberships: dict[str, Membership | None] = {}
        inside = set[tuple[str, str]]()
        for name, members in groups:
            group = await self._group(name)
            memberships[name] = found = None if group is None else await self._membership(group)
            if found is None or found.complete:
                continue
            for member in members:
                account = accounts.get(member.lower())
                if account is not None and await self._is_inside(account, found):
                    inside.add((name.lower(), member.lower()))
        return Found(memberships, accounts, frozenset(inside))

    async def _group(self, name: str) -> Group | None:
        wanted = _all(_equal("objectCategory", "group"), _any([_equal("sAMAccountName", name), _equal("cn", name)]))
        entries, _ = await self._connection.search(self._base, wanted, _OF_GROUPS, most=100)
        # The account name is what PowerShell finds it by; the common name is only what it looks like.
        entries.sort(key=lambda each: each.text("sAMAccountName").lower() != name.lower())
        if not entries:
            return None
        entry = entries[0]
        kind = entry.number("groupType") & 0xFFFFFFFF
        scope = next((scope for bit, scope in _SCOPES if kind & bit), None)
        members = await self._member_dns(entry.dn)
        account = entry.text("sAMAccountName")
        return Group(entry.dn, account, scope, bool(kind & _SECURITY), _rid(entry), members)

    async def _member_dns(self, dn: str) -> tuple[str, ...]:
        """The values of ``member``, in ranges (MS-ADTS 3.1.1.3.1.3.3)."""
        found: list[str] = []
        while len(found) < self._most:
            entry = await self._connection.entry(dn, [f"member;range={len(found)}-{len(found) + self._at_once - 1}"])
            ranges = [(each, name) for name in (entry.attributes if entry else ()) if (each := _RANGE.fullmatch(name))]
            if entry is None or not ranges:
                return tuple(found)
            match, name = ranges[0]
            values = entry.texts(name)
            if int(match[1]) != len(found) or not values:
                raise DirectoryAnswer(f"it was asked for members from {len(found)} on and gives {name}")
            found += values
            if match[2] == "*":
                break
        return tuple(found)

    async def _membership(self, group: Group) -> Membership:
        chain = sansldap.FilterExtensibleMatch(_IN_CHAIN, "memberOf", group.dn.encode(), dn_attributes=False)
        entries, all_groups = await self._search(_all(_equal("objectCategory", "group"), chain))
        rids = {group.rid: group.dn.lower(), **{_rid(each): each.dn.lower() for each in entries}}
        nested = tuple(_account(each, rids) for each in entries)
        entries, all_accounts = await self._search(_all(_equal("objectClass", "user"), chain))
        by_dn = {each.dn.lower(): each for each in entries}
        for some in _chunks(sorted(rids.keys() - {0})):
            wanted = _any([_equal("primaryGroupID", str(rid)) for rid in some])
            entries, all_primary = await self._search(wanted)
            by_dn |= {each.dn.lower(): each for each in entries}
            all_accounts = all_accounts and all_primary
        accounts = tuple(_account(each, rids) for each in by_dn.values())
        complete = all_groups and all_accounts and len(group.member_dns) < self._most
        return Membership(group, accounts, nested, complete)

    async def _is_inside(self, account: Account, membership: Membership) -> bool:
        dns = {membership.group.dn.lower(), *(each.dn.lower() for each in membership.nested)}
        if account.parents & dns:
            return True
        top = membership.group.dn.encode()
        chain = sansldap.FilterExtensibleMatch(_IN_CHAIN, "memberOf", top, dn_attributes=False)
        return await self._connection.entry(account.dn, ["sAMAccountName"], chain) is not None

    async def _accounts(self, names: Iterable[str]) -> dict[str, Account]:
        found: dict[str, Account] = {}
        for some in _chunks(sorted(names)):
            entries, _ = await self._search(_any([_equal("sAMAccountName", name) for name in some]))
            found |= {(account := _account(each, {})).name.lower(): account for each in entries}
        return found

    async def _search(self, wanted: sansldap.LDAPFilter) -> tuple[list[Entry], bool]:
        return await self._connection.search(self._base, wanted, _OF_ACCOUNTS, most=self._most)


def _account(entry: Entry, rids: dict[int, str]) -> Account:
    classes = {each.lower() for each in entry.texts("objectClass")}
    kind = Kind.COMPUTER if "computer" in classes else Kind.GROUP if "group" in classes else Kind.USER
    parents = {each.lower() for each in entry.texts("memberOf")}
    primary = rids.get(entry.number("primaryGroupID"))
    if primary is not None:
        parents.add(primary)
    disabled = bool(entry.number("userAccountControl") & _DISABLED)
    return Account(entry.dn, entry.text("sAMAccountName") or entry.dn, kind, disabled, frozenset(parents))


def _rid(entry: Entry) -> int:
    """The last part of the security identifier (MS-DTYP 2.4.2.2); 0 where there is none."""
    sid = next(iter(entry.attributes.get("objectsid", ())), b"")
    return int.from_bytes(sid[-4:], "little") if len(sid) >= 12 else 0  # header of 8 bytes, and a part of 4


def _equal(attribute: str, value: str) -> sansldap.LDAPFilter:
    return sansldap.FilterEquality(attribute, value.encode())


def _all(*filters: sansldap.LDAPFilter) -> sansldap.LDAPFilter:
    return sansldap.FilterAnd(list(filters))


def _any(filters: Sequence[sansldap.LDAPFilter]) -> sansldap.LDAPFilter:
    return sansldap.FilterOr(list(filters))


def _chunks(values: Sequence[T]) -> list[Sequence[T]]:
    return [values[start : start + _NAMES_AT_ONCE] for start in range(0, len(values), _NAMES_AT_ONCE)]
