"""``causeway plan``: from a name to everything that a gateway needs."""

import typer

from causeway.cli.plan import new, prices, runbook, show

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The plan of a gateway, our own or Microsoft's: names, certificate, rights, firewall, size, cost, steps.",
)
app.command()(new.new)
app.command()(show.show)
app.command()(show.firewall)
app.command()(show.roles)
app.command()(show.diff)
app.command()(runbook.runbook)
app.add_typer(prices.app, name="prices")
