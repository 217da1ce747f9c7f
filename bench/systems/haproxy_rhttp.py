"""HAProxy reverse HTTP: the connector dials the edge, which then asks it over HTTP/2. Certificates on both legs."""

from typing import ClassVar

from bench.systems.base import Edge, System
from bench.systems.haproxy import ORIGIN, base_section, edge_section, first_words, run
from bench.workbench import Workbench

_TUNNEL = """\
frontend tunnel
  bind 127.0.0.1:{port} ssl crt {server} ca-file {authority} verify required alpn h2
  tcp-request session attach-srv connectors/connector
backend connectors
  server connector rhttp@
"""

_CONNECTOR = """\
backend gateway
  server edge 127.0.0.1:{port} ssl crt {connector} ca-file {authority} verify required sni str(localhost) alpn h2
frontend tunnel
  bind rhttp@gateway/edge nbconn 1
  default_backend origin
"""

# Windows of 1 MB, since HTTP/2's 64 KB hold downloads back.
_GLOBAL = (
    "expose-experimental-directives",
    "tune.h2.fe.initial-window-size 1048576",
    "tune.h2.be.initial-window-size 1048576",
)


class HAProxyReverse(System):
    """One thread a hop."""

    name = "haproxy-rhttp"
    title = "HAProxy reverse HTTP"
    tuning: ClassVar[tuple[str, ...]] = ()

    def start(self, edge: Edge) -> None:
        """Start both hops."""
        certificates, tools = self.bench.certificates, self.bench.tools
        self.port, tunnel = self.bench.ports.take(), self.bench.ports.take()
        base = base_section(edge, *_GLOBAL, *self.tuning)
        server = certificates.server(edge.server_key).both
        listening = _TUNNEL.format(port=tunnel, server=server, authority=certificates.authority)
        connector = certificates.connector.both
        dialling = _CONNECTOR.format(port=tunnel, connector=connector, authority=certificates.authority)
        for hop, configuration in (
            ("edge", base + edge_section(self, edge, "connectors") + listening),
            ("connector", base + dialling + ORIGIN.format(port=edge.origin.port)),
        ):
            title = f"{self.title} ({hop})"
            folder = self.new_folder(hop)
            self.book(hop, run(tools.haproxy_rhttp, folder, title, configuration, tickets=edge.tickets))

    @classmethod
    def version(cls, bench: Workbench) -> str:
        """Such as HAProxy 3.0.11."""
        return first_words(bench.tools.haproxy_rhttp)


class HAProxyReverseLargeBuffers(HAProxyReverse):
    """With buffers of 64 KB, which HAProxy's manual advises against, and which costs small requests more."""

    name = "haproxy-rhttp-64k"
    title = "HAProxy reverse HTTP, 64 KB buffers"
    tuning = ("tune.bufsize 65536",)
