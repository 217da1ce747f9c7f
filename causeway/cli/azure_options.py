"""What the commands that ask Azure share: the plan, and whose credentials are used."""

from pathlib import Path
from typing import Annotated

import typer

from causeway.azure.sign_in import CredentialSource
from causeway.plan.document import FILE

PlanOption = Annotated[Path, typer.Option("--plan", "-p", help="The plan.", show_default=str(FILE))]
CredentialOption = Annotated[
    CredentialSource,
    typer.Option(
        "--credential",
        help="Whose credentials: of an application in AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET "
        "(environment), of this machine in Azure (managed-identity), of `az login` (azure-cli), or the first of these "
        "that there is (any).",
    ),
]
TimeoutOption = Annotated[float, typer.Option("--timeout", min=1, max=3600, help="Seconds for everything together.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]
