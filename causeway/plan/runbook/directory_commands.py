"""The commands that make and mend the groups of an Active Directory; of its module for PowerShell."""

from collections.abc import Sequence

from causeway.plan.groups import REASONS, GroupNeed
from causeway.plan.runbook.step import Command, ps


def new_group(group: GroupNeed) -> Command:
    """Make a group, without members."""
    return ps(
        "New-ADGroup -Name {name} -GroupScope Global -GroupCategory Security -Description {description}",
        name=group.name,
        description=REASONS[group.purpose],
    )


def add_members(name: str, members: Sequence[str]) -> Command:
    """Put accounts into a group."""
    return _with_members("Add-ADGroupMember -Identity {name} -Members ", name, members)


def remove_members(name: str, members: Sequence[str]) -> Command:
    """Take accounts out of a group; the command asks first."""
    return _with_members("Remove-ADGroupMember -Identity {name} -Members ", name, members)


def members_of(name: str) -> Command:
    """Who is in a group."""
    return ps("Get-ADGroupMember -Identity {name} | Select-Object SamAccountName", name=name)


def set_category(name: str) -> Command:
    """Make a security group of a distribution group."""
    return ps("Set-ADGroup -Identity {name} -GroupCategory Security", name=name)


def set_scope(name: str) -> Command:
    """Let a group count in the whole forest; a domain local group becomes a global one only by way of that."""
    return ps("Set-ADGroup -Identity {name} -GroupScope Universal", name=name)


def enable_account(name: str) -> Command:
    """Let an account sign in again."""
    return ps("Enable-ADAccount -Identity {name}", name=name)


def _with_members(command: str, name: str, members: Sequence[str]) -> Command:
    values = {f"member{index}": member for index, member in enumerate(members)}
    return ps(command + ", ".join(f"{{{key}}}" for key in values), name=name, **values)
