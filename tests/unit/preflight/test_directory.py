"""What is found in a directory against a plan, and each remedy; without a network."""

import sys
from pathlib import Path

import pytest

from causeway.cli.check import directory as directory_checks
from causeway.directory.values import Account, Found, Group, Kind, Membership, Scope, Transport
from causeway.errors import OperatorError
from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import DirectorySection
from causeway.plan.groups import GroupNeed
from causeway.plan.values import GroupPurpose
from causeway.preflight import directory
from causeway.preflight.directory_results import ACCOUNTS, GROUP, MEMBERS, OTHERS, group_results
from causeway.preflight.probe import run_probes
from tests.unit.plan.plans import contoso

NAME = "CMG's servers"
TOP = "cn=top"
NEED = GroupNeed(NAME, GroupPurpose.CONNECTION_POINTS, ("CP01$", "CP02$"))


def account(name: str, *parents: str, disabled: bool = False) -> Account:
    kind = Kind.COMPUTER if name.endswith("$") else Kind.USER
    return Account(f"CN={name}", name, kind, disabled, frozenset(parents))


CP01, CP02 = account("CP01$", TOP), account("CP02$", TOP)
ACCOUNTS_THERE = {"cp01$": CP01, "cp02$": CP02}


def results(
    *accounts: Account,
    need: GroupNeed = NEED,
    nested: tuple[Account, ...] = (),
    member_dns: tuple[str, ...] = (),
    complete: bool = True,
    inside: frozenset[tuple[str, str]] = frozenset(),
    scope: Scope | None = Scope.GLOBAL,
    security: bool = True,
) -> dict[str, CheckResult]:
    group = Group("CN=Top", NAME, scope, security, 1, member_dns)
    found = Found({NAME: Membership(group, accounts, nested, complete)}, ACCOUNTS_THERE, inside)
    return {each.name: each for each in group_results([need], found)}


def test_everybody_who_is_planned_and_nobody_else_passes() -> None:
    assert {each.status for each in results(CP01, CP02).values()} == {Status.PASS}


def test_who_is_missing_is_put_in_by_one_command() -> None:
    seen = results()[MEMBERS]
    assert (seen.status, seen.details) == (Status.FAIL, "not in it: CP01$, CP02$")
    assert "`Add-ADGroupMember -Identity 'CMG''s servers' -Members 'CP01$', 'CP02$'`" in seen.action


def test_who_is_not_planned_is_warned_of_with_the_group_that_lets_them_in() -> None:
    nested = Account("CN=N", "N", Kind.GROUP, parents=frozenset({TOP}))
    strange, within = account("strange", TOP), account("within", "cn=n")
    foreign = "CN=S-1-5-21-1,CN=ForeignSecurityPrincipals"
    seen = results(CP01, CP02, strange, within, nested=(nested,), member_dns=(foreign, "CN=N", "CN=CP01$"))[OTHERS]
    assert seen.status is Status.WARN
    assert seen.details == f"in it, and not in the plan: strange, within through N, {foreign}"
    assert f"-Members 'strange', '{foreign}'`" in seen.action
    assert "`Get-ADGroupMember -Identity 'N' | Select-Object SamAccountName`" in seen.action


def test_members_of_a_planned_group_are_planned() -> None:
    need = GroupNeed(NAME, GroupPurpose.ADMINISTRATORS, ("N",))
    nested = Account("CN=N", "N", Kind.GROUP, parents=frozenset({TOP}))
    found = Found(
        {NAME: Membership(Group("CN=Top", NAME, Scope.GLOBAL, True, 1), (account("within", "cn=n"),), (nested,))},
        {"n": nested},
    )
    assert {each.status for each in group_results([need], found)} == {Status.PASS}


def test_a_group_too_large_to_be_read_still_tells_who_of_the_plan_is_in_it() -> None:
    seen = results(CP01, complete=False, inside=frozenset({(NAME.lower(), "cp02$")}))
    assert seen[MEMBERS].status is Status.PASS
    assert seen[OTHERS].status is Status.WARN
    assert results(CP01, complete=False)[MEMBERS].status is Status.FAIL


@pytest.mark.parametrize(
    ("scope", "security", "status", "command"),
    [
        (Scope.GLOBAL, False, Status.FAIL, "Set-ADGroup -Identity 'CMG''s servers' -GroupCategory Security"),
        (Scope.DOMAIN_LOCAL, True, Status.WARN, "Set-ADGroup -Identity 'CMG''s servers' -GroupScope Universal"),
        (Scope.UNIVERSAL, True, Status.PASS, ""),
        (None, True, Status.FAIL, "another name"),
    ],
)
def test_the_kind_of_a_group_is_told_with_the_command_that_changes_it(
    scope: Scope | None, security: bool, status: Status, command: str
) -> None:
    seen = results(CP01, CP02, scope=scope, security=security)[GROUP]
    assert seen.status is status
    assert command in seen.action


def test_accounts_that_are_missing_or_disabled_are_told_once_for_all_groups() -> None:
    disabled = account("CP01$", TOP, disabled=True)
    found = Found({NAME: None, "Other": None}, {"cp01$": disabled})
    needs = [NEED, GroupNeed("Other", GroupPurpose.ADMINISTRATORS, ("CP01$",))]
    seen = group_results(needs, found)
    assert [(each.target, each.status) for each in seen if each.name == ACCOUNTS] == [
        ("CP01$", Status.WARN),
        ("CP02$", Status.FAIL),
    ]
    assert [each.status for each in seen if each.name == GROUP] == [Status.FAIL, Status.FAIL]
    assert "New-ADGroup -Name 'CMG''s servers'" in seen[0].action


def test_a_group_without_planned_members_may_hold_anybody() -> None:
    seen = results(CP01, need=GroupNeed(NAME, GroupPurpose.PILOT_DEVICES, ()))
    assert seen[MEMBERS].status is seen[OTHERS].status is Status.SKIP


async def test_without_groups_or_a_domain_there_is_nothing_to_look_at() -> None:
    for section, why in (
        (DirectorySection(domain="corp.contoso.com"), "names no groups"),
        (DirectorySection(group=contoso().directory.group), "set domain"),
    ):
        (only,) = await run_probes(
            directory.probes(contoso(directory=section), directory.Access(), timeout_s=1), timeout_s=1
        )
        assert only.status is Status.SKIP
        assert why in only.details


async def test_without_the_extra_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sansldap", None)
    probes = directory.probes(contoso(), directory.Access(), timeout_s=1)
    (only,) = await run_probes(probes, timeout_s=1)
    assert only.status is Status.SKIP
    assert '`pip install "causeway[directory]"`, or `make extras`' in only.details


def test_a_password_goes_over_tls_and_kerberos_encrypts_by_itself() -> None:
    assert directory.Access(user="a", password="x").protected_by is Transport.LDAPS
    assert directory.Access().protected_by is Transport.LDAP
    assert "secret" not in repr(directory.Access(user="a", password="secret"))


def test_options_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("secret\n")
    for transport, user, password, keytab in (
        (Transport.LDAP, "a", file, None),
        (None, "a", None, None),
        (None, "", file, None),
        (None, "a", file, file),
        (None, "", None, tmp_path / "no-keytab"),
    ):
        with pytest.raises(OperatorError):
            directory_checks.probes(contoso(), None, transport, user, password, keytab, None, 1)
    file.write_bytes(b"\xff\n")
    with pytest.raises(OperatorError, match="UTF-8"):
        directory_checks.probes(contoso(), None, None, "a", file, None, None, 1)
