"""Everything that follows from a plan, topic by topic."""

from causeway.plan import access, applications, certificate, client_authorities, firewall, groups, names, sizing
from causeway.plan.document import Plan
from causeway.plan.fact import Fact


def all_facts(plan: Plan) -> tuple[Fact, ...]:
    """What follows, with its reasons, in the order in which a reader asks."""
    return (
        *names.facts(plan),
        *certificate.facts(plan),
        *client_authorities.facts(plan),
        *applications.facts(plan),
        *access.facts(plan),
        *firewall.facts(plan),
        *groups.facts(plan),
        *sizing.facts(plan),
    )
