"""``causeway plan``: from a name to everything that a gateway needs."""

import typer

from causeway.cli import plan_new, plan_prices, plan_runbook, plan_show

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The plan of a gateway, our own or Microsoft's: names, certificate, rights, firewall, size, cost, steps.",
)
app.command()(plan_new.new)
app.command()(plan_show.show)
app.command()(plan_show.firewall)
app.command()(plan_show.roles)
app.command()(plan_show.diff)
app.command()(plan_runbook.runbook)
app.add_typer(plan_prices.app, name="prices")
