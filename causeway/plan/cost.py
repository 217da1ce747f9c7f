"""What a plan costs in a month, line by line, from Azure's retail prices; a price that is unknown stays unknown."""

from dataclasses import dataclass

from causeway.plan.document import Plan
from causeway.plan.prices import (
    BALANCER,
    BALANCER_DATA,
    BLOB,
    DISK,
    EGRESS,
    MICROSOFT_NETWORK,
    PUBLIC_IP,
    STORED,
    VAULT,
    Price,
    Prices,
    Wanted,
    global_region,
    machine,
)
from causeway.plan.values import Target

HOURS_PER_MONTH = 730
"""Azure's own convention."""
MB_PER_GB = 1000


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line.

    Attributes:
        title: what is paid for.
        quantity: in a month.
        unit: of the quantity.
        usd_per_unit: of the first unit that is not free; None where the price is unknown.
        usd_per_month: None where the price is unknown.
        as_of: when Azure said so; None where the price is unknown.
        because: how the quantity comes about.
    """

    title: str
    quantity: float
    unit: str
    usd_per_unit: float | None
    usd_per_month: float | None
    as_of: str | None
    because: str


@dataclass(frozen=True, slots=True)
class Cost:
    """The month.

    Attributes:
        lines: all of them.
        known_usd: the sum of those with a price.
        unknown: the titles of those without.
        oldest: the day of the oldest price that went into the sum; None where none did.
    """

    lines: tuple[CostLine, ...]
    known_usd: float
    unknown: tuple[str, ...]
    oldest: str | None


def monthly_cost(plan: Plan, prices: Prices) -> Cost:
    """The cost of a month, before taxes and discounts. Traffic into Azure is free."""
    lines = tuple(_lines(plan, prices))
    days = [line.as_of for line in lines if line.as_of]
    return Cost(
        lines,
        round(sum(line.usd_per_month or 0.0 for line in lines), 2),
        tuple(line.title for line in lines if line.usd_per_month is None),
        min(days, default=None),
    )


def egress_gb(plan: Plan) -> float:
    """What leaves the gateway for clients in a month."""
    return plan.clients.expected * plan.clients.traffic_mb_per_month / MB_PER_GB


def _lines(plan: Plan, prices: Prices) -> list[CostLine]:
    region, whole = plan.azure.region, global_region(plan.azure.cloud)
    instances, ours = plan.gateway.instances, plan.target is Target.CAUSEWAY
    hours = float(instances * HOURS_PER_MONTH)
    through = egress_gb(plan)
    out = through + (plan.content.downloaded_gb_per_month if plan.content.enabled else 0)
    system = "Linux" if ours else "Windows"
    found = [
        _line(
            f"Machines ({plan.gateway.vm_size}, {system})",
            prices.tiers(machine(plan.gateway.vm_size, region, plan.target)),
            hours,
            "hours",
            f"{instances} instances, {HOURS_PER_MONTH} hours each",
        ),
        _line(
            "Public IP address",
            prices.tiers(Wanted("Virtual Network", PUBLIC_IP, region)),
            float(HOURS_PER_MONTH),
            "hours",
            "one, for all instances",
        ),
        _line(
            "Traffic to the internet",
            prices.tiers(Wanted("Bandwidth", EGRESS, region, product=MICROSOFT_NETWORK)),
            out,
            "GB",
            f"{plan.clients.expected:,} clients, {plan.clients.traffic_mb_per_month} MB each, and content",
        ),
        _line(
            "Key vault operations",
            prices.tiers(Wanted("Key Vault", VAULT, region)),
            1.0,
            "10,000",
            "well below 10,000 in a month",
        ),
    ]
    if ours:
        found[1:1] = [
            _line(
                "System disks (E4, 32 GB, Standard SSD)",
                prices.tiers(Wanted("Storage", DISK, region)),
                float(instances),
                "disks",
                "one for each instance",
            )
        ]
        found += [
            _line(
                "Load balancer",
                prices.tiers(Wanted("Load Balancer", BALANCER, whole)),
                float(HOURS_PER_MONTH),
                "hours",
                "up to five rules",
            ),
            _line(
                "Load balancer, data processed",
                prices.tiers(Wanted("Load Balancer", BALANCER_DATA, whole)),
                through,
                "GB",
                "what passes through the gateway to clients",
            ),
        ]
    if plan.content.enabled:
        found.append(
            _line(
                "Content in storage",
                prices.tiers(Wanted("Storage", STORED, region, product=BLOB)),
                float(plan.content.stored_gb),
                "GB",
                "blobs, hot, locally redundant; operations are not counted",
            )
        )
    return found


def _line(title: str, tiers: tuple[Price, ...], quantity: float, unit: str, because: str) -> CostLine:
    if not tiers:
        return CostLine(title, quantity, unit, None, None, None, because)
    total = 0.0
    for index, price in enumerate(tiers):
        until = tiers[index + 1].from_units if index + 1 < len(tiers) else float("inf")
        total += max(0.0, min(quantity, until) - price.from_units) * price.usd
    paid = next((price.usd for price in tiers if price.usd > 0), 0.0)
    return CostLine(title, quantity, unit, paid, round(total, 2), min(price.as_of for price in tiers), because)
