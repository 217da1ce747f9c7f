"""What the commands that ask Azure share: whose credentials are used, and what is asked."""

from typing import TYPE_CHECKING, Annotated

import typer

from causeway.azure.sign_in import CredentialSource
from causeway.clouds import CLOUDS
from causeway.errors import OperatorError
from causeway.plan.document import Plan

if TYPE_CHECKING:
    from causeway.azure.clients import Target

CredentialOption = Annotated[
    CredentialSource,
    typer.Option(
        "--credential",
        help="Whose credentials: of an application in AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET "
        "(environment), of this machine in Azure (managed-identity), of `az login` (azure-cli), or the first of these "
        "that there is (any).",
    ),
]


def target(plan: Plan, source: CredentialSource) -> "Target":
    """The plan's subscription.

    Raises:
        OperatorError: the plan names none.
    """
    from causeway.azure.clients import Target  # noqa: PLC0415  # an extra, and slow to load

    if plan.azure.subscription_id is None:
        raise OperatorError(
            "the plan names no subscription; set subscription_id in [azure], as `az account show --query id` prints it"
        )
    return Target(CLOUDS[plan.azure.cloud], plan.azure.subscription_id, plan.azure.tenant_id, source, plan.proxy.url)
