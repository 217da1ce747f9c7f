"""HAProxy reverse HTTP: the connector dials the edge, which then asks it over HTTP/2. Certificates on both legs."""

from bench.systems.base import Edge, System
from bench.systems.haproxy import GLOBAL, ORIGIN, edge_section, first_words, run
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
  bind rhttp@gateway/edge nbconn {connections}
  default_backend origin
"""

_CONNECTIONS = 1


class HAProxyReverse(System):
    """One thread a hop."""

    name = "haproxy-rhttp"
    title = "HAProxy reverse HTTP"

    def start(self, edge: Edge) -> None:
        """Start both hops."""
        certificates, tools = self.bench.certificates, self.bench.tools
        self.port, tunnel = self.bench.ports.take(), self.bench.ports.take()
        base = GLOBAL.format(experimental="expose-experimental-directives")
        listening = _TUNNEL.format(
            port=tunnel, server=certificates.server(edge.server_key).both, authority=certificates.authority
        )
        dialling = _CONNECTOR.format(
            port=tunnel,
            connector=certificates.connector.both,
            authority=certificates.authority,
            connections=_CONNECTIONS,
        )
        for hop, configuration in (
            ("edge", base + edge_section(self, edge, "connectors") + listening),
            ("connector", base + dialling + ORIGIN.format(port=edge.origin.port)),
        ):
            folder = self.new_folder(hop)
            title = f"{self.title} ({hop})"
            self.book(hop, run(tools.haproxy_rhttp, folder, title, configuration, tickets=edge.tickets))

    @classmethod
    def version(cls, bench: Workbench) -> str:
        """Such as HAProxy 3.0.11."""
        return first_words(bench.tools.haproxy_rhttp)
