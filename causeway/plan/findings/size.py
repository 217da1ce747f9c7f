"""Instances, machines, connection points by number."""

import math
from collections.abc import Iterator

from causeway.plan.document import Plan
from causeway.plan.finding import PlanFinding, Severity
from causeway.plan.machines import DEFAULT_SIZE, MAX_INSTANCES, VM_SIZES
from causeway.plan.sizing import INSTANCES_PER_CONNECTION_POINT, recommended
from causeway.plan.values import Target


def look(plan: Plan) -> Iterator[PlanFinding]:
    """What contradicts in ``[gateway]`` and in the number of connection points."""
    instances, points = plan.gateway.instances, len(plan.connection_point)
    if plan.target is Target.CONFIGMGR and instances > MAX_INSTANCES:
        yield PlanFinding(
            Severity.ERROR,
            "TooManyInstances",
            "gateway.instances",
            f"{instances} instances",
            f"Microsoft's gateway has at most {MAX_INSTANCES}: each has one of the ports 10124 to 10139.",
            f"use {MAX_INSTANCES} of a larger size, or a second gateway",
        )
    yield from _machine(plan)
    yield from _enough(plan)
    if instances == 1:
        yield PlanFinding(
            Severity.WARNING,
            "OneInstance",
            "gateway.instances",
            "one instance",
            "Nobody is served while Azure or you renew it.",
            "use two",
        )
    ratio = math.ceil(instances / INSTANCES_PER_CONNECTION_POINT)
    if points < ratio:
        yield PlanFinding(
            Severity.WARNING,
            "TooFewConnectionPoints",
            "connection_point",
            f"{points} connection point{'' if points == 1 else 's'} for {instances} instances",
            f"One for {INSTANCES_PER_CONNECTION_POINT} instances is Microsoft's ratio; fewer become the narrow place.",
            f"plan {max(2, ratio)}",
        )
    elif points == 1:
        yield PlanFinding(
            Severity.WARNING,
            "OneConnectionPoint",
            "connection_point",
            "one connection point",
            "While it is down, no request reaches the premises.",
            "plan two, on different servers",
        )
    hosts = [each.host.lower() for each in plan.connection_point]
    for host in sorted({host for host in hosts if hosts.count(host) > 1}):
        yield PlanFinding(
            Severity.ERROR,
            "ServerTwice",
            "connection_point",
            f"{host} is named twice",
            "A server has one connection point.",
            "remove one",
        )


def _machine(plan: Plan) -> Iterator[PlanFinding]:
    size = VM_SIZES.get(plan.gateway.vm_size)
    default = DEFAULT_SIZE[plan.target]
    configmgr = plan.target is Target.CONFIGMGR
    if configmgr and (size is None or size.target is not Target.CONFIGMGR):
        offered = ", ".join(each.name for each in VM_SIZES.values() if each.target is Target.CONFIGMGR)
        yield PlanFinding(
            Severity.ERROR,
            "SizeNotOffered",
            "gateway.vm_size",
            f"{plan.gateway.vm_size} is none of the sizes of Microsoft's gateway",
            f"The wizard offers {offered}.",
            f'set vm_size = "{default}"',
        )
    elif size is None:
        yield PlanFinding(
            Severity.WARNING,
            "SizeUnknown",
            "gateway.vm_size",
            f"{plan.gateway.vm_size} is no size that this causeway knows",
            "How many clients it serves and which ports it needs is calculated as for two processors.",
            f'use "{default}", or count the tunnel ports yourself: one for each processor of each instance',
        )
    elif size.note.startswith("for a lab"):
        yield PlanFinding(
            Severity.WARNING,
            "LabSize",
            "gateway.vm_size",
            f"{size.name} is {size.note}",
            f"Microsoft publishes {size.published_clients} clients for it."
            if size.published_clients
            else "Under load it is slowed down without a word.",
            f'use "{default}"',
        )


def _enough(plan: Plan) -> Iterator[PlanFinding]:
    wanted = recommended(plan)
    capacity = plan.gateway.instances * wanted.clients_per_instance
    if plan.clients.expected > capacity:
        yield PlanFinding(
            Severity.WARNING,
            "TooSmall",
            "gateway.instances",
            f"{plan.clients.expected:,} clients, and {plan.gateway.instances} of {plan.gateway.vm_size} are good for "
            f"{capacity:,} ({wanted.figures})",
            "An overloaded gateway answers late, and clients that time out come again.",
            f"use {wanted.instances} instances, or a larger size"
            if wanted.instances * wanted.clients_per_instance >= plan.clients.expected
            else "use a larger size, or a second gateway",
        )
