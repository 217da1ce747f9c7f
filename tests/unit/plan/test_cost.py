"""Cost follows from prices that are known; what is unknown is said to be, and never guessed."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.clouds import CloudName
from causeway.errors import StateError
from causeway.plan.cost import monthly_cost
from causeway.plan.prices import (
    EGRESS,
    MICROSOFT_NETWORK,
    Price,
    PriceList,
    Prices,
    Wanted,
    filters,
    machine,
    merged,
    prices_text,
    read_prices,
    shipped,
)
from causeway.plan.values import Target
from tests.unit.plan.plans import contoso


def price(usd: float, **changes: object) -> Price:
    row = {
        "region": "westeurope",
        "product": "Virtual Machines Dsv5 Series",
        "meter": "D2s v5",
        "sku": "Standard_D2s_v5",
        "unit": "1 Hour",
        "as_of": "2026-09-03",
        "origin": "a test",
    }
    return Price(usd=usd, **(row | changes))  # type: ignore[arg-type]


def listed(*prices: Price) -> PriceList:
    return PriceList(format=1, source="x", query="y", retrieved="2026-09-03", prices=prices)


def test_every_shipped_price_has_its_day_and_its_origin() -> None:
    prices = shipped()
    assert prices.source == "https://prices.azure.com/api/retail/prices"
    assert len(prices.prices) > 10
    for each in prices.prices:
        assert "2026-07-01" <= each.as_of <= prices.retrieved
        assert each.origin


def test_a_price_that_is_unknown_is_left_out_of_the_sum_and_named() -> None:
    cost = monthly_cost(contoso(), Prices([listed(price(0.1))]))
    assert cost.lines[0].usd_per_month == 146.0
    assert cost.known_usd == 146.0
    assert "Public IP address" in cost.unknown
    assert cost.oldest == "2026-09-03"
    nothing = monthly_cost(contoso(), Prices([]))
    assert (nothing.known_usd, nothing.oldest, len(nothing.unknown)) == (0.0, None, len(nothing.lines))


def test_spot_low_priority_and_windows_are_not_taken_for_a_linux_machine() -> None:
    rows = (
        price(0.01, meter="D2s v5 Spot"),
        price(0.02, meter="D2s v5 Low Priority"),
        price(0.2, product="Virtual Machines Dsv5 Series Windows"),
        price(0.3, product="Cloud Services Dsv5"),
        price(0.1),
    )
    prices = Prices([listed(*rows)])
    assert [each.usd for each in prices.tiers(machine("Standard_D2s_v5", "westeurope", Target.CAUSEWAY))] == [0.1]
    assert [each.usd for each in prices.tiers(machine("Standard_D2s_v5", "westeurope", Target.CONFIGMGR))] == [0.2]
    assert prices.tiers(machine("Standard_D2s_v5", "northeurope", Target.CAUSEWAY)) == ()


def test_traffic_is_paid_tier_by_tier() -> None:
    row = {"product": MICROSOFT_NETWORK, "meter": EGRESS, "sku": "", "unit": "1 GB"}
    tiers = (price(0.0, **row), price(0.1, from_units=100.0, **row), price(0.05, from_units=600.0, **row))
    plan = contoso(clients__expected=1000, clients__traffic_mb_per_month=1000, content__downloaded_gb_per_month=100)
    line = next(each for each in monthly_cost(plan, Prices([listed(*tiers)])).lines if each.unit == "GB")
    assert (line.quantity, line.usd_per_unit, line.usd_per_month) == (1100.0, 0.1, 500 * 0.1 + 500 * 0.05)


def test_a_list_that_begins_in_the_middle_is_no_price() -> None:
    row = {"product": MICROSOFT_NETWORK, "meter": EGRESS, "sku": "", "from_units": 100.0}
    wanted = Wanted("Bandwidth", EGRESS, "westeurope", product=MICROSOFT_NETWORK)
    assert Prices([listed(price(0.1, **row))]).tiers(wanted) == ()


def test_of_two_prices_for_the_same_the_newer_one_counts() -> None:
    old, new = price(0.1), price(0.2, as_of="2026-10-01")
    for lists in ([listed(old), listed(new)], [listed(new), listed(old)]):
        assert Prices(lists).tiers(machine("Standard_D2s_v5", "westeurope", Target.CAUSEWAY)) == (new,)


def test_microsofts_gateway_has_windows_machines_and_no_balancer_of_ours() -> None:
    titles = [line.title for line in monthly_cost(contoso(target=Target.CONFIGMGR), Prices([])).lines]
    assert titles[0].endswith("Windows)")
    assert not any("Load balancer" in title for title in titles)
    without = monthly_cost(contoso(content__enabled=False), Prices([])).lines
    assert not any("Content" in line.title for line in without)


def test_the_questions_to_azure_name_the_region_and_the_whole_cloud() -> None:
    asked = filters("usgovvirginia", CloudName.US_GOVERNMENT)
    assert all("armRegionName eq 'usgovvirginia'" in each for each in asked[:-1])
    assert "armRegionName eq 'US Gov'" in asked[-1]
    assert "armRegionName eq 'Global'" in filters("westeurope", CloudName.GLOBAL)[-1]


def test_what_is_fetched_replaces_the_same_and_stays_beside_the_rest() -> None:
    before = listed(price(0.1), price(0.3, region="northeurope"))
    after = merged(before, [price(0.2, as_of="2026-10-01")], source="s", query="q", today="2026-10-01")
    assert [(each.region, each.usd) for each in after.prices] == [("westeurope", 0.2), ("northeurope", 0.3)]
    assert after.retrieved == "2026-10-01"
    assert merged(None, [price(0.2)], source="s", query="q", today="2026-10-01").prices == (price(0.2),)


def test_fetched_prices_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    assert read_prices(path) is None
    path.write_text(prices_text(shipped()))
    assert read_prices(path) == shipped()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"format": 2}', "\x00" * 10, json.dumps({"format": 1, "prices": [{"usd": -1}]})]
)
def test_fetched_prices_that_cannot_be_read_are_named_with_the_remedy(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(text)
    with pytest.raises(StateError) as caught:
        read_prices(path)
    assert str(caught.value).startswith(f"{path}: the fetched prices cannot be read: ")
    assert "remove the file" in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_as_fetched_prices_are_one_line(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("prices") / "prices.json"
    path.write_bytes(data)
    with pytest.raises(StateError) as caught:
        read_prices(path)
    assert "\n" not in str(caught.value)
