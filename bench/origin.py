"""The origin, which stands for the site system behind every gateway: plain HTTP on loopback.

nginx serves fixed answers, small and large; a small server in Python takes bodies, answers with as many bytes as the
path says, and sends events.
"""

import os
import sys
from pathlib import Path

from bench.processes import Process
from bench.workbench import Workbench, nginx_user

KILOBYTE_PATH = "/1k"
DOWNLOAD_PATH = "/10m"
EVENTS_PATH = "/events"

_CONFIGURATION = """\
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
user {user}; worker_processes 1; worker_rlimit_nofile 16000;
events {{ worker_connections 8192; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_timeout 300; keepalive_requests 1000000000;
  open_file_cache max=100;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {folder}/www;
  }}
}}
"""


def answer_path(size: int) -> str:
    """Where the answering origin takes any body and answers with ``size`` bytes."""
    return f"/answer/{size}"


class Origin:
    """A running origin.

    Attributes:
        port: on loopback.
        probe: a path that is answered with 200.
    """

    port: int
    probe: str
    process: Process


class StaticOrigin(Origin):
    """nginx with a file of 1 KB and one of 10 MB."""

    probe = KILOBYTE_PATH

    def __init__(self, bench: Workbench) -> None:
        folder = bench.new_folder("origin-static")
        www = folder / "www"
        www.mkdir()
        (www / "1k").write_bytes(b"k" * 1024)
        (www / "10m").write_bytes(os.urandom(1 << 20) * 10)
        self.port = bench.ports.take()
        configuration = folder / "nginx.conf"
        configuration.write_text(_CONFIGURATION.format(folder=folder, port=self.port, user=nginx_user()))
        arguments: list[str | Path] = [bench.tools.nginx, "-p", folder, "-e", folder / "error.log", "-c", configuration]
        self.process = Process("the origin", arguments, folder / "output.log")


class AnsweringOrigin(Origin):
    """The server in Python, ``load/origin.py``."""

    probe = answer_path(1024)

    def __init__(self, bench: Workbench) -> None:
        self.port = bench.ports.take()
        program = Path(__file__).parent / "load" / "origin.py"
        log = bench.new_folder("origin-answering") / "output.log"
        self.process = Process("the origin", [sys.executable, program, str(self.port)], log)
