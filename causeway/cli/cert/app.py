"""``causeway cert``: the server certificate, from its request to its renewal."""

import typer

from causeway.cli.cert import adcs, export, inspect, obtain, renew, request
from causeway.cli.shared.help import examples, pointer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The gateway's server certificate: requested, had from an authority, looked at, exported, renewed. Its files "
    "are in one folder (--folder): current/server.pem and current/server.key are what a gateway reads.",
    epilog=pointer("certificates.md"),
)
app.command("request", epilog=examples("causeway cert request --plan causeway-plan.toml"))(request.request)
app.command("import", epilog=examples("causeway cert import gateway.cer chain.p7b"))(request.take_in)
app.command("issue", epilog=examples("causeway cert issue --authority authority --name gateway.contoso.com"))(
    obtain.issue
)
app.command(
    "acme",
    epilog=examples(
        "causeway cert acme --plan causeway-plan.toml --agree --email pki@contoso.com --dns-provider cloudflare"
    ),
)(obtain.acme)
app.add_typer(adcs.app, name="adcs")
app.command(
    "inspect",
    epilog=examples(
        "causeway cert inspect gateway.contoso.com:443",
        "causeway cert inspect certificate/current/server.pem --plan causeway-plan.toml",
    ),
)(inspect.inspect)
app.command(
    "export", epilog=examples("causeway cert export gateway.pfx", "causeway cert export gateway.pem --form pem")
)(export.export)
app.command("renew", epilog=examples("causeway cert renew --if-due"))(renew.renew)
