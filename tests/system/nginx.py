"""A real nginx as a site system: serves a folder, and takes uploads with PUT under ``/upload/``."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

_CONFIG = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log {folder}/access.log;
  client_max_body_size 0;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    root {root};
    location /upload/ {{ dav_methods PUT; create_full_put_path on; }}
  }}
}}
"""


def can_be_ended(pid: int) -> bool:
    """Whether nginx, or Apache, has a worker. A signal to end that comes before, it may note and then sleep on."""
    return bool(psutil.Process(pid).children())


@contextlib.contextmanager
def nginx(folder: Path, root: Path, port: int) -> Iterator[None]:
    """Serve ``root`` on loopback."""
    folder.mkdir(exist_ok=True)
    config = folder / "nginx.conf"
    config.write_text("user root;\n" + _CONFIG.format(folder=folder, root=root, port=port))
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")])
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                if can_be_ended(process.pid):
                    break
            assert process.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < deadline, (folder / "error.log").read_text()
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()
