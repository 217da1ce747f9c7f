"""The options of ``causeway check`` that say which applications of Entra ID are meant."""

from pathlib import Path

from causeway.azure.sign_in import CredentialSource
from causeway.cli.shared.entra_options import ClientApp, ServerApp, app_ids, open_directory
from causeway.plan.document import Plan
from causeway.preflight.probe import Probe

_OWN_TIME = 0.9
"""Of the group's: what took too long is then said by what was being done."""


def probes(
    plan: Plan,
    plan_file: Path,
    credential: CredentialSource,
    server_app: ServerApp,
    client_app: ClientApp,
    timeout_s: float,
) -> tuple[Probe, ...]:
    """What the options make of the group.

    Raises:
        OperatorError: an option that cannot be used.
    """
    from causeway.preflight import entra  # noqa: PLC0415  # loads an HTTP client, which other groups do not need

    named = app_ids(server_app, client_app)
    return entra.probes(plan, plan_file, lambda: open_directory(plan, credential, named, timeout_s * _OWN_TIME))
