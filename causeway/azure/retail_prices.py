"""Ask Azure's public list of retail prices: HTTPS, verified, without sign-in, bounded in time, pages and bytes.

An answer holds up to 1,000 rows and, in ``NextPageLink``, where the next ones are. That link names the port (``:443``),
and behind a last full page it may lead beyond the end, which is answered with 400 and "Skip value".
"""

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal
from urllib.parse import quote

import httpx
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from causeway import __version__
from causeway.azure.errors import RetailPricesUnavailable
from causeway.plan.prices import SOURCE, Price

MAX_PAGES = 8
"""For one question. A plan's questions have a page each; more is no answer to them."""
MAX_PAGE_BYTES = 4 * 1024 * 1024
_HEADERS = {"User-Agent": f"causeway/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"}
_BEYOND_THE_END = b"Skip value"
_ORIGIN = "the Azure Retail Prices API, asked by causeway"


class Row(BaseModel):
    """What is used of a row, under Azure's names."""

    region: str = Field(alias="armRegionName")
    product: str = Field(alias="productName")
    meter: str = Field(alias="meterName")
    sku: str | None = Field(alias="armSkuName", default=None)
    unit: str = Field(alias="unitOfMeasure")
    usd: float = Field(alias="retailPrice")
    from_units: float = Field(alias="tierMinimumUnits", default=0.0)
    begins: str = Field(alias="effectiveStartDate", pattern=r"^\d{4}-\d{2}-\d{2}T")


class Page(BaseModel):
    """One answer."""

    currency: Literal["USD"] = Field(alias="BillingCurrency")
    rows: Annotated[list[Row], Field(alias="Items", max_length=10_000)]
    next_page: Annotated[str | None, Field(alias="NextPageLink", max_length=20_000)] = None


_PRICE = TypeAdapter(Price)


@dataclass(frozen=True, slots=True)
class RetailPrices:
    """Where to ask.

    Attributes:
        source: the list's URL.
        proxy: ``http://host:port`` of a web proxy on the way, or None.
        timeout_s: for everything together.
    """

    source: str = SOURCE
    proxy: str | None = None
    timeout_s: float = 60.0

    async def ask(self, filters: Iterable[str], today: date) -> tuple[Price, ...]:
        """The prices that are in force ``today``, for every question (``$filter``).

        Raises:
            RetailPricesUnavailable: they could not be had, all of them; the message says why.
        """
        try:
            async with asyncio.timeout(self.timeout_s), self._client() as client:
                return tuple([price for each in filters for price in await self._answer(client, each, today)])
        except TimeoutError:
            raise RetailPricesUnavailable(f"{self.source}: no whole answer within {self.timeout_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RetailPricesUnavailable(f"{self.source}: {error or type(error).__name__}") from None

    def _client(self) -> httpx.AsyncClient:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Neither another proxy nor a .netrc may come in from the environment. Time is bounded for all of it together.
        return httpx.AsyncClient(
            verify=context,
            proxy=self.proxy,
            trust_env=False,
            follow_redirects=False,
            timeout=None,  # noqa: S113
            headers=_HEADERS,
        )

    async def _answer(self, client: httpx.AsyncClient, question: str, today: date) -> tuple[Price, ...]:
        url = f"{self.source}?$filter={quote(question)}"
        rows: list[Row] = []
        for page in range(MAX_PAGES):
            body = await self._get(client, url, first=page == 0)
            if body is None:
                return in_force(rows, today)
            try:
                answer = Page.model_validate_json(body)
            except ValidationError as error:
                raise RetailPricesUnavailable(f"{self.source}: not a page of prices: {_first(error)}") from None
            rows += answer.rows
            if not answer.next_page:
                return in_force(rows, today)
            url = answer.next_page
            if not same_place(url, self.source):
                raise RetailPricesUnavailable(f"{self.source}: its next page is said to be elsewhere: {url[:200]!r}")
        raise RetailPricesUnavailable(f"{self.source}: more than {MAX_PAGES} pages for one question")

    async def _get(self, client: httpx.AsyncClient, url: str, *, first: bool) -> bytes | None:
        """A page; None where it is beyond the last one."""
        async with client.stream("GET", url) as response:
            body = bytearray()
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise RetailPricesUnavailable(f"{self.source}: an encoding that was not asked for")
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_PAGE_BYTES:
                    raise RetailPricesUnavailable(f"{self.source}: a page of more than {MAX_PAGE_BYTES} bytes")
            if response.status_code == httpx.codes.BAD_REQUEST and not first and _BEYOND_THE_END in body:
                return None
            if response.status_code != httpx.codes.OK:
                raise RetailPricesUnavailable(f"{self.source}: {response.status_code} {response.reason_phrase}")
            return bytes(body)


def same_place(link: str, source: str) -> bool:
    """Whether ``link`` is of the list itself: HTTPS, its host, its port (which may be written out) and its path."""
    try:
        there, here = httpx.URL(link), httpx.URL(source)
    except httpx.InvalidURL:
        return False
    return (there.scheme, there.host, there.port or 443, there.path, there.userinfo) == (
        "https",
        here.host,
        here.port or 443,
        here.path,
        b"",
    )


def in_force(rows: Iterable[Row], today: date) -> tuple[Price, ...]:
    """The rows as prices: of those for the same, the one that began last, and none that is still to come.

    Raises:
        RetailPricesUnavailable: a row holds what no price can be.
    """
    begun = {
        (row.region, row.product, row.meter, row.sku, row.from_units): row
        for row in sorted(rows, key=lambda each: each.begins)
        if row.begins[:10] <= today.isoformat()
    }
    try:
        return tuple(_price(row, today) for row in begun.values())
    except ValidationError as error:
        raise RetailPricesUnavailable(f"a row of Azure's prices holds what no price can be: {_first(error)}") from None


def _price(row: Row, today: date) -> Price:
    price = Price(
        region=row.region,
        product=row.product,
        meter=row.meter,
        sku=row.sku or "",
        unit=row.unit,
        usd=row.usd,
        from_units=row.from_units,
        as_of=today.isoformat(),
        origin=_ORIGIN,
    )
    # As it will be read from the file, so that nothing is written there that cannot be.
    return _PRICE.validate_json(_PRICE.dump_json(price))


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'all of it'}: {first['msg']}"
