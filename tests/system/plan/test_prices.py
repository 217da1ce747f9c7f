"""``causeway plan prices refresh`` against a fake of Azure's price list: what it takes, and what it does not."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.certificates import certificates
from tests.system.plan.fake_retail_prices import FakeRetailPrices, Instead, fake_retail_prices, row
from tests.system.plan.running import CONTOSO, plan

VM = {"productName": "Virtual Machines Dsv5 Series", "armSkuName": "Standard_D2s_v5"}
ROWS = [
    # Three rows, so that there is a second page, and two each of others, so that a link leads beyond the end.
    row("Virtual Machines", "D2s v5 Spot", 0.01, **VM),
    row("Virtual Machines", "D2s v5", 0.2, **VM),
    row("Virtual Machines", "D2s v5", 0.4, **VM | {"productName": "Virtual Machines Dsv5 Series Windows"}),
    row("Storage", "E4 LRS Disk", 2.4, productName="Standard SSD Managed Disks", unitOfMeasure="1/Month"),
    row("Storage", "Hot LRS Data Stored", 0.02, productName="General Block Blob v2", unitOfMeasure="1 GB/Month"),
    row("Virtual Network", "Standard IPv4 Static Public IP", 0.005),
    row("Key Vault", "Operations", 0.03, unitOfMeasure="10K"),
]


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planned")
    assert plan(folder, "new", *CONTOSO).returncode == 0
    return folder


@pytest.fixture
def azure() -> Iterator[FakeRetailPrices]:
    with fake_retail_prices(certificates("prices").server("localhost"), ROWS) as fake:
        yield fake


def refresh(folder: Path, fake: FakeRetailPrices, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As an administrator runs it, who trusts the fake's authority."""
    return plan(
        folder,
        *("prices", "refresh", "--source", fake.url, *arguments),
        SSL_CERT_FILE=str(certificates("prices").root),
    )


def test_prices_of_every_page_count_from_then_on(planned: Path, azure: FakeRetailPrices) -> None:
    before = json.loads(plan(planned, "show", "--json").stdout)["cost"]
    assert "Public IP address" in before["unknown"]
    done = refresh(planned, azure)
    assert done.returncode == 0, done.stderr
    kept = planned / "cache" / "causeway" / "prices.json"
    assert done.stdout.splitlines()[0] == f"{len(ROWS)} prices are in {kept}."
    assert len({question for question, _ in azure.asked}) == 6
    assert {skip for question, skip in azure.asked if "'Storage'" in question} == {0, 2}
    assert {skip for question, skip in azure.asked if "'Virtual Machines'" in question} == {0, 2}
    after = json.loads(plan(planned, "show", "--json").stdout)["cost"]
    assert after["unknown"] == []
    machines = next(line for line in after["lines"] if line["title"].startswith("Machines"))
    assert machines["usd_per_month"] == 2 * 730 * 0.2

    north = plan(planned, "new", *CONTOSO, "--region=northeurope", "--out=north.toml")
    assert north.returncode == 0, north.stderr
    azure.rows = [each | {"armRegionName": "northeurope"} for each in ROWS]
    # Traffic of that region is neither in the fake nor in the package.
    assert json.loads(refresh(planned, azure, "north.toml", "--json").stdout)["unknown"] == ["Traffic to the internet"]
    assert json.loads(plan(planned, "show", "--json").stdout)["cost"] == after


def elsewhere(fake: FakeRetailPrices, question: str, skip: int) -> tuple[int, dict[str, str], bytes]:
    return fake.page(question, skip, NextPageLink="https://prices.example/api/retail/prices")


def endless(fake: FakeRetailPrices, question: str, _skip: int) -> tuple[int, dict[str, str], bytes]:
    return fake.page(question, 0, NextPageLink=f"{fake.url}?$filter=x")


def euros(fake: FakeRetailPrices, question: str, skip: int) -> tuple[int, dict[str, str], bytes]:
    return fake.page(question, skip, BillingCurrency="EUR")


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        (elsewhere, "its next page is said to be elsewhere: 'https://prices.example/api/retail/prices'"),
        (endless, "more than 8 pages for one question"),
        (euros, "not a page of prices: BillingCurrency: Input should be 'USD'"),
        (lambda *_: (200, {}, b"<html>"), "not a page of prices"),
        (lambda *_: (200, {}, b" " * (5 * 1024 * 1024)), "a page of more than 4194304 bytes"),
        (lambda *_: (200, {"Content-Encoding": "gzip"}, b"x"), "an encoding that was not asked for"),
        (lambda *_: (302, {"Location": "https://prices.example/"}, b""), "302 Found"),
        (lambda *_: (400, {}, b"Skip value"), "400 Bad Request"),
        (lambda fake, question, _: fake.page(question, 0, Items=[], NextPageLink=None), "lists nothing for westeurope"),
    ],
)
def test_an_answer_that_cannot_be_taken_is_one_line_and_changes_nothing(
    tmp_path: Path, planned: Path, azure: FakeRetailPrices, instead: Instead, said: str
) -> None:
    (tmp_path / "causeway-plan.toml").write_bytes((planned / "causeway-plan.toml").read_bytes())
    azure.instead = instead
    refused = refresh(tmp_path, azure)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"error: RetailPrices: {azure.url}")
    assert said in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "cache").exists()


def test_a_server_that_is_not_trusted_gets_no_question(planned: Path, azure: FakeRetailPrices) -> None:
    refused = plan(planned, "prices", "refresh", "--source", azure.url)
    assert refused.returncode == 1
    assert "certificate verify failed" in refused.stderr
    assert azure.asked == []


def test_a_list_without_tls_is_refused(planned: Path) -> None:
    refused = plan(planned, "prices", "refresh", "--source", "http://localhost/")
    assert refused.returncode == 2
    assert "is no HTTPS URL" in refused.stderr
