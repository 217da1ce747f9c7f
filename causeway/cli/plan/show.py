"""``causeway plan show``, ``firewall``, ``roles`` and ``diff``: what follows from a plan."""

import dataclasses
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from causeway.cli.plan.options import READABLE, ExplainOption, PlanArgument, known_prices, print_findings
from causeway.cli.plan.printing import print_cost, print_facts, print_heading, print_topic
from causeway.cli.shared.options import JsonOption
from causeway.cli.shared.output import OK, PROBLEMS, json_text, print_json, stdout
from causeway.errors import OperatorError
from causeway.files import write_atomically
from causeway.plan.access import custom_roles
from causeway.plan.cost import monthly_cost
from causeway.plan.difference import Difference, consequences, differences
from causeway.plan.document import FILE, read_plan
from causeway.plan.facts import all_facts
from causeway.plan.findings import cannot_work, contradictions
from causeway.plan.firewall_list import ListFormat, firewall_list, firewall_value
from causeway.plan.runbook import runbook
from causeway.plan.summary import summary


def show(
    plan: PlanArgument = FILE,
    explain: ExplainOption = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one page for network, DNS, PKI and Azure teams instead.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what follows from a plan: names, certificate, rights, firewall, size, cost, and what contradicts.

    Exit code 1 where the plan cannot work as it is.
    """
    document = read_plan(plan)
    cost = monthly_cost(document, known_prices())
    if as_json:
        print_json(summary(document, cost))
        raise typer.Exit(PROBLEMS if cannot_work(document) else OK)
    if html is not None:
        from causeway.plan.page import plan_page  # noqa: PLC0415  # templates, which nothing else needs

        write_atomically(html, plan_page(document, cost, runbook(document, plan)).encode(), mode=READABLE)
        stdout.print(f"{html} is written.", markup=False, soft_wrap=True)
        raise typer.Exit(PROBLEMS if cannot_work(document) else OK)
    print_heading(document)
    print_facts(all_facts(document), explain=explain)
    print_cost(cost, explain=explain)
    print_topic("What contradicts, and what to know")
    raise typer.Exit(print_findings(contradictions(document)))


def firewall(
    plan: PlanArgument = FILE,
    form: Annotated[ListFormat, typer.Option("--format", help="How to write it.")] = ListFormat.MARKDOWN,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A file; without it, standard output.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print every connection that must be let through, for those who keep the firewalls."""
    document = read_plan(plan)
    text = json_text(firewall_value(document)) + "\n" if as_json else firewall_list(document, form)
    if out is None:
        print(text, end="")
        return
    write_atomically(out, text.encode(), mode=READABLE)
    stdout.print(f"{out} is written.", markup=False, soft_wrap=True)


class Role(StrEnum):
    """The custom roles."""

    PREFLIGHT = "preflight"
    DEPLOYMENT = "deployment"


def roles(
    plan: PlanArgument = FILE,
    only: Annotated[Role | None, typer.Option("--only", help="One of them, as `az` takes it; else both.")] = None,
) -> None:
    """Print the custom roles with exactly the actions that are needed, for `az role definition create`."""
    found = custom_roles(read_plan(plan))
    if not found:
        raise OperatorError(f"{plan}: Microsoft documents no custom role for its gateway; who makes it is an Owner")
    print_json(found[list(Role).index(only)] if only else list(found))


def diff(
    before: Annotated[Path, typer.Argument(help="The plan as it was.")],
    after: Annotated[Path, typer.Argument(help="The plan as it is now.")],
    as_json: JsonOption = False,
) -> None:
    """Show how two plans differ and what follows differently. Exit code 1 where they differ."""
    old, new = read_plan(before), read_plan(after)
    changed, followed = differences(old, new), consequences(old, new)
    if as_json:
        print_json(
            {
                "changed": [dataclasses.asdict(each) for each in changed],
                "follows": [dataclasses.asdict(each) for each in followed],
            }
        )
    elif not changed:
        stdout.print("The plans are the same.")
    else:
        _print_differences(changed)
        if followed:
            print_topic("What follows")
            _print_differences(followed)
        if any(each.needs_redeployment for each in changed):
            stdout.print("\nA gateway that stands has to be made anew for what is marked ⟳.")
    raise typer.Exit(PROBLEMS if changed else OK)


def _print_differences(found: Sequence[Difference]) -> None:
    for each in found:
        mark = " ⟳" if each.needs_redeployment else ""
        stdout.print(Text.assemble((each.what, "bold"), (mark, "yellow")))
        if each.before is not None:
            stdout.print(Text(f"  - {each.before}", style="red"))
        if each.after is not None:
            stdout.print(Text(f"  + {each.after}", style="green"))
