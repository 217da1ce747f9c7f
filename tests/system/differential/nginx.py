"""A real nginx as the site system. It passes on what it read to a socket of ours, which is how we know."""

import asyncio
import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

_CONFIGURATION = """
daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
  access_log off;
  {temporary}
  # Every header line that is HTTP is to be shown, and none is too long.
  underscores_in_headers on;
  ignore_invalid_headers off;
  client_header_buffer_size 64k;
  large_client_header_buffers 8 64k;
  client_max_body_size 16m;
  client_body_buffer_size 1m;
  keepalive_requests 1000000;
  keepalive_timeout 120s;
  upstream readings {{ server unix:{folder}/readings; keepalive 4; }}
  server {{
    listen unix:{folder}/nginx;
    {listen}
    location / {{
      proxy_pass http://readings;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
    }}
  }}
}}
"""
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
# What nginx writes for itself instead of passing it on.
_ITS_OWN = frozenset((b"connection", b"content-length", b"transfer-encoding", b"expect", b"te", b"upgrade"))


class Reading(NamedTuple):
    """A request as nginx read it: its request line's parts, the headers in order, the whole body."""

    method: bytes
    target: bytes
    host: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Nginx:
    """A running nginx.

    Attributes:
        socket: where it listens.
        readings: what it has read, by ``X-Request-Id``.
        order: the ids of the requests that it has read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.socket = folder / "nginx"
        self.readings: dict[bytes, Reading] = {}
        self.order: list[bytes] = []

    def forget(self) -> None:
        """Forget what was read."""
        self.readings.clear()
        self.order.clear()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from nginx: it writes requests in one plain form, so they are taken apart plainly."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                line, *lines = head[:-4].split(b"\r\n")
                method, target, _ = line.split(b" ")
                headers = [(name.lower(), value) for name, _, value in (one.partition(b": ") for one in lines)]
                values = dict(headers)
                body = await reader.readexactly(int(values.get(b"content-length", b"0")))
                passed = [(name, value) for name, value in headers if name not in _ITS_OWN and name != b"host"]
                request_id = values.get(b"x-request-id", b"-")
                self.readings[request_id] = Reading(method, target, values.get(b"host", b""), passed, body)
                self.order.append(request_id)
                writer.write(b"HTTP/1.1 200 OK\r\nX-Read: %b\r\nContent-Length: 0\r\n\r\n" % request_id)
        writer.close()


@contextlib.asynccontextmanager
async def running(listen: str = "") -> AsyncIterator[Nginx]:
    """An nginx for as long as the block lasts; ``listen`` is a further directive of its server."""
    # A socket's path has at most 107 bytes, which a test's own folder would exceed.
    folder = Path(tempfile.mkdtemp(prefix="causeway-nginx-"))
    nginx = Nginx(folder)
    temporary = " ".join(f"{name}_temp_path {folder}/temporary;" for name in _TEMPORARY)
    (folder / "nginx.conf").write_text(_CONFIGURATION.format(folder=folder, temporary=temporary, listen=listen))
    readings = await asyncio.start_unix_server(nginx.take, folder / "readings", limit=1 << 20)
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin") or "nginx"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        await _listening(nginx, process)
        yield nginx
    finally:
        process.kill()
        process.wait()
        readings.close()
        shutil.rmtree(folder, ignore_errors=True)


async def _listening(nginx: Nginx, process: "subprocess.Popen[bytes]") -> None:
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_unix_connection(nginx.socket)
                writer.close()
                return
            assert process.poll() is None, (nginx.socket.parent / "log").read_text()
            await asyncio.sleep(0.01)
