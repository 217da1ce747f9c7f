"""A runbook's steps are in an order in which they can be done, and its commands can be typed as they stand.

The golden files show two whole runbooks; ``python -m tests.unit.plan.test_runbook`` writes them anew.
"""

import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.cli.main import GROUPS
from causeway.errors import OperatorError
from causeway.plan.document import DirectorySection, GroupSection, Plan
from causeway.plan.runbook import Shell, Step, Who, in_order, runbook
from causeway.plan.runbook.step import literal, sh
from causeway.plan.runbook.text import markdown
from causeway.plan.values import (
    CertificateSource,
    ClientAuthentication,
    DnsHosting,
    GroupPurpose,
    Target,
)
from tests.unit.plan.plans import contoso

FILE = Path("causeway-plan.toml")
GOLDEN = Path(__file__).parent / "golden"
AZURE_NAME = "contosogateway.westeurope.cloudapp.azure.com"
PLANS = {
    "causeway": contoso(),
    "configmgr": contoso(
        target=Target.CONFIGMGR,
        names__prefix="gateway",
        gateway__vm_size="Standard_A2_v2",
        clients__authentication=tuple(ClientAuthentication),
        certificate__source=CertificateSource.OWN_PKI,
        dns__hosting=DnsHosting.WINDOWS_DNS,
        proxy__url="http://proxy.corp.contoso.com:8080",
    ),
}
VARIANTS = [
    *PLANS.values(),
    contoso(azure__resource_group_exists=True, azure__subscription_id=None, azure__tenant_id=None),
    contoso(names__service_name=AZURE_NAME, certificate__source=CertificateSource.OWN_PKI),
    contoso(clients__authentication=(ClientAuthentication.ENTRA,), directory=DirectorySection()),
    contoso(target=Target.CONFIGMGR, clients__authentication=(ClientAuthentication.TOKEN,), content__enabled=False),
    contoso(target=Target.CONFIGMGR, site__code=None, dns__hosting=DnsHosting.OTHER, certificate__wildcard=True),
]


@pytest.mark.parametrize("plan", VARIANTS)
def test_every_step_comes_after_all_that_it_needs_and_says_how_to_see_that_it_is_done(plan: Plan) -> None:
    passed: set[str] = set()
    for step in runbook(plan, FILE):
        assert passed.issuperset(step.after), step
        assert step.word not in passed
        assert step.done, step
        assert step.because.endswith("."), step
        passed.add(step.word)
    assert passed


@pytest.mark.parametrize("name", PLANS)
def test_the_runbook_is_the_golden_one(name: str) -> None:
    assert markdown(PLANS[name], runbook(PLANS[name], FILE)) == (GOLDEN / f"runbook-{name}.md").read_text()


def test_steps_that_are_done_are_left_out_and_the_others_keep_their_order() -> None:
    whole = [step.word for step in runbook(contoso(), FILE)]
    left = [step.word for step in runbook(contoso(), FILE, ["plan", "dns"])]
    assert left == [word for word in whole if word not in ("plan", "dns")]
    with pytest.raises(OperatorError, match="--done dsn: there is no such step; there are address, certificate"):
        runbook(contoso(), FILE, ["dsn"])


def test_what_the_plan_has_no_use_for_is_no_step() -> None:
    plain = contoso(
        names__service_name=AZURE_NAME,
        clients__authentication=(ClientAuthentication.TOKEN,),
        directory=DirectorySection(),
    )
    words = {step.word for step in runbook(plain, FILE)}
    assert not {"dns", "applications", "consent", "groups", "client-certificates"} & words


def test_consent_to_graph_is_a_step_of_its_own_by_an_entra_administrator() -> None:
    steps = {step.word: step for step in runbook(PLANS["configmgr"], FILE)}
    assert steps["consent"].who is Who.ENTRA
    assert "consent" in steps["azure-service"].after


def test_steps_that_wait_for_one_another_are_a_mistake_of_ours() -> None:
    one = Step("one", "", Who.PLANNER, "", (), (), ("two",))
    two = Step("two", "", Who.PLANNER, "", (), (), ("one",))
    with pytest.raises(ValueError, match="wait for one another: one, two"):
        in_order([one, two])


def parse_ours(words: list[str]) -> None:
    """Let the command line parse a command of ours without running it; raises where it does not take it."""
    command: Any = GROUPS[words[0]].load()
    rest = words[1:]
    while hasattr(command, "commands") and rest:
        command, rest = command.commands[rest[0]], rest[1:]
    command.make_context(words[0], rest)


def test_a_command_that_the_command_line_does_not_take_is_noticed() -> None:
    parse_ours(["plan", "show", "x.toml"])
    with pytest.raises(Exception, match="No such option"):
        parse_ours(["plan", "show", "--plan", "x.toml"])
    with pytest.raises(KeyError):
        parse_ours(["plan", "shwo"])


@pytest.mark.parametrize("plan", VARIANTS)
def test_our_own_commands_are_taken_by_our_command_line(plan: Plan) -> None:
    seen = 0
    for step in runbook(plan, FILE):
        for command in (*step.commands, *step.done):
            words = shlex.split(command.text.partition(" > ")[0]) if command.shell is Shell.SHELL else []
            if words[:1] == ["causeway"]:
                parse_ours(words[1:])
                seen += 1
    assert seen >= 3


@pytest.mark.parametrize("plan", VARIANTS)
def test_no_command_holds_a_password(plan: Plan) -> None:
    for step in runbook(plan, FILE):
        for command in (*step.commands, *step.done):
            assert "password" not in command.text.lower(), command


HOSTILE = "x'; rm -rf / #$(id)`id`\u2019"


def test_what_stands_in_a_plan_cannot_leave_its_quotes() -> None:
    seen = 0
    for target in Target:
        plan = contoso(
            target=target,
            organisation=HOSTILE,
            azure__resource_group=HOSTILE,
            clients__authentication=(ClientAuthentication.ENTRA,),
            directory__group=(GroupSection(name=HOSTILE, purpose=GroupPurpose.ADMINISTRATORS, members=(HOSTILE,)),),
        )
        for step in runbook(plan, FILE):
            for command in (*step.commands, *step.done):
                if command.shell is Shell.SHELL and "rm -rf" in command.text:
                    assert any(HOSTILE in word for word in shlex.split(command.text)), command
                    seen += 1
                if command.shell is Shell.POWERSHELL and "rm -rf" in command.text:
                    assert literal(HOSTILE) in command.text
                    seen += 1
    assert seen > 10


@given(st.text(min_size=1, max_size=30).filter(lambda text: "\x00" not in text))
def test_any_word_comes_through_the_shells_quotes(word: str) -> None:
    text = sh("az", word).text
    if word != ">":
        assert shlex.split(text) == ["az", word]


def test_powershell_takes_every_kind_of_single_quote_for_one() -> None:
    assert literal("it's $(id) \u2019 `n") == "'it''s $(id) \u2019\u2019 `n'"


if __name__ == "__main__":
    for name, plan in PLANS.items():
        (GOLDEN / f"runbook-{name}.md").write_text(markdown(plan, runbook(plan, FILE)))
