"""The groups of the Active Directory that a plan asks for, and who must be in them.

Microsoft asks for none. They are how an own PKI says who may enrol which certificate.
"""

from dataclasses import dataclass

from causeway.plan.document import Plan
from causeway.plan.fact import Fact
from causeway.plan.values import ClientAuthentication, GroupPurpose

TOPIC = "Active Directory groups"
REASONS = {
    GroupPurpose.CONNECTION_POINTS: "Who may enrol the client certificate that a connection point shows to management "
    "points: the connection points' computer accounts, and nobody else.",
    GroupPurpose.SERVER_CERTIFICATE: "Who may request the gateway's server certificate from the own PKI.",
    GroupPurpose.ADMINISTRATORS: "Who operates the gateway.",
    GroupPurpose.PILOT_DEVICES: "The devices that enrol a client certificate and use the gateway first.",
}


@dataclass(frozen=True, slots=True)
class GroupNeed:
    """One group with everybody who must be in it."""

    name: str
    purpose: GroupPurpose
    members: tuple[str, ...]


def computer_account(host: str) -> str:
    """The account name (sAMAccountName) of a computer by its full name: 15 characters of its label and a ``$``."""
    return f"{host.partition('.')[0][:15].upper()}$"


def connection_point_accounts(plan: Plan) -> tuple[str, ...]:
    """The computer accounts of the connection points."""
    return tuple(dict.fromkeys(computer_account(each.host) for each in plan.connection_point))


def groups(plan: Plan) -> tuple[GroupNeed, ...]:
    """The plan's groups; those for connection points with every connection point, too."""
    found = []
    for group in plan.directory.group:
        members = group.members
        if group.purpose is GroupPurpose.CONNECTION_POINTS:
            known = {member.lower() for member in members}
            members += tuple(each for each in connection_point_accounts(plan) if each.lower() not in known)
        found.append(GroupNeed(group.name, group.purpose, members))
    return tuple(found)


def client_certificates_wanted(plan: Plan) -> bool:
    """Whether clients, and so connection points towards management points, show certificates of the own PKI."""
    return ClientAuthentication.CERTIFICATE in plan.clients.authentication


def facts(plan: Plan) -> tuple[Fact, ...]:
    """Each group with its members."""
    return tuple(
        Fact(TOPIC, each.name, ", ".join(each.members) or "no members are named", REASONS[each.purpose])
        for each in groups(plan)
    )
