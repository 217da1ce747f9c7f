"""What the commands that ask Entra ID share: which applications are meant, and the way to Microsoft Graph."""

import contextlib
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated

import typer

from causeway.azure.sign_in import CredentialSource, require_sdk
from causeway.clouds import CLOUDS
from causeway.errors import OperatorError
from causeway.plan.applications import ApplicationRole
from causeway.plan.document import Plan
from causeway.plan.values import guid

if TYPE_CHECKING:
    from causeway.azure.entra.directory import Directory
    from causeway.azure.entra.who import SignedIn

ServerApp = Annotated[
    str | None,
    typer.Option("--server-app", help="The server application's (client) id, where it has neither key nor ID URI."),
]
ClientApp = Annotated[str | None, typer.Option("--client-app", help="The client application's (client) id, likewise.")]


def app_ids(server: str | None, client: str | None) -> dict[ApplicationRole, str]:
    """The applications that were named.

    Raises:
        OperatorError: one is no id.
    """
    found = {}
    for role, value in ((ApplicationRole.SERVER, server), (ApplicationRole.CLIENT, client)):
        if value is not None:
            try:
                found[role] = guid(value)
            except ValueError as error:
                raise OperatorError(f"--{role}-app: {value}: {error}") from None
    return found


@contextlib.asynccontextmanager
async def open_directory(
    plan: Plan, source: CredentialSource, named: dict[ApplicationRole, str], timeout_s: float
) -> AsyncIterator[tuple["Directory", "SignedIn"]]:
    """Sign in, and give the tenant to ask and who that is.

    Raises:
        AzureFailed: there are no credentials, or they are refused.
    """
    require_sdk()
    ends = time.monotonic() + timeout_s
    # An extra, and slow to load: only for who asks.
    from causeway.azure.credentials import signed_in, token_claims  # noqa: PLC0415
    from causeway.azure.entra import who  # noqa: PLC0415
    from causeway.azure.entra.directory import Directory  # noqa: PLC0415
    from causeway.azure.graph import Graph, Limits  # noqa: PLC0415

    cloud, tenant_id, proxy = CLOUDS[plan.azure.cloud], plan.azure.tenant_id, plan.proxy.url
    async with (
        signed_in(cloud, source=source, tenant_id=tenant_id, proxy=proxy) as credential,
        Graph(cloud, credential, tenant_id=tenant_id, proxy=proxy, limits=Limits(ends - time.monotonic())) as graph,
    ):
        yield Directory(graph, plan, named), who.signed_in(token_claims(await credential.get_token(graph.scope)))
