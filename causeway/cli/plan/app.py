"""``causeway plan``: from a name to everything that a gateway needs."""

import typer

from causeway.cli.plan import new, prices, runbook, show
from causeway.cli.shared.help import examples, pointer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The plan of a gateway, our own or Microsoft's: names, certificate, rights, firewall, size, cost, steps.",
    epilog=pointer("plan.md"),
)
app.command(
    epilog=examples(
        "causeway plan new",
        "causeway plan new --organisation Contoso --service-name cmg.contoso.com --connection-point cp1.contoso.com",
    )
)(new.new)
app.command(epilog=examples("causeway plan show --explain"))(show.show)
app.command(epilog=examples("causeway plan firewall --format csv --out firewall.csv"))(show.firewall)
app.command(epilog=examples("causeway plan roles --only deployment"))(show.roles)
app.command(epilog=examples("causeway plan diff old-plan.toml causeway-plan.toml"))(show.diff)
app.command(epilog=examples("causeway plan runbook --html runbook.html"))(runbook.runbook)
app.add_typer(prices.app, name="prices")
