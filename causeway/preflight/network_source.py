"""Which machine this is in the plan, and so which rules of the firewall list are its own. Pure: no network."""

from collections.abc import Sequence

from causeway.errors import OperatorError
from causeway.plan.document import Plan
from causeway.plan.firewall import ADMINISTRATOR, CLIENTS, GATEWAY, Flow, flows

PLACES = {"administrator": ADMINISTRATOR, "gateway": GATEWAY, "clients": CLIENTS}
"""What stands for many machines, by the word on the command line."""


def source_named(plan: Plan, given: str) -> str:
    """The source of rules that a server's name, whole or its first part, or a word of ``PLACES`` means.

    Raises:
        OperatorError: no rule begins there.
    """
    known = sources(plan)
    wanted = PLACES.get(given.lower(), given)
    found = [each for each in known if each.lower() == wanted.lower()] or _by_first_label(known, wanted)
    if len(found) == 1:
        return found[0]
    words = {place: word for word, place in PLACES.items()}
    listed = ", ".join(words.get(each, each) for each in known)
    raise OperatorError(f"--from {given}: no rule of the plan begins there; expected one of {listed}")


def own_source(plan: Plan, hostname: str) -> tuple[str, str]:
    """The source that this machine is, and why; the administrator's workstation where it is no server of the plan."""
    servers = [each for each in sources(plan) if each not in PLACES.values()]
    found = [each for each in servers if each.lower() == hostname.lower()]
    if not found and "." not in hostname:
        found = _by_first_label(servers, hostname)
    if len(found) == 1:
        return found[0], f"this machine is called {hostname}; --from names another"
    why = f"this machine's name, {hostname}, has no rule in the plan; --from SERVER says that it is one"
    return ADMINISTRATOR, why


def sources(plan: Plan) -> tuple[str, ...]:
    """Where rules begin, in the order of the list."""
    return tuple(dict.fromkeys(flow.source for flow in flows(plan)))


def flows_from(plan: Plan, source: str) -> tuple[Flow, ...]:
    """The rules that begin there, each destination and port once."""
    once = {(flow.destination, flow.ports): flow for flow in reversed(flows(plan)) if flow.source == source}
    return tuple(reversed(once.values()))


def _by_first_label(names: Sequence[str], given: str) -> list[str]:
    return [each for each in names if each.partition(".")[0].lower() == given.lower()]
