"""A fake of Azure's retail price list: pages of rows by HTTPS, and whatever else it is told to answer.

The shape of a page is the documented one of the Azure Retail Prices API. It is a fake: it does not understand
``$filter``, but gives every question the rows whose serviceName stands in it, a page after the other; the link to the
next page names the port, and behind a full last page leads beyond the end, where it answers 400.
"""

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.system.certificates import Pair

PATH = "/api/retail/prices"
ROWS_PER_PAGE = 2

Answer = tuple[int, dict[str, str], bytes]
Instead = Callable[["FakeRetailPrices", str, int], Answer | None]


def row(service: str, meter: str, usd: float, **changes: Any) -> dict[str, Any]:
    """A row with every name that Azure gives."""
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": usd,
        "unitPrice": usd,
        "armRegionName": "westeurope",
        "location": "EU West",
        "effectiveStartDate": "2023-04-01T00:00:00Z",
        "meterId": "000a794b-bdb0-58be-a0cd-0c3a0f222923",
        "meterName": meter,
        "productId": "DZH318Z0BQPS",
        "skuId": "DZH318Z0BQPS/00TG",
        "productName": service,
        "skuName": meter,
        "serviceName": service,
        "serviceId": "DZH313Z7MMC8",
        "serviceFamily": "Compute",
        "unitOfMeasure": "1 Hour",
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": "",
    } | changes


class FakeRetailPrices:
    """It answers until it is closed."""

    def __init__(self, pair: Pair, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.asked: list[tuple[str, int]] = []
        self.instead: Instead | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Pages", (_Pages,), {"fake": self}))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair.both)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # somebody who went away
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self._server.server_address[1]}{PATH}"

    def page(self, question: str, skip: int, **changes: Any) -> Answer:
        """The answer of the real one."""
        found = [each for each in self.rows if f"serviceName eq '{each['serviceName']}'" in question]
        if skip and skip >= len(found):
            return 400, {}, b'{"Error":{"Code":"BadRequest","Message":"Skip value is beyond the number of items."}}'
        items = found[skip : skip + ROWS_PER_PAGE]
        link = f"{self.url}?$filter={question}&$skip={skip + ROWS_PER_PAGE}" if len(items) == ROWS_PER_PAGE else None
        page = {
            "BillingCurrency": "USD",
            "CustomerEntityId": "Default",
            "CustomerEntityType": "Retail",
            "Items": items,
            "NextPageLink": link,
            "Count": len(items),
        }
        return 200, {}, json.dumps(page | changes).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Pages(BaseHTTPRequestHandler):
    fake: FakeRetailPrices

    def do_GET(self) -> None:
        fields = parse_qs(urlsplit(self.path).query)
        question, skip = fields["$filter"][0], int(fields.get("$skip", ["0"])[0])
        self.fake.asked.append((question, skip))
        answer = self.fake.instead(self.fake, question, skip) if self.fake.instead else None
        status, headers, body = answer or self.fake.page(question, skip)
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Be silent."""


@contextlib.contextmanager
def fake_retail_prices(pair: Pair, rows: list[dict[str, Any]]) -> Iterator[FakeRetailPrices]:
    """The fake, for as long as it is needed."""
    fake = FakeRetailPrices(pair, rows)
    try:
        yield fake
    finally:
        fake.close()
