"""``causeway plan prices``: ask Azure what a plan costs."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from causeway.azure.errors import RetailPricesUnavailable
from causeway.cli.plan.options import READABLE, PlanArgument, fetched_prices_path, known_prices
from causeway.cli.shared.help import examples, pointer
from causeway.cli.shared.options import JsonOption
from causeway.cli.shared.output import print_json, stderr, stdout
from causeway.errors import OperatorError
from causeway.files import make_private_folder, write_atomically
from causeway.plan.cost import monthly_cost
from causeway.plan.document import FILE, read_plan
from causeway.plan.prices import SOURCE, filters, merged, prices_text, read_prices

app = typer.Typer(
    no_args_is_help=True,
    help="Azure's retail prices, from which the cost of a month is calculated.",
    epilog=pointer("plan.md#prices"),
)


@app.callback()
def prices() -> None:
    """Azure's retail prices, from which the cost of a month is calculated."""


@app.command(epilog=examples("causeway plan prices refresh causeway-plan.toml"))
def refresh(
    plan: PlanArgument = FILE,
    source: Annotated[str, typer.Option("--source", help="The list of prices, or a mirror of it; HTTPS.")] = SOURCE,
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=1, max=600, help="Seconds for everything together.")
    ] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Ask Azure's public price list for the plan's region, without signing in; by the plan's web proxy if it has one.

    The prices are kept beside those of other regions, and count from then on. Exit code 1 where they cannot be had.
    """
    from causeway.azure.retail_prices import RetailPrices  # noqa: PLC0415  # an HTTP client, which no other command needs

    if not source.startswith("https://"):
        raise OperatorError(f"--source: {source!r} is no HTTPS URL; expected one such as {SOURCE}")
    document, path, today = read_plan(plan), fetched_prices_path(), datetime.now(UTC).date()
    before = read_prices(path)
    questions = filters(document.azure.region, document.azure.cloud)
    with stderr.status(f"Asking {source} …"):
        found = asyncio.run(RetailPrices(source, document.proxy.url, timeout_s).ask(questions, today))
    if not found:
        raise RetailPricesUnavailable(f"{source} lists nothing for {document.azure.region}; is the region spelt right?")
    make_private_folder(path.parent)
    text = prices_text(merged(before, found, source=source, query="; ".join(questions), today=today.isoformat()))
    write_atomically(path, text.encode(), mode=READABLE)
    cost = monthly_cost(document, known_prices())
    if as_json:
        print_json({"prices": str(path), "fetched": len(found), "unknown": list(cost.unknown)})
        return
    stdout.print(f"{len(found)} prices are in {path}.", markup=False, soft_wrap=True)
    if cost.unknown:
        stdout.print(f"Still unknown: {', '.join(cost.unknown)}.", markup=False, soft_wrap=True)
    least = "at least " if cost.unknown else ""
    stdout.print(f"A month of this plan: {least}${cost.known_usd:,.2f}.", markup=False, soft_wrap=True)
