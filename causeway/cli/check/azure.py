"""What ``causeway check`` asks of Azure. Its one option, ``--credential``, is in ``shared.azure_options``."""

from pathlib import Path

from causeway.azure.sign_in import CredentialSource
from causeway.plan.document import Plan
from causeway.preflight.azure import names_free
from causeway.preflight.azure import probes as azure
from causeway.preflight.probe import Probe


def probes(plan: Plan, plan_file: Path, credential: CredentialSource) -> tuple[Probe, ...]:
    """The group ``azure``."""
    return azure.probes(plan, plan_file, credential)


def names_probes(plan: Plan, credential: CredentialSource) -> tuple[Probe, ...]:
    """What the group ``names`` asks of Azure."""
    return names_free.probes(plan, credential)
