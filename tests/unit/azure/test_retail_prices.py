"""Azure's rows become prices; what is no price, still to come, or elsewhere is not taken."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.azure.errors import RetailPricesUnavailable
from causeway.azure.retail_prices import Row, in_force, same_place
from causeway.plan.prices import SOURCE

TODAY = date(2026, 10, 7)


def row(**changes: Any) -> Row:
    return Row.model_validate(
        {
            "armRegionName": "westeurope",
            "productName": "Key Vault",
            "meterName": "Operations",
            "armSkuName": "",
            "unitOfMeasure": "10K",
            "retailPrice": 0.03,
            "tierMinimumUnits": 0.0,
            "effectiveStartDate": "2020-08-01T00:00:00Z",
        }
        | changes
    )


def test_of_several_rows_for_the_same_the_one_that_began_last_counts_and_none_that_is_to_come() -> None:
    rows = (
        row(retailPrice=0.02, effectiveStartDate="2026-10-07T00:00:00Z"),
        row(),
        row(retailPrice=0.9, effectiveStartDate="2026-10-08T00:00:00Z"),
        row(tierMinimumUnits=100.0, retailPrice=0.01, armSkuName=None),
    )
    found = in_force(rows, TODAY)
    assert sorted((each.from_units, each.usd, each.sku, each.as_of) for each in found) == [
        (0.0, 0.02, "", "2026-10-07"),
        (100.0, 0.01, "", "2026-10-07"),
    ]


@pytest.mark.parametrize(
    "change",
    [{"retailPrice": -1.0}, {"retailPrice": float("nan")}, {"productName": "x" * 201}, {"tierMinimumUnits": -1.0}],
)
def test_a_row_that_no_price_can_be_is_named(change: dict[str, Any]) -> None:
    with pytest.raises(RetailPricesUnavailable, match="what no price can be"):
        in_force([row(**change)], TODAY)


@pytest.mark.parametrize(
    ("link", "same"),
    [
        ("https://prices.azure.com:443/api/retail/prices?$filter=x&$skip=1000", True),
        ("https://prices.azure.com/api/retail/prices?$skip=1000", True),
        ("http://prices.azure.com/api/retail/prices", False),
        ("https://prices.azure.com:8443/api/retail/prices", False),
        ("https://prices.azure.com.evil.example/api/retail/prices", False),
        ("https://prices.azure.com@evil.example/api/retail/prices", False),
        ("https://user@prices.azure.com/api/retail/prices", False),
        ("https://prices.azure.com/elsewhere", False),
        ("/api/retail/prices", False),
        ("https://[", False),
    ],
)
def test_a_link_is_followed_only_within_the_list(link: str, same: bool) -> None:
    assert same_place(link, SOURCE) is same


@given(st.text(max_size=60))
def test_any_text_as_a_link_is_judged(text: str) -> None:
    same_place(text, SOURCE)
