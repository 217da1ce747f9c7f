"""A fake of Configuration Manager's administration service: ours, from Microsoft's reference of the classes.

Rows have the names and shapes that the reference and public scripts show, a page holds few of them, and lists leave
lazy properties out. It understands one kind of ``$filter`` (``Name eq 'value'``) and lets in by Negotiate (NTLM) or by
a token that it does not verify. It cannot show what a real site has beyond that: nothing of Microsoft's runs here.
"""

import contextlib
import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.system.certificates import Pair
from tests.system.negotiate_door import NegotiateDoor, bindings_of, passwords

TOKEN = "aaa.bbb.ccc"
ROWS_PER_PAGE = 2

_FILTER = re.compile(r"\$filter=(\w+) eq '([^']*)'")
_SKIP = re.compile(r"\$skip=([0-9]+)")
_KEY = re.compile(r"(\w+)\(([0-9]+)\)")
_LAZY = {"SMS_ClientSettings": "AgentConfigurations"}
_KEYS = {"SMS_ClientSettings": "SettingsID"}

Answer = tuple[int, bytes]
Instead = Callable[[str], Answer | None]


def prop(name: str, value: int) -> dict[str, Any]:
    """A row of ``Props``."""
    return {"PropertyName": name, "Value": value, "Value1": "REG_DWORD", "Value2": ""}


def role(name: str, host: str, *props: dict[str, Any], ssl_state: int = 2, site: str = "PS1") -> dict[str, Any]:
    """A row of SMS_SCI_SysResUse."""
    return {
        "@odata.etag": site,
        "__LAZYPROPERTIES": ["ServiceWindows"],
        "FileType": 2,
        "ItemName": f'["Display=\\\\{host}\\"]MSWNET:["SMS_SITE={site}"]\\\\{host}\\,{name}',
        "ItemType": "System Resource Usage",
        "NALPath": f'["Display=\\\\{host}\\"]MSWNET:["SMS_SITE={site}"]\\\\{host}\\',
        "NALType": "Windows NT Server",
        "NetworkOSPath": f"\\\\{host}",
        "PropLists": [],
        "Props": list(props),
        "RoleName": name,
        "SiteCode": site,
        "SslState": ssl_state,
        "Type": 8,
    }


class FakeAdministrationService:
    """It answers until it is closed.

    Attributes:
        rows: by class.
        asked: what came, path and kind of authorization.
        instead: answers a path in another way.
        refusal: what comes with 401.
    """

    def __init__(self, pair: Pair, rows: dict[str, list[dict[str, Any]]]) -> None:
        self.rows = rows
        self.asked: list[tuple[str, str]] = []
        self.instead: Instead | None = None
        self.refusal = b""
        handler = type("Rows", (_Rows,), {"fake": self, "bindings": bindings_of(pair.certificate)})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair.both)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # somebody who went away
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def answer(self, path: str) -> Answer:
        """The answer of the real one, as far as it is known."""
        route, _, query = path.partition("?")
        name = route.rpartition("/")[2]
        if one := _KEY.fullmatch(name):
            found = [each for each in self.rows.get(one[1], []) if str(each[_KEYS[one[1]]]) == one[2]]
            return 200, json.dumps({"@odata.context": f"{self._root}$metadata#{one[1]}", "value": found}).encode()
        if name not in self.rows:
            return 404, b'{"error":{"code":"","message":"Resource not found"}}'
        found = self.rows[name]
        if wanted := _FILTER.search(query):
            found = [each for each in found if each[wanted[1]] == wanted[2]]
        start = int(skipped[1]) if (skipped := _SKIP.search(query)) else 0
        page = [{key: value for key, value in each.items() if key != _LAZY.get(name)} for each in found]
        body: dict[str, Any] = {
            "@odata.context": f"{self._root}$metadata#{name}",
            "value": page[start : start + ROWS_PER_PAGE],
        }
        if start + ROWS_PER_PAGE < len(found):
            rest = _SKIP.sub("", query).strip("&")
            link = f"{self._root}{name}?{rest}{'&' if rest else ''}$skip={start + ROWS_PER_PAGE}"
            body["@odata.nextLink"] = link.replace(" ", "%20")
        return 200, json.dumps(body).encode()

    @property
    def _root(self) -> str:
        return f"https://127.0.0.1:{self.port}/{self._route}/wmi/"

    _route = "AdminService"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Rows(NegotiateDoor, BaseHTTPRequestHandler):
    fake: FakeAdministrationService

    def do_GET(self) -> None:
        path = unquote(self.path)
        scheme = self.headers.get("Authorization", "").partition(" ")[0]
        self.fake.asked.append((path, scheme))
        route = urlsplit(self.path).path.split("/")[1]
        if route == "AdminService_TokenAuth":
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self._answer(401, b"")
                return
        elif route != "AdminService":
            self._answer(404, b"")
            return
        else:
            self.refusal = self.fake.refusal
            if not self.negotiated():
                return
        self.fake._route = route
        instead = self.fake.instead(path) if self.fake.instead else None
        self._answer(*(instead or self.fake.answer(path)))

    def _answer(self, status: int, body: bytes) -> None:
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json; odata.metadata=minimal")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


@contextlib.contextmanager
def fake_administration_service(
    folder: Path, pair: Pair, rows: dict[str, list[dict[str, Any]]]
) -> Iterator[FakeAdministrationService]:
    """The fake, for as long as it is needed."""
    fake = FakeAdministrationService(pair, rows)
    try:
        with passwords(folder):
            yield fake
    finally:
        fake.close()
