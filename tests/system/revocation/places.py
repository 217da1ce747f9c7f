"""A web server of distribution points: serves files of a folder, and answers as badly as it is told to."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Places:
    """``GET /name`` gives ``folder/name``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.asked: list[str] = []
        self.unreachable = False
        self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True, name="places").start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, places: Places) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.places = places

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Somebody who went away."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        places = self.server.places
        places.asked.append(self.path)
        path = places.folder / self.path.strip("/")
        with contextlib.suppress(OSError):
            if places.unreachable or not path.is_file():
                self.send_error(503 if places.unreachable else 404)
                return
            data = path.read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        """Be silent."""
