"""HAProxy as a TLS reverse proxy: no tunnel, one hop. Its pieces serve the reverse tunnel, too."""

from pathlib import Path

from bench.needs import output_of
from bench.processes import Process
from bench.systems.base import WITH_CERTIFICATE, WITHOUT_CERTIFICATE, Edge, System
from bench.workbench import Workbench

# Log lines go to a file through HAProxy's standard output: cheaper for it than any syslog server. The ratios keep it
# from giving idle connections up, and a reversed one is such, when it has many clients.
_BASE = """\
global
  nbthread 1
  {more}
  maxconn 15000
  no strict-limits
  tune.pool-low-fd-ratio 95
  tune.pool-high-fd-ratio 95
  log stdout format raw local0
defaults
  mode http
  log global
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  timeout http-keep-alive 300s
  timeout http-request 300s
  option httplog
  http-reuse always
  {at_once}
"""

EDGE = """\
frontend edge
  bind 127.0.0.1:{port} backlog 4096 ssl crt {server} ca-file {authority} verify optional alpn http/1.1 {session}
  acl needs_certificate path_beg {with_certificate}/
  acl needs_none path_beg {without_certificate}/
  http-request return status 404 content-type text/plain string "not published" unless needs_certificate or needs_none
  http-request return status 403 content-type text/plain string "no certificate" if needs_certificate !{{ ssl_c_used }}
  unique-id-format %[uuid()]
  http-request del-header x-forwarded- -m beg
  http-request del-header x-ssl- -m beg
  http-request set-header X-Request-Id %[unique-id]
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Forwarded-Client-Cert Hash=%[ssl_c_sha1,hex];Subject=%[ssl_c_s_dn] if {{ ssl_c_used }}
  http-request set-path %[path,bytes({prefix_bytes})]
  http-response set-header X-Request-Id %[unique-id]
  default_backend {backend}
"""

ORIGIN = """\
backend origin
  server origin 127.0.0.1:{port}
"""


def base_section(edge: Edge, *more: str) -> str:
    """What all HAProxies have; ``more`` are further lines of the global section."""
    return _BASE.format(more="\n  ".join(more), at_once="option http-no-delay" if edge.at_once else "")


def edge_section(system: System, edge: Edge, backend: str) -> str:
    """The frontend that devices see."""
    assert len(WITH_CERTIFICATE) == len(WITHOUT_CERTIFICATE)
    return EDGE.format(
        port=system.port,
        server=system.bench.certificates.server(edge.server_key).both,
        authority=system.bench.certificates.authority,
        session="" if edge.tickets else "no-tls-tickets",
        with_certificate=WITH_CERTIFICATE,
        without_certificate=WITHOUT_CERTIFICATE,
        prefix_bytes=len(WITH_CERTIFICATE),
        backend=backend,
    )


# HAProxy's no-tls-tickets leaves two stateful tickets a connection in TLS 1.3, which cost 40 to 60 us; only OpenSSL's
# own configuration turns those off, too.
_NO_TICKETS = """\
openssl_conf = init
[init]
ssl_conf = modules
[modules]
system_default = tls
[tls]
NumTickets = 0
"""


def run(binary: Path, folder: Path, title: str, configuration: str, *, tickets: bool) -> Process:
    """Start one HAProxy in the foreground."""
    file = folder / "haproxy.cfg"
    file.write_text(configuration)
    environment = {}
    if not tickets:
        openssl = folder / "openssl.cnf"
        openssl.write_text(_NO_TICKETS)
        environment["OPENSSL_CONF"] = str(openssl)
    return Process(title, [binary, "-db", "-f", file], folder / "output.log", environment)


class HAProxy(System):
    """One thread."""

    name = "haproxy"
    title = "HAProxy, TLS proxy"

    def start(self, edge: Edge) -> None:
        """Start it."""
        self.port = self.bench.ports.take()
        configuration = base_section(edge) + edge_section(self, edge, "origin") + ORIGIN.format(port=edge.origin.port)
        folder = self.new_folder("edge")
        self.book("edge", run(self.bench.tools.haproxy, folder, self.title, configuration, tickets=edge.tickets))

    @classmethod
    def version(cls, bench: Workbench) -> str:
        """Such as HAProxy 2.6.12."""
        return first_words(bench.tools.haproxy)


def first_words(binary: Path) -> str:
    """Name and version."""
    words = output_of([binary, "-v"]).split()
    return f"{words[0]} {words[2].partition('-')[0]}"
