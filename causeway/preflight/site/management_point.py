"""Management points: whether each answers over TLS as devices and connection points need it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from causeway.observability.checks import CheckResult, Status
from causeway.pki.bundle import read_bundles
from causeway.plan.document import Plan
from causeway.plan.values import ManagementPointMode, Target
from causeway.preflight.probe import Probe
from causeway.preflight.site.asking import Answer, within
from causeway.preflight.site.certificate import certificate_results
from causeway.preflight.site.management_point_results import (
    CERTIFICATE,
    Seen,
    actions,
    asked_results,
)
from causeway.preflight.site.means import Means

_STAGES = 5
"""A handshake and four questions, each with its part of the time."""
_OK = 200


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a management point is planned.

    Attributes:
        host: its full name.
        port: TCP port.
        mode: as planned.
        own: it is our own site's.
    """

    host: str
    port: int
    mode: ManagementPointMode
    own: bool = False

    @property
    def url(self) -> str:
        """Of its location queries, without the query."""
        return f"https://{self.host}:{self.port}/SMS_MP/.sms_aut"


def endpoints(plan: Plan) -> tuple[Endpoint, ...]:
    """The plan's management points, and our own site's, which has one."""
    planned = [Endpoint(each.host, each.port, each.mode) for each in plan.management_point]
    site = plan.site
    if plan.target is Target.CAUSEWAY and site.host is not None:
        own = Endpoint(site.host, site.port, ManagementPointMode.HTTPS, own=True)
        planned = [each for each in planned if (each.host, each.port) != (own.host, own.port)]
        return own, *planned
    return tuple(planned)


def probes(plan: Plan, means: Means) -> tuple[Probe, ...]:
    """One for each management point."""
    return tuple(_probe(plan, each, means) for each in endpoints(plan))


def _probe(plan: Plan, endpoint: Endpoint, means: Means) -> Probe:
    target = f"{endpoint.host}:{endpoint.port}"

    async def look() -> Sequence[CheckResult]:
        if endpoint.mode is ManagementPointMode.HTTP:
            why = "takes plain HTTP, which cannot be reached through a gateway; `names plan` says so, too"
            return [CheckResult(CERTIFICATE, target, Status.SKIP, why)]
        others = await asyncio.to_thread(read_bundles, means.authorities)
        part = means.timeout_s / _STAGES
        shown = await means.look(endpoint.host, endpoint.port, endpoint.host, part)
        certificate = certificate_results(
            CERTIFICATE,
            target,
            endpoint.host,
            shown,
            others.certificates,
            actions(endpoint.mode, endpoint.host, plan, own=endpoint.own),
        )
        seen = await _ask(endpoint, means, part, asks=shown.asks_for_certificate)
        return [*certificate, *asked_results(plan, target, endpoint.mode, seen, certificate)]

    remedy = f"See whether {endpoint.host} is up, and whether this machine may reach TCP {endpoint.port} there."
    return Probe(CERTIFICATE, target, look, remedy)


async def _ask(endpoint: Endpoint, means: Means, part_s: float, *, asks: bool) -> Seen:
    async def ask(query: str, *, show: bool) -> Answer:
        return await within(part_s, means.ask(f"{endpoint.url}?{query}", show))

    answer = without = await ask("MPLIST", show=False)
    show = means.has_certificate and without.status != _OK and not without.untrusted
    if show:
        answer = await ask("MPLIST", show=True)
    certificates = await ask("MPCERT", show=show) if answer.status == _OK else Answer()
    return Seen(asks, without, answer, certificates, shown=show)
