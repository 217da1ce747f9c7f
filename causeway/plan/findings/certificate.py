"""The server certificate."""

from collections.abc import Iterator

from causeway.plan.certificate import certificate_need
from causeway.plan.document import Plan
from causeway.plan.finding import PlanFinding, Severity
from causeway.plan.values import CertificateSource, Target


def look(plan: Plan) -> Iterator[PlanFinding]:
    """What contradicts in ``[certificate]``."""
    need = certificate_need(plan)
    if plan.certificate.source is CertificateSource.PUBLIC_CA and need.public_refusal:
        yield PlanFinding(
            Severity.ERROR,
            "PublicCaCannotIssue",
            "certificate.source",
            f"no public authority issues a certificate for {plan.names.service_name}",
            f"{need.public_refusal}.",
            'use a name of a public domain of your own, or set source = "own-pki"',
        )
    if need.key not in need.allowed_keys:
        yield PlanFinding(
            Severity.ERROR,
            "KeyNotTaken",
            "certificate.key",
            f"Microsoft's gateway takes no {need.key.upper()} key",
            "It documents RSA of 2048 and 4096 bits, and nothing else.",
            'set key = "rsa-2048"',
        )
    if plan.certificate.wildcard and len(plan.names.service_name.split(".")) < 3:
        yield PlanFinding(
            Severity.ERROR,
            "WildcardTooWide",
            "certificate.wildcard",
            f"{need.common_name} would be for a whole top-level domain",
            "No authority issues that, and no client takes it.",
            "use a service name within a domain of your own",
        )
    elif plan.certificate.wildcard:
        yield PlanFinding(
            Severity.WARNING,
            "Wildcard",
            "certificate.wildcard",
            f"the certificate is for {need.common_name}",
            "Whoever gets hold of its key can stand in for every name of the domain, and it has to be renewed in all "
            "places at once."
            + (
                " In the wizard, replace the * in the service name by the prefix."
                if plan.target is Target.CONFIGMGR
                else ""
            ),
            "prefer a certificate for the service name alone",
        )
    if plan.certificate.source is CertificateSource.OWN_PKI:
        yield PlanFinding(
            Severity.NOTE,
            "RootOnDevices",
            "certificate.source",
            "the server certificate comes from your own PKI",
            "Only devices that have its root connect, and they ask for its revocation list from the internet.",
            "bring the root to every device before it leaves the premises",
        )
