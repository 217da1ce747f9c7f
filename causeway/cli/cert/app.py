"""``causeway cert``: the server certificate, from its request to its renewal."""

import typer

from causeway.cli.cert import adcs, export, inspect, obtain, renew, request

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The gateway's server certificate: requested, had from an authority, looked at, exported, renewed. Its files "
    "are in one folder (--folder): current/server.pem and current/server.key are what a gateway reads.",
)
app.command("request")(request.request)
app.command("import")(request.take_in)
app.command("issue")(obtain.issue)
app.command("acme")(obtain.acme)
app.add_typer(adcs.app, name="adcs")
app.command("inspect")(inspect.inspect)
app.command("export")(export.export)
app.command("renew")(renew.renew)
