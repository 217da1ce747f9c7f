"""How many instances and connection points so many clients need, and from which figures.

For Microsoft's gateway the figures are those that Microsoft publishes ("CMG performance and scale"). For our own they
are measured: ``make bench`` measures them again on any machine, and docs/performance.md says how.
"""

import math
from dataclasses import dataclass

from causeway.plan.document import Plan
from causeway.plan.fact import Fact
from causeway.plan.machines import DEFAULT_SIZE, MAX_INSTANCES, VM_SIZES
from causeway.plan.values import Target

TOPIC = "Size"
MEASURED = "measured on 2026-11-23 on 2 processors of an AMD EPYC; `make bench` measures again"
PUBLISHED = "published by Microsoft"

INSTANCES_PER_CONNECTION_POINT = 4
CLIENTS_PER_CONNECTION_POINT = 16_384
"""The dynamic ports of Windows: each client holds a notification channel, and that a port."""

CONNECTIONS_PER_WORKER = 20_000
"""The default of ``max_connections`` in ``gateway.toml``."""
MEMORY_PER_CLIENT_KB = 25.0
FRESH_CONNECTION_CPU_US = 700
"""A connection with a client certificate and its first request, at both ends together."""
REQUEST_CPU_US = 79
"""A request on a kept connection, at both ends together."""
STORM_S = 60
"""In what time all clients of an instance shall be able to come back after it failed, at half its processor time."""
HEADROOM = 0.5


@dataclass(frozen=True, slots=True)
class Size:
    """What is recommended.

    Attributes:
        clients_per_instance: at the same time.
        instances: recommended; one may be down.
        connection_points: recommended; one may be down.
        figures: where they come from.
        because: the calculation, a sentence each.
    """

    clients_per_instance: int
    instances: int
    connection_points: int
    figures: str
    because: tuple[str, ...]


def recommended(plan: Plan) -> Size:
    """The size for the clients of the plan, of the plan's kind of machine."""
    return recommended_for(plan.target, plan.clients.expected, plan.gateway.vm_size)


def recommended_for(target: Target, clients: int, vm_size: str) -> Size:
    """The size for so many clients at the same time; of the default machine where ``vm_size`` is not known."""
    return _published(clients, vm_size) if target is Target.CONFIGMGR else _measured(clients, vm_size)


def _published(clients: int, vm_size: str) -> Size:
    size = VM_SIZES.get(vm_size)
    if size is None or size.published_clients is None:
        size = VM_SIZES[DEFAULT_SIZE[Target.CONFIGMGR]]
    capacity = size.published_clients or 1
    instances = min(MAX_INSTANCES, max(2, math.ceil(clients / capacity)))
    by_ratio = math.ceil(instances / INSTANCES_PER_CONNECTION_POINT)
    by_ports = math.ceil(clients / CLIENTS_PER_CONNECTION_POINT)
    return Size(
        capacity,
        instances,
        max(2, by_ratio, by_ports),
        PUBLISHED,
        (
            f"{size.name} serves {capacity:,} clients at the same time; {clients:,} clients need "
            f"{math.ceil(clients / capacity):,}, and at least two keep the service up while one is "
            "renewed. An overloaded gateway still serves, with delay.",
            f"One connection point for {INSTANCES_PER_CONNECTION_POINT} instances, and for "
            f"{CLIENTS_PER_CONNECTION_POINT:,} clients (the dynamic ports of Windows); at least two.",
        ),
    )


def _measured(clients: int, vm_size: str) -> Size:
    size = VM_SIZES.get(vm_size) or VM_SIZES[DEFAULT_SIZE[Target.CAUSEWAY]]
    by_connections = size.vcpus * CONNECTIONS_PER_WORKER
    free_kb = max(0.25, size.memory_gib - 1.0) * 1024 * 1024
    by_memory = int(free_kb / MEMORY_PER_CLIENT_KB)
    by_cpu = int(size.vcpus * STORM_S * HEADROOM * 1_000_000 / FRESH_CONNECTION_CPU_US)
    capacity = int(min(by_connections, by_memory, by_cpu) * HEADROOM)
    needed = math.ceil(clients / capacity)
    instances = needed + 1
    by_ratio = math.ceil(instances / INSTANCES_PER_CONNECTION_POINT)
    return Size(
        capacity,
        instances,
        max(2, by_ratio),
        MEASURED,
        (
            f"{size.name} has {size.vcpus} processors and {size.memory_gib} GiB. It takes {by_connections:,} "
            f"connections ({CONNECTIONS_PER_WORKER:,} a worker), remembers {by_memory:,} idle clients "
            f"({MEMORY_PER_CLIENT_KB:g} kB each) and lets {by_cpu:,} come back within {STORM_S} s at half its "
            f"processor time ({FRESH_CONNECTION_CPU_US} µs a fresh connection with a certificate).",
            f"Half of the least of these is {capacity:,}. {clients:,} clients need {needed:,}, and one "
            "more may be down.",
            f"Connection points have not been measured by themselves: one for {INSTANCES_PER_CONNECTION_POINT} "
            "instances is Microsoft's ratio for its own; at least two, of which one may be down.",
        ),
    )


def facts(plan: Plan) -> tuple[Fact, ...]:
    """The size of the plan beside what is recommended."""
    size = recommended(plan)
    return (
        Fact(
            TOPIC,
            "Clients an instance",
            f"{size.clients_per_instance:,} ({size.figures})",
            size.because[0] if len(size.because) == 2 else " ".join(size.because[:2]),
        ),
        Fact(
            TOPIC,
            "Instances",
            f"{plan.gateway.instances} planned, {size.instances} recommended",
            f"For {plan.clients.expected:,} clients at the same time on {plan.gateway.vm_size}.",
        ),
        Fact(
            TOPIC,
            "Connection points",
            f"{len(plan.connection_point)} planned, {size.connection_points} recommended",
            size.because[-1],
        ),
    )
