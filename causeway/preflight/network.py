"""The network from this machine: whether it reaches every endpoint that the plan's firewall list gives it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from causeway.observability.checks import CheckResult, Status
from causeway.pki.bundle import read_bundles
from causeway.plan.document import Plan
from causeway.plan.firewall import Flow
from causeway.plan.names import deployment_name
from causeway.plan.values import CertificateSource
from causeway.preflight import network_words as words
from causeway.preflight.network_reach import Address, Reached, Stopped, Trust, Way, find, reach, trust
from causeway.preflight.network_source import flows_from, own_source, source_named
from causeway.preflight.network_words import Trouble, Wanted
from causeway.preflight.probe import Probe
from causeway.transport.proxy import WebProxy

SOURCE = "network source"
ENDPOINT = "network endpoint"
CHECKS = (SOURCE, ENDPOINT, *words.STAGES)

MOST_PORTS = 16
_STAGES = 8
_LONGEST_STAGE_S = 5.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the plan does not say.

    Attributes:
        hostname: this machine's.
        source: which machine of the plan this is to be; empty for what the host name says.
        proxy: the plan's, and who we are there.
        authorities: files with roots of one's own, or intermediates.
    """

    hostname: str
    source: str = ""
    proxy: WebProxy | None = None
    authorities: tuple[Path, ...] = ()


def probes(plan: Plan, options: Options, *, timeout_s: float) -> tuple[Probe, ...]:
    """What to look at.

    Raises:
        OperatorError: no rule begins at the source that was named.
    """
    if options.source:
        source, why = source_named(plan, options.source), "as --from says"
    else:
        source, why = own_source(plan, options.hostname)
    found = flows_from(plan, source)
    limit_s = min(_LONGEST_STAGE_S, timeout_s / _STAGES)

    async def say() -> Sequence[CheckResult]:
        return [CheckResult(SOURCE, source, Status.PASS, f"{len(found)} rules begin there: {why}")]

    async def roots() -> Trust:
        return await asyncio.to_thread(lambda: trust(read_bundles(options.authorities).certificates))

    def probe(flow: Flow) -> Probe:
        async def look() -> Sequence[CheckResult]:
            return await _look(plan, flow, options.proxy if flow.through_proxy else None, await roots(), limit_s)

        return Probe(ENDPOINT, target_of(flow), look)

    return Probe(SOURCE, source, say), *map(probe, found)


def target_of(flow: Flow) -> str:
    """Host and ports."""
    return f"{flow.destination}:{flow.ports}"


def ports_of(flow: Flow) -> tuple[int, ...]:
    """The ports to look at: all of them, or of a long range some, the first and the last among them."""
    count = flow.last_port - flow.first_port + 1
    if count <= MOST_PORTS:
        return tuple(range(flow.first_port, flow.last_port + 1))
    return tuple(flow.first_port + round(index * (count - 1) / (MOST_PORTS - 1)) for index in range(MOST_PORTS))


def wanted_of(plan: Plan, flow: Flow) -> Wanted | None:
    """What is expected of the certificate at the end of a rule; None where there is no TLS.

    The gateway shows the service name's certificate, by whatever name it is called.
    """
    if flow.protocol == "HTTP":
        return None
    service = plan.names.service_name
    if flow.destination in (service, deployment_name(plan)):
        return Wanted(service, public=plan.certificate.source is CertificateSource.PUBLIC_CA, ours=True)
    return Wanted(flow.destination, public=flow.internet)


def comes_later(plan: Plan, host: str) -> str:
    """What brings a name that need not be there yet; empty for one that must be."""
    lowered = host.lower()
    if lowered == plan.names.service_name.lower() != deployment_name(plan).lower():
        return "the service name's record"
    return "the gateway" if lowered.partition(".")[0] == plan.names.prefix.lower() else ""


async def _look(plan: Plan, flow: Flow, proxy: WebProxy | None, roots: Trust, limit_s: float) -> list[CheckResult]:
    ports, wanted = ports_of(flow), wanted_of(plan, flow)
    try:
        addresses: tuple[Address, ...] = () if proxy else await find(flow.destination, limit_s)
    except Stopped as stopped:
        return [result_of(plan, flow, flow.ports, stopped.trouble)]

    async def go(port: int) -> Reached | Trouble:
        http = flow.protocol in ("HTTP", "HTTPS")
        try:
            return await reach(Way(flow.destination, port, wanted, http, proxy), addresses, roots, limit_s)
        except Stopped as stopped:
            return stopped.trouble

    return results(plan, flow, dict(zip(ports, await asyncio.gather(*map(go, ports)), strict=True)))


def results(plan: Plan, flow: Flow, ends: dict[int, Reached | Trouble]) -> list[CheckResult]:
    """A line for each way in which ports fail or are not as they should be; one for the endpoint where none fails."""
    ports_by_trouble: dict[Trouble, list[int]] = {}
    for port, end in ends.items():
        for trouble in (end,) if isinstance(end, Trouble) else end.remarks:
            ports_by_trouble.setdefault(trouble, []).append(port)
    found = [
        result_of(plan, flow, flow.ports if len(ports) == len(ends) else ", ".join(map(str, ports)), trouble)
        for trouble, ports in ports_by_trouble.items()
    ]
    reached = [end for end in ends.values() if isinstance(end, Reached)]
    if len(reached) == len(ends):
        count = flow.last_port - flow.first_port + 1
        looked = f"{len(ends)} of {count} ports looked at, " if len(ends) < count else ""
        found.insert(0, CheckResult(ENDPOINT, target_of(flow), Status.PASS, f"{looked}{reached[0]}: {flow.purpose}"))
    return found


def result_of(plan: Plan, flow: Flow, ports: str, trouble: Trouble) -> CheckResult:
    """The line of a trouble: less bad for what may come later, or is not needed."""
    target, later = f"{flow.destination}:{ports}", comes_later(plan, flow.destination)
    status, why = trouble.status, trouble.why
    action = trouble.action or _find_remedy(flow)
    if trouble.missing and later:
        status, why = Status.WARN, f"{why}; as before {later} is made"
        action = f"Make {later}: `causeway plan runbook` has the steps. Where it is there: {_lowered(action)}"
    elif flow.optional and status is Status.FAIL:
        status, why = Status.WARN, f"{why}; not needed, but listed"
    return CheckResult(trouble.check, target, status, f"{why} ({flow.purpose})", action)


def _find_remedy(flow: Flow) -> str:
    if flow.through_proxy:
        return "Have this machine's resolver find it; where only a web proxy leads out, set url in [proxy] of the plan."
    return "Have this machine's resolver find it, or correct the name in the plan."


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
