"""Whose client certificates the gateway is to believe."""

from pathlib import Path

from causeway.plan.document import Plan
from causeway.plan.fact import Fact
from causeway.plan.groups import client_certificates_wanted

TOPIC = "Client certificates"
KEY = "clients.certificate_authorities"


def client_authorities(plan: Plan, plan_file: Path) -> tuple[Path, ...]:
    """The files of roots and intermediates, found from where the plan is."""
    return tuple(plan_file.parent / each for each in plan.clients.certificate_authorities)


def facts(plan: Plan) -> tuple[Fact, ...]:
    """The files, where clients show certificates."""
    if not client_certificates_wanted(plan):
        return ()
    return (
        Fact(
            TOPIC,
            "Authorities",
            ", ".join(plan.clients.certificate_authorities) or "no files are named",
            "The gateway completes chains from the roots and intermediates that it is given, and from nothing else.",
        ),
    )
