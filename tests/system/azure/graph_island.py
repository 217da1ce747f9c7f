"""The fake of Microsoft Graph, and the sign-in host, at their real names and port on an island; in this process.

Its state is ``tests.unit.azure.fake_graph``, whose limits are its own; tests read and change it directly. Sign-in is
that of ``fake_answers``. A person signs in by a fake ``az``, which only prints a token.
"""

import contextlib
import ctypes
import json
import os
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.system.azure.fake_answers import LOGIN, login
from tests.system.azure.running import APPLICATION, SECRET, TENANT, all_well
from tests.system.certificates import certificates
from tests.system.island import Island, island
from tests.system.plan.running import CAUSEWAY, environment
from tests.unit.azure.fake_graph import USER, FakeGraph

GRAPH = ("graph.microsoft.com", "graph.microsoft.us")
PERMISSIONS = (
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Organization.Read.All",
)
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    there: "GraphIsland"

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        host = (self.headers.get("Host") or "").partition(":")[0]
        with contextlib.suppress(OSError):
            if host in LOGIN:
                self._login(host, body)
                return
            self.there.hosts_asked.add(host)
            self.there.fake.host = host
            headers = {name.lower(): value for name, value in self.headers.items()}
            with self.there.lock:
                status, more, answer = self.there.fake.answer(self.command, self.path, headers, body)
            self._send(status, more, answer)

    def _login(self, host: str, body: bytes) -> None:
        answer = login(self.there.sign_in, host, urlsplit(self.path).path, dict(parse_qsl(body.decode())))
        self._send(answer.status, answer.headers, json.dumps(answer.body).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        if status == 0:  # the connection breaks in the middle of the answer
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + body)
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = _handle  # noqa: N815  # the library's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that went away is no news


@dataclass
class GraphIsland:
    island: Island
    folder: Path
    fake: FakeGraph = field(default_factory=FakeGraph)
    sign_in: dict[str, Any] = field(default_factory=all_well)
    hosts_asked: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self) -> None:
        self.fake, self.sign_in, self.hosts_asked = FakeGraph(), all_well(), set()
        self.sign_in["claims"] = {"idtyp": "app", "roles": list(PERMISSIONS)}

    def _environment(self, *, user: bool) -> dict[str, str]:
        who = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": APPLICATION, "AZURE_CLIENT_SECRET": SECRET}
        path = {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        return {
            **environment(self.folder),
            "SSL_CERT_FILE": str(certificates("azure").root),
            **(path if user else who),
        }

    def causeway(self, folder: Path, *arguments: str, user: bool = False) -> subprocess.CompletedProcess[str]:
        """Run ``causeway`` in ``folder`` on the island, as an application, or as who is signed in with ``az``."""
        command = ("env", "-C", str(folder), *CAUSEWAY, *arguments)
        return self.island.run(*command, environment=self._environment(user=user))

    def start(self, folder: Path, *arguments: str) -> subprocess.Popen[str]:
        """The same, in the background; the process is ``causeway`` itself."""
        return subprocess.Popen(
            self.island.command(*CAUSEWAY, *arguments),
            cwd=folder,
            env={**os.environ, **self._environment(user=False)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def _server_on(where: Island, address: str, handler: type[_Handler]) -> _Server:
    """A server whose socket is of the island; the thread that makes it goes there and ends, and no other does."""

    def make() -> _Server:
        with open(f"/var/run/netns/{where.namespace}", "rb") as namespace:  # noqa: PTH123
            library = ctypes.CDLL(None, use_errno=True)
            assert library.setns(namespace.fileno(), _NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())
        return _Server((address, 443), handler)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(make).result()


@contextlib.contextmanager
def graph_island(folder: Path) -> Iterator[GraphIsland]:
    """Make it."""
    hosts = (*LOGIN, *GRAPH)
    (folder / "bin").mkdir()
    token = {"accessToken": USER, "expires_on": int(time.time()) + 3600, "tenant": TENANT, "tokenType": "Bearer"}
    az = folder / "bin" / "az"
    az.write_text(f"#!/bin/sh\necho '{json.dumps(token)}'\n")
    az.chmod(0o755)
    with island() as where:
        where.hosts(dict.fromkeys(hosts, "127.0.0.3"))
        there = GraphIsland(where, folder)
        with serving(there, "127.0.0.3"):
            yield there


@contextlib.contextmanager
def serving(there: GraphIsland, address: str) -> Iterator[None]:
    """Serve at an address of an island, to which Graph's names lead there, and may those for signing in."""
    pair = certificates("azure").server("graph", *LOGIN, *GRAPH)
    there.reset()
    server = _server_on(there.island, address, type("_Here", (_Handler,), {"there": there}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair.both)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
