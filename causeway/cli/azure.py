"""``causeway azure``: what is done in Azure, with the Azure SDK. The SDK is loaded by the command that needs it."""

import typer

from causeway.cli import azure_apps, azure_providers, azure_whoami

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Work in Azure, with the plan: who is signed in, resource providers, applications.",
)


@app.callback()
def azure() -> None:
    """Work in Azure, with the plan: who is signed in, resource providers, applications."""


app.command("whoami")(azure_whoami.whoami)
app.command("register-providers")(azure_providers.register_providers)
app.add_typer(azure_apps.app, name="apps")
