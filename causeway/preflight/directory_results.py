"""What a directory holds, against the plan's groups; each remedy is the command that mends it. Pure: no network."""

from collections.abc import Iterable, Sequence

from causeway.directory.values import Account, Found, Group, Membership, Scope
from causeway.observability.checks import CheckResult, Status
from causeway.plan.groups import GroupNeed
from causeway.plan.runbook.directory_commands import (
    add_members,
    enable_account,
    members_of,
    new_group,
    remove_members,
    set_category,
    set_scope,
)

GROUP = "directory group"
MEMBERS = "directory members"
ACCOUNTS = "directory accounts"
OTHERS = "directory others"

_NAMED = 10
"""So many names stand in a line; of more, their number."""


def group_results(needs: Sequence[GroupNeed], found: Found) -> list[CheckResult]:
    """Every check of the groups and their members, group by group."""
    results: list[CheckResult] = []
    for need in needs:
        membership = found.memberships.get(need.name)
        if membership is None:
            results.append(_missing_group(need))
            continue
        results.append(_kind(need, membership.group))
        results += _members(need, membership, found)
        results.append(_others(need, membership))
    planned = dict.fromkeys(member for need in needs for member in need.members)
    return [*results, *_accounts(planned, found)]


def _missing_group(need: GroupNeed) -> CheckResult:
    commands = [new_group(need).text]
    if need.members:
        commands.append(add_members(need.name, need.members).text)
    return CheckResult(GROUP, need.name, Status.FAIL, "there is no such group", _powershell(*commands))


def _kind(need: GroupNeed, group: Group) -> CheckResult:
    if not group.security:
        details = "is a distribution group, to which no right can be given"
        return CheckResult(GROUP, need.name, Status.FAIL, details, _powershell(set_category(group.name).text))
    if group.scope is None:
        details = "is a group of the system's own kind; the plan's must be global or universal"
        return CheckResult(GROUP, need.name, Status.FAIL, details, "Choose another name in the plan.")
    if group.scope is Scope.DOMAIN_LOCAL:
        details = "counts in its own domain only, and certificate templates are of the whole forest"
        return CheckResult(GROUP, need.name, Status.WARN, details, _powershell(set_scope(group.name).text))
    return CheckResult(GROUP, need.name, Status.PASS, f"security group, {group.scope.lower()}, {group.dn}")


def _members(need: GroupNeed, membership: Membership, found: Found) -> list[CheckResult]:
    if not need.members:
        return [CheckResult(MEMBERS, need.name, Status.SKIP, "the plan names no members")]
    inside, outside = [], []
    for name in need.members:
        account = found.accounts.get(name.lower())
        if account is None:
            continue  # said of accounts
        within = _way(account, membership, found, need.name)
        if within is None:
            outside.append(account.name)
        else:
            inside.append(f"{account.name} through {within[0]}" if within else account.name)
    if outside:
        action = _powershell(add_members(need.name, outside).text)
        if any(name.endswith("$") for name in outside):
            action += " A computer learns of it when it starts again."
        return [CheckResult(MEMBERS, need.name, Status.FAIL, f"not in it: {_listed(outside)}", action)]
    if not inside:
        return [CheckResult(MEMBERS, need.name, Status.SKIP, "none of the planned accounts exists")]
    return [CheckResult(MEMBERS, need.name, Status.PASS, _listed(inside))]


def _way(account: Account, membership: Membership, found: Found, planned: str) -> tuple[str, ...] | None:
    """The groups between an account and the group; None where it is not in it."""
    known = {each.dn.lower(): each for each in (*membership.accounts, *membership.nested)}
    read = known.get(account.dn.lower())
    if read is not None:
        return membership.way(read)
    return () if (planned.lower(), account.name.lower()) in found.inside else None


def _others(need: GroupNeed, membership: Membership) -> CheckResult:
    if not need.members:
        count = len(membership.accounts)
        number = f"{count} accounts" if membership.complete else f"more than {count} accounts"
        return CheckResult(OTHERS, need.name, Status.SKIP, f"the plan names no members; {number} in it")
    planned = frozenset(name.lower() for name in need.members)
    direct, through = [], []
    for each in membership.accounts:
        if each.name.lower() in planned or membership.is_within(each, planned):
            continue
        way = membership.way(each)
        if way:
            through.append(f"{each.name} through {way[0]}")
        else:
            direct.append(each.name)
    known = {each.dn.lower() for each in (*membership.accounts, *membership.nested)}
    foreign = [dn for dn in membership.group.member_dns if dn.lower() not in known] if membership.complete else []
    everybody = [*sorted(direct), *sorted(through), *foreign]
    if not everybody:
        details = "nobody else is in it" if membership.complete else "nobody else among those that were read"
        return CheckResult(OTHERS, need.name, Status.PASS if membership.complete else Status.WARN, details)
    more = "" if membership.complete else ", and there are more that were not read"
    details = f"in it, and not in the plan: {_listed(everybody)}{more}"
    removed = [*sorted(direct), *foreign]
    commands = [remove_members(need.name, removed).text] if removed else []
    groups = sorted({each.name for each in membership.nested if each.name.lower() not in planned})
    commands += [members_of(name).text for name in groups[:_NAMED]] if through else []
    return CheckResult(OTHERS, need.name, Status.WARN, details, f"{_powershell(*commands)} Or add them to the plan.")


def _accounts(planned: Iterable[str], found: Found) -> list[CheckResult]:
    results = []
    for name in planned:
        account = found.accounts.get(name.lower())
        if account is None:
            results.append(CheckResult(ACCOUNTS, name, Status.FAIL, "there is no such account", _make_account(name)))
        elif account.disabled:
            details = f"the {account.kind} is disabled, and cannot enrol or sign in"
            action = _powershell(enable_account(account.name).text)
            results.append(CheckResult(ACCOUNTS, name, Status.WARN, details, action))
    if not results and (there := list(planned)):
        results.append(CheckResult(ACCOUNTS, _listed(there), Status.PASS, "there, and enabled"))
    return results


def _make_account(name: str) -> str:
    if name.endswith("$"):
        host = name.removesuffix("$")
        return f"Let {host} join the domain (on it, in PowerShell: `Add-Computer -DomainName DOMAIN -Restart`), or \
correct the plan."
    return "Correct the name in the plan: the account name (sAMAccountName), as `Get-ADUser -Filter *` prints it."


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _powershell(*commands: str) -> str:
    return f"In PowerShell: {', then '.join(f'`{each}`' for each in commands)}."
