"""``causeway cert``: the server certificate, from its request to its renewal."""

import typer

from causeway.cli import cert_adcs, cert_export, cert_inspect, cert_obtain, cert_renew, cert_request

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The gateway's server certificate: requested, had from an authority, looked at, exported, renewed. Its files "
    "are in one folder (--folder): current/server.pem and current/server.key are what a gateway reads.",
)
app.command("request")(cert_request.request)
app.command("import")(cert_request.take_in)
app.command("issue")(cert_obtain.issue)
app.command("acme")(cert_obtain.acme)
app.add_typer(cert_adcs.app, name="adcs")
app.command("inspect")(cert_inspect.inspect)
app.command("export")(cert_export.export)
app.command("renew")(cert_renew.renew)
