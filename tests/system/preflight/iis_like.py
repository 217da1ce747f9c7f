"""nginx on an island, told to answer as IIS does: real TLS, real HTTP, and pages of ours with IIS's words.

What it cannot do: ask for a client certificate by the path, which IIS does after the handshake, and decide by itself
that a certificate is revoked; those answers are written into its configuration.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from tests.system.certificates import Pair
from tests.system.island import Island
from tests.system.nginx import can_be_ended
from tests.system.processes import wait_until

_CONFIG = """
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log {folder}/access.log;
  default_type text/html;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {servers}
}}
"""


def page(status: str) -> str:
    """An answer with the words of IIS's page for it, such as ``403.7``."""
    return f"return {status[:3]} '<title>IIS 10.0 Detailed Error - {status}</title><h2>HTTP Error {status}</h2>';"


def server(name: str, port: int, inside: str, pair: Pair | None = None, address: str = "127.0.0.1") -> str:
    """A server block: with TLS where there is a certificate."""
    if pair is None:
        return f"server {{ listen {address}:{port}; server_name {name}; {inside} }}"
    tls = f"ssl_certificate {pair.certificate}; ssl_certificate_key {pair.key};"
    return f"server {{ listen {address}:{port} ssl; server_name {name}; {tls} {inside} }}"


@contextlib.contextmanager
def iis_like(island: Island, folder: Path, *servers: str) -> Iterator[Path]:
    """Serve there; gives the access log. nginx goes into the background once its ports are open."""
    folder.mkdir(exist_ok=True)
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, servers="\n".join(servers)))
    started = island.run("nginx", "-p", folder, "-c", config, "-e", folder / "error.log")
    assert started.returncode == 0, started.stderr
    pid_file = folder / "nginx.pid"
    pid = int(wait_until(lambda: pid_file.exists() and pid_file.read_text().strip(), what="nginx"))
    wait_until(lambda: can_be_ended(pid), what="nginx's worker")
    try:
        yield folder / "access.log"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not pid_file.exists(), what="the end of nginx")
