"""The contradictions in a plan, one topic a module."""

from causeway.plan.document import Plan
from causeway.plan.finding import PlanFinding, Severity
from causeway.plan.findings import azure, certificate, clients, names, servers, size

__all__ = ["cannot_work", "contradictions"]

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def contradictions(plan: Plan) -> tuple[PlanFinding, ...]:
    """Everything that is wrong or good to know, errors first."""
    found = [finding for topic in (azure, names, certificate, clients, size, servers) for finding in topic.look(plan)]
    return tuple(sorted(found, key=lambda finding: _ORDER[finding.severity]))


def cannot_work(plan: Plan) -> bool:
    """Whether anything in the plan is an error."""
    return any(finding.severity is Severity.ERROR for finding in contradictions(plan))
