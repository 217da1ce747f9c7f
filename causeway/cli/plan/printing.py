"""How a plan and what follows from it are printed at a terminal."""

from collections.abc import Sequence

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from causeway.cli.plan.options import is_old
from causeway.cli.shared.output import stdout
from causeway.clouds import CLOUDS
from causeway.plan.cost import Cost
from causeway.plan.document import Plan
from causeway.plan.fact import Fact
from causeway.plan.values import TARGET_TITLES

_TITLE_WIDTH = 30


def print_facts(facts: Sequence[Fact], *, explain: bool) -> None:
    """What follows, topic by topic, and with ``explain`` why."""
    topic = ""
    for fact in facts:
        if fact.topic != topic:
            topic = fact.topic
            print_topic(topic)
        _print_row(fact.title, fact.value, fact.because if explain else None)


def print_cost(cost: Cost, *, explain: bool) -> None:
    """The month, line by line."""
    print_topic("Cost of a month")
    for line in cost.lines:
        amount = "unknown" if line.usd_per_month is None else f"${line.usd_per_month:,.2f}"
        why = f"{line.because}: {line.quantity:,.0f} {line.unit}"
        if line.usd_per_unit is not None:
            why += f" at ${line.usd_per_unit:g}, as of {line.as_of}"
        _print_row(line.title, amount, why if explain else None)
    least = "at least " if cost.unknown else ""
    _print_row("Together", f"{least}${cost.known_usd:,.2f}", None)
    if cost.unknown:
        hint = (
            f"No price is known of {len(cost.unknown)} of {len(cost.lines)}; they are left out, not guessed. "
            "`causeway plan prices refresh` asks Azure."
        )
        stdout.print(Text(f"  {hint}", style="dim"))
    if cost.oldest is not None:
        stdout.print(
            Text(
                f"  Azure's retail prices in US dollars, as of {cost.oldest} or later, before taxes and discounts."
                + (" That is long ago: `causeway plan prices refresh` asks again." if is_old(cost.oldest) else ""),
                style="dim",
            )
        )


def print_heading(plan: Plan) -> None:
    """Whose gateway, and the way through it, in two lines."""
    title = Text.assemble((plan.organisation, "bold"), ": ", TARGET_TITLES[plan.target])
    stdout.print(title)
    stdout.print(
        Text(
            f"{plan.clients.expected:,} clients → {plan.names.service_name} → {plan.gateway.instances} of "
            f"{plan.gateway.vm_size} in {plan.azure.region}, {CLOUDS[plan.azure.cloud].title} → "
            f"{len(plan.connection_point)} connection points",
            style="dim",
        )
    )


def print_topic(topic: str) -> None:
    """A heading."""
    stdout.print()
    stdout.print(Text(topic, style="bold cyan"))


def _print_row(title: str, value: str, because: str | None) -> None:
    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(width=_TITLE_WIDTH, overflow="fold")
    table.add_column(overflow="fold")
    table.add_row(Text(title), Text(value))
    if because is not None:
        table.add_row("", Text(because, style="dim"))
    stdout.print(Padding(table, (0, 0, 0, 2), expand=False))
