"""``causeway azure``: what is done in Azure, with the Azure SDK. The SDK is loaded by the command that needs it."""

import typer

from causeway.cli.azure import apps, providers, whoami
from causeway.cli.shared.help import examples, pointer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Work in Azure, with the plan: who is signed in, resource providers, applications.",
    epilog=pointer("azure.md"),
)


@app.callback()
def azure() -> None:
    """Work in Azure, with the plan: who is signed in, resource providers, applications."""


app.command("whoami", epilog=examples("causeway azure whoami --plan causeway-plan.toml"))(whoami.whoami)
app.command("register-providers", epilog=examples("causeway azure register-providers --plan causeway-plan.toml"))(
    providers.register_providers
)
app.add_typer(apps.app, name="apps")
