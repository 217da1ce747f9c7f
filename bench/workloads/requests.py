"""Small requests: on kept connections, and each on a fresh one."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from bench.certificates import ServerKey
from bench.figures import Sample
from bench.load.wrk import Load, Request, Result
from bench.origin import KILOBYTE_PATH
from bench.workloads.base import REQUEST_COLUMNS, Column, WrkWorkload

_KILOBYTE = (Request("GET", KILOBYTE_PATH),)
_KEY_TITLES = {ServerKey.RSA: "RSA-2048", ServerKey.P256: "P-256"}
_QUICK = {"fresh-rsa", "fresh-p256-mtls", "resumed-rsa-mtls"}


class Kept(WrkWorkload):
    """What a relay costs where the handshake does not count."""

    name = "kept"
    title = "1 KB GET on 64 kept connections, client certificates"
    systems = (
        "origin",
        "nginx",
        "haproxy",
        "envoy-reverse",
        "haproxy-rhttp",
        "causeway",
        "causeway-2",
        "causeway-source",
    )
    quick_systems = ("envoy-reverse", "haproxy-rhttp", "causeway", "causeway-2")
    load = Load(_KILOBYTE)


class Fresh(WrkWorkload):
    """What native management clients do: a connection for each request."""

    columns: ClassVar[Sequence[Column]] = (
        *REQUEST_COLUMNS,
        Column("handshakes_cpu_s", "handshakes per edge CPU second"),
        Column("resumed_percent", "resumed %"),
    )

    def __init__(self, server_key: ServerKey, *, certificate: bool, resumed: bool) -> None:
        self.name = f"{'resumed' if resumed else 'fresh'}-{server_key}{'-mtls' if certificate else ''}"
        clients = "client certificates" if certificate else "no client certificate"
        connection = "a fresh connection each, resumed" if resumed else "a fresh connection each"
        self.title = f"1 KB GET, {connection}, {_KEY_TITLES[server_key]}, {clients}"
        self.server_key = server_key
        self.certificate = certificate
        self.tickets = self.resumed = resumed
        self.quick_systems = ("haproxy-rhttp", "causeway") if self.name in _QUICK else ()
        self.load = Load(_KILOBYTE, certificate=certificate, close=True, resume=resumed)

    def figures(self, cpu_by_hop: Mapping[str, float], result: Result) -> Sample:
        """With what the edge could do if it had a processor for itself."""
        return {
            **super().figures(cpu_by_hop, result),
            "handshakes_cpu_s": result.handshakes / cpu_by_hop["edge"],
            "resumed_percent": 100 * result.resumed / result.handshakes,
        }


FRESH = tuple(
    Fresh(key, certificate=certificate, resumed=resumed)
    for resumed in (False, True)
    for key in ServerKey
    for certificate in (False, True)
)
