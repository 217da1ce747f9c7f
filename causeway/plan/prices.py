"""Azure's retail prices, as far as they are known: a list that is shipped, and one that was fetched.

Each price is a row of the Azure Retail Prices API with the day on which Azure said so. What is in neither list is
unknown, and is never guessed.
"""

import importlib.resources
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from causeway.clouds import CloudName
from causeway.configuration import section, setting
from causeway.errors import StateError
from causeway.plan.machines import VM_SIZES
from causeway.plan.values import Target

SOURCE = "https://prices.azure.com/api/retail/prices"
OLD_AFTER_DAYS = 90
MAX_PRICES = 50_000
_Field = Annotated[str, Field(max_length=200)]
_Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


@section
class Price:
    """One row. The names of the first attributes are those of the API, in our spelling."""

    region: _Field = setting("armRegionName; Global where it is for all regions")
    product: _Field = setting("productName")
    meter: _Field = setting("meterName")
    sku: _Field = setting("armSkuName", default="")
    unit: _Field = setting("unitOfMeasure")
    usd: Annotated[float, Field(ge=0, le=1_000_000)] = setting("retailPrice, in US dollars")
    from_units: Annotated[float, Field(ge=0)] = setting("tierMinimumUnits: from what quantity on", default=0.0)
    as_of: _Day = setting("when Azure said so")
    origin: _Field = setting("how it came here")


@section
class PriceList:
    """The file."""

    format: Literal[1] = setting("of this file")
    source: _Field = setting("where prices come from")
    query: Annotated[str, Field(max_length=20_000)] = setting("what was asked there")
    retrieved: _Day = setting("the newest day of a price")
    prices: Annotated[tuple[Price, ...], Field(max_length=MAX_PRICES)] = setting("the rows")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row that is looked for: exact names, since the API's values are case-sensitive.

    Attributes:
        service: serviceName.
        product: productName; empty for any.
        meter: meterName.
        sku: armSkuName; empty for any.
        region: armRegionName.
        windows: for machines, whether the price includes Windows.
    """

    service: str
    meter: str
    region: str
    product: str = ""
    sku: str = ""
    windows: bool = False

    def matches(self, price: Price) -> bool:
        """Whether ``price`` is a row of this meter."""
        if price.region != self.region or price.sku != (self.sku or price.sku):
            return False
        if self.sku:
            # One size has a row each for Linux, Windows, Spot and Low Priority, told apart by the names alone.
            cheap = price.meter.endswith((" Spot", " Low Priority")) or "Cloud Services" in price.product
            return not cheap and price.product.endswith(" Windows") is self.windows
        return price.meter == self.meter and price.product == (self.product or price.product)


class Prices:
    """What is known: of two rows for the same, the newer one counts."""

    def __init__(self, lists: Iterable[PriceList]) -> None:
        """Join the lists."""
        rows: dict[tuple[str, str, str, str, float], Price] = {}
        for each in lists:
            for price in each.prices:
                key = _meter(price)
                if key not in rows or rows[key].as_of <= price.as_of:
                    rows[key] = price
        self._rows = tuple(rows.values())

    def tiers(self, wanted: Wanted) -> tuple[Price, ...]:
        """The rows of one meter by quantity; empty where its price is unknown."""
        found = sorted((price for price in self._rows if wanted.matches(price)), key=lambda price: price.from_units)
        # A list that begins in the middle says nothing of the first unit.
        return tuple(found) if found and found[0].from_units == 0 else ()

    def __len__(self) -> int:
        return len(self._rows)


def _meter(price: Price) -> tuple[str, str, str, str, float]:
    """What two prices for the same have in common."""
    return price.region, price.product, price.meter, price.sku, price.from_units


def shipped() -> PriceList:
    """The list in the package: what could be sourced, which is far from all."""
    text = importlib.resources.files("causeway.plan").joinpath("prices.json").read_text(encoding="utf-8")
    return _parsed(text, Path("causeway/plan/prices.json"))


def read_prices(path: Path) -> PriceList | None:
    """A list that was fetched; None where there is none.

    Raises:
        StateError: it cannot be read; the message says what to do.
    """
    try:
        return _parsed(path.read_text(encoding="utf-8"), path)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise StateError(f"{path}: the fetched prices cannot be read: {reason}; remove the file") from error


def _parsed(text: str, path: Path) -> PriceList:
    try:
        return TypeAdapter(PriceList).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StateError(
            f"{path}: the fetched prices cannot be read: {where or 'the file'}: {first['msg']}; remove the file"
        ) from error


def merged(before: PriceList | None, found: Iterable[Price], *, source: str, query: str, today: str) -> PriceList:
    """What was fetched ``before`` with what was ``found`` today instead of, or beside, it.

    Raises:
        StateError: there is no room for all of it.
    """
    rows = {_meter(price): price for price in (*(before.prices if before else ()), *found)}
    if len(rows) > MAX_PRICES:
        raise StateError(f"more than {MAX_PRICES} prices were fetched in all; remove the file that keeps them")
    return PriceList(format=1, source=source, query=query, retrieved=today, prices=tuple(rows.values()))


def prices_text(prices: PriceList) -> str:
    """The file, indented, so that two can be compared."""
    return TypeAdapter(PriceList).dump_json(prices, indent=1).decode() + "\n"


def machine(vm_size: str, region: str, target: Target) -> Wanted:
    """The price of an hour of a machine: with Windows for Microsoft's gateway, without for ours."""
    return Wanted("Virtual Machines", "", region, sku=vm_size, windows=target is Target.CONFIGMGR)


def global_region(cloud: CloudName) -> str:
    """The region that Azure gives to prices that are the same in a whole cloud."""
    return "Global" if cloud is CloudName.GLOBAL else "US Gov"


DISK = "E4 LRS Disk"
PUBLIC_IP = "Standard IPv4 Static Public IP"
BALANCER = "Standard Included LB Rules and Outbound Rules"
BALANCER_DATA = "Standard Data Processed"
EGRESS = "Standard Data Transfer Out"
STORED = "Hot LRS Data Stored"
VAULT = "Operations"
BLOB = "General Block Blob v2"
MICROSOFT_NETWORK = "Rtn Preference: MGN"


def filters(region: str, cloud: CloudName) -> tuple[str, ...]:
    """The questions to the Retail Prices API (``$filter``) that get everything a plan in ``region`` needs."""
    here = f"armRegionName eq '{region}' and priceType eq 'Consumption'"
    sizes = " or ".join(f"armSkuName eq '{name}'" for name in VM_SIZES)
    return (
        f"{here} and serviceName eq 'Virtual Machines' and ({sizes})",
        f"{here} and serviceName eq 'Storage' and (meterName eq '{DISK}' or (meterName eq '{STORED}' and productName "
        f"eq '{BLOB}'))",
        f"{here} and serviceName eq 'Virtual Network' and meterName eq '{PUBLIC_IP}'",
        f"{here} and serviceName eq 'Bandwidth' and productName eq '{MICROSOFT_NETWORK}' and meterName eq '{EGRESS}'",
        f"{here} and serviceName eq 'Key Vault' and meterName eq '{VAULT}'",
        f"armRegionName eq '{global_region(cloud)}' and priceType eq 'Consumption' and serviceName eq 'Load Balancer' "
        f"and (meterName eq '{BALANCER}' or meterName eq '{BALANCER_DATA}')",
    )
