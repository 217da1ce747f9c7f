"""A fake site: publishes signed gateway settings to connection points, and cannot do anything else.

It knows one URL, checks the chain of a caller's certificate but not its role, and forgets everything with the process.
"""

import contextlib
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from causeway.gateway_settings import GatewaySettings, sign
from causeway.pki.keys import new_signing_key
from causeway.pki.roles import Role
from tests.system.certificates import Certificates


class FakeSite:
    """Serves ``GET /causeway/gateway-settings?newer_than=&wait_s=``: the document, or 204 if there is none."""

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        self.public_key = folder / "site-key.pub.pem"
        self.signing_key: Ed25519PrivateKey = new_signing_key(folder / "site-key.pem", self.public_key)
        self._changed = threading.Condition()
        self._documents: list[tuple[int, bytes]] = []
        self._closed = False
        self.asked = 0
        pair = certificates.server("localhost", role=Role.SITE_SYSTEM)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair.both)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates.root)
        self._server = _Server(self)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True, name="fake site").start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self._server.server_address[1]}"

    def publish(self, settings: GatewaySettings) -> bytes:
        """Sign and publish; returns the document."""
        signed = sign(settings, self.signing_key)
        self.publish_bytes(settings.version, signed)
        return signed

    def publish_bytes(self, version: int, document: bytes) -> None:
        """Publish whatever this is as ``version``."""
        with self._changed:
            self._documents.append((version, document))
            self._changed.notify_all()

    def newest(self, newer_than: int, wait_s: float) -> bytes | None:
        with self._changed:
            self.asked += 1
            self._changed.wait_for(lambda: self._closed or self._has(newer_than), wait_s)
            return self._documents[-1][1] if self._has(newer_than) else None

    def _has(self, newer_than: int) -> bool:
        return bool(self._documents) and self._documents[-1][0] > newer_than

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, site: FakeSite) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.site = site

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection point that went away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        assert url.path == "/causeway/gateway-settings"
        document = self.server.site.newest(int(query["newer_than"][0]), float(query["wait_s"][0]))
        with contextlib.suppress(OSError):
            self.send_response(200 if document else 204)
            if document:
                self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document or b"")

    def log_message(self, *args: Any) -> None:
        """Be silent."""
