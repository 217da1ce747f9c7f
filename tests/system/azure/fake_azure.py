"""A fake of Azure: the sign-in host and Azure Resource Manager, as a TLS server at port 443 of an island.

It keeps state in a JSON file, which a test may change at any time; each request reads it, and what the request changes
is written back. Each request is a line in the file of requests.

Its limits: one tenant, one application, one subscription. It signs nothing and verifies no signature. It checks no
right, but says what the state says of rights, names, quota and policy. Of each operation it knows the fields that the
product reads and those that the SDK's models require, no others; ``test_fake`` holds its answers to these models. It
has no long-running operations: a provider is registered after so many looks. That real Azure answers so is the SDK's
word, not its own.

The key ``faults`` of the state: a list of objects with ``path`` (a part of it), and ``status`` with ``headers`` and
``body``, or ``raw`` (the bytes of a whole answer, in latin-1), or ``hang``; ``times`` says how often.
"""

import argparse
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.system.azure.fake_answers import LOGIN, Answer, login, management

_lock = threading.Lock()
_stop = threading.Event()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state_file: Path
    requests_file: Path

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        host = (self.headers.get("Host") or "").partition(":")[0]
        target = urlsplit(self.path)
        with _lock:
            with self.requests_file.open("a") as file:
                file.write(json.dumps({"host": host, "method": self.command, "path": target.path}) + "\n")
            state = json.loads(self.state_file.read_text())
            fault = next(
                (each for each in state.get("faults", []) if each["path"] in target.path and each.get("times", 1) > 0),
                None,
            )
            if fault is not None:
                fault["times"] = fault.get("times", 1) - 1
                answer = Answer(fault.get("status", 200), fault.get("body"), fault.get("headers", {}))
            elif host in LOGIN:
                answer = login(state, host, target.path, dict(parse_qsl(body)))
            else:
                content: Any = json.loads(body) if body else None
                query = dict(parse_qsl(target.query))
                answer = management(
                    state, host, self.command, target.path, query, content, self.headers.get("Authorization") or ""
                )
            self._write_back(state)
        if fault is not None and fault.get("hang"):
            _stop.wait(60)
        if fault is not None and "raw" in fault:
            self.wfile.write(fault["raw"].encode("latin-1"))
            self.close_connection = True
            return
        self._send(answer)

    def _write_back(self, state: Any) -> None:
        whole = self.state_file.with_suffix(".new")
        whole.write_text(json.dumps(state))
        whole.replace(self.state_file)

    def _send(self, answer: Answer) -> None:
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(text.encode())))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _handle  # noqa: N815  # the library's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that went away is no news


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    for name in ("certificate", "key", "state", "requests"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    Handler.state_file, Handler.requests_file = given.state, given.requests
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(given.certificate, given.key)
    server = _Server((given.address, 443), Handler, bind_and_activate=False)
    server.server_bind()
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.server_activate()
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
