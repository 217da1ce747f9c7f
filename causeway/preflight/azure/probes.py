"""The checks in Azure, as probes."""

from functools import partial
from pathlib import Path

from causeway.azure.errors import AzureExtraMissing
from causeway.azure.sign_in import CredentialSource, require_sdk
from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import Plan
from causeway.plan.names import cloud
from causeway.preflight.azure import account, policy, region, rights
from causeway.preflight.azure.connection import Connection, failed, probe, said
from causeway.preflight.probe import Probe

CHECKS = (*account.CHECKS, *rights.CHECKS, *region.CHECKS, *policy.CHECKS)


def probes(plan: Plan, plan_file: Path, source: CredentialSource) -> tuple[Probe, ...]:
    """Everything that is looked at in the plan's subscription."""
    try:
        require_sdk()
    except AzureExtraMissing as error:
        missing = failed(account.CREDENTIALS, cloud(plan).title, error)
        return (said(missing),)
    connection = Connection(plan, source)
    signing_in = probe(
        account.CREDENTIALS, cloud(plan).title, connection, partial(account.sign_in, plan), signed_out=Status.FAIL
    )
    subscription = plan.azure.subscription_id
    if subscription is None:
        why = "the plan names none, so nothing in it is looked at: set subscription_id in [azure]"
        return signing_in, said(CheckResult(account.SUBSCRIPTION, "none", Status.SKIP, why))
    return (
        signing_in,
        probe(account.SUBSCRIPTION, subscription, connection, partial(account.subscription, plan)),
        probe(account.PROVIDERS, "resource providers", connection, partial(account.providers, plan, plan_file)),
        probe(rights.RIGHTS, subscription, connection, partial(rights.look, plan, plan_file)),
        probe(region.SIZE, plan.gateway.vm_size, connection, partial(region.look, plan)),
        probe(policy.POLICY, subscription, connection, partial(policy.look, plan)),
    )
