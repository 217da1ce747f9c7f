"""Envoy reverse tunnel: the initiator dials the responder, which asks it over HTTP/2; certificates on both legs."""

import json
from pathlib import Path
from typing import Any

from bench.certificates import Pair
from bench.needs import output_of
from bench.processes import Process
from bench.systems.base import WITH_CERTIFICATE, WITHOUT_CERTIFICATE, Edge, System
from bench.workbench import Workbench

_TYPE = "type.googleapis.com/envoy.extensions"
_TUNNEL_INTERFACE = "envoy.bootstrap.reverse_tunnel"
_NODE = "connector"
_CONNECTIONS = 1

Json = dict[str, Any]


def _typed(name: str, kind: str, **content: Any) -> Json:
    return {"name": name, "typed_config": {"@type": f"{_TYPE}.{kind}", **content}}


def _address(port: int) -> Json:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


class EnvoyReverse(System):
    """One worker thread a hop."""

    name = "envoy-reverse"
    title = "Envoy reverse tunnel"

    def start(self, edge: Edge) -> None:
        """Start both hops."""
        self.port, tunnel = self.bench.ports.take(), self.bench.ports.take()
        for hop, configuration in (
            ("edge", self._responder(edge, tunnel)),
            ("connector", self._initiator(edge, tunnel)),
        ):
            folder = self.new_folder(hop)
            file = folder / "envoy.json"
            file.write_text(json.dumps(configuration(folder)))
            options = ("--concurrency", "1", "--use-dynamic-base-id", "--log-level", "warning")
            arguments: list[str | Path] = [self.bench.tools.envoy, "-c", file, *options]
            self.book(hop, Process(f"{self.title} ({hop})", arguments, folder / "output.log"))

    @classmethod
    def version(cls, bench: Workbench) -> str:
        """Such as Envoy 1.40.0."""
        version = output_of([bench.tools.envoy, "--version"]).partition("version: ")[2]
        return f"Envoy {version.split('/')[1]}"

    # The edge.

    def _responder(self, edge: Edge, tunnel: int) -> Any:
        certificates = self.bench.certificates
        server = certificates.server(edge.server_key)

        def configuration(folder: Path) -> Json:
            devices = _server_tls(server, certificates.authority, required=False, alpn="http/1.1")
            if not edge.tickets:
                devices["typed_config"] |= {
                    "disable_stateless_session_resumption": True,
                    "disable_stateful_session_resumption": True,
                }
            return {
                "node": {"id": "edge", "cluster": "edges"},
                "bootstrap_extensions": [_interface("upstream", "Upstream")],
                "static_resources": {
                    "listeners": [
                        _listener(
                            "devices",
                            _address(self.port),
                            _http(folder, "devices", _published(), **_DEVICE_OPTIONS),
                            devices,
                        ),
                        _listener(
                            "tunnel",
                            _address(tunnel),
                            _typed(
                                "envoy.filters.network.reverse_tunnel",
                                "filters.network.reverse_tunnel.v3.ReverseTunnel",
                                ping_interval="10s",
                            ),
                            _server_tls(server, certificates.authority, required=True, alpn=""),
                        ),
                    ],
                    "clusters": [_CONNECTORS],
                },
            }

        return configuration

    # The connector.

    def _initiator(self, edge: Edge, tunnel: int) -> Any:
        certificates = self.bench.certificates

        def configuration(folder: Path) -> Json:
            address = f"rc://{_NODE}:connectors:bench@edge:{_CONNECTIONS}"
            everything = [{"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}}]
            reverse: Json = {
                "socket_address": {
                    "address": address,
                    "port_value": 0,
                    "resolver_name": "envoy.resolvers.reverse_connection",
                }
            }
            http = _http(folder, "tunnel", everything)
            return {
                "node": {"id": _NODE, "cluster": "connectors"},
                "bootstrap_extensions": [_interface("downstream", "Downstream")],
                "static_resources": {
                    "listeners": [{"listener_filters_timeout": "0s", **_listener("tunnel", reverse, http, None)}],
                    "clusters": [
                        _cluster("edge", tunnel, _client_tls(certificates.connector, certificates.authority)),
                        _cluster("origin", edge.origin.port, None),
                    ],
                },
            }

        return configuration


def _interface(direction: str, prefix: str) -> Json:
    kind = f"bootstrap.reverse_tunnel.{direction}_socket_interface.v3.{prefix}ReverseConnectionSocketInterface"
    return _typed(f"{_TUNNEL_INTERFACE}.{direction}_socket_interface", kind, stat_prefix=f"{direction}_reverse")


def _listener(name: str, address: Json, network_filter: Json, tls: Json | None) -> Json:
    chain: Json = {"filters": [network_filter]}
    if tls is not None:
        chain["transport_socket"] = tls
    return {"name": name, "address": address, "filter_chains": [chain]}


_DEVICE_OPTIONS: Json = {
    "use_remote_address": True,
    "forward_client_cert_details": "SANITIZE_SET",
    "set_current_client_cert_details": {"subject": True},
    "http_protocol_options": {"allow_custom_methods": True},
    "stream_idle_timeout": "300s",
}


def _http(folder: Path, name: str, routes: list[Json], **options: Any) -> Json:
    log = _typed(
        "envoy.access_loggers.file",
        "access_loggers.file.v3.FileAccessLog",
        path=str(folder / "access.log"),
    )
    return _typed(
        "envoy.filters.network.http_connection_manager",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=name,
        access_log=[log],
        always_set_request_id_in_response=True,
        http_filters=[_typed("envoy.filters.http.router", "filters.http.router.v3.Router")],
        route_config={"virtual_hosts": [{"name": name, "domains": ["*"], "routes": routes}]},
        **options,
    )


def _published() -> list[Json]:
    """What is published; a path that needs a certificate is matched with one, and refused without."""
    to_connector: Json = {
        "route": {"cluster": "connectors", "prefix_rewrite": "/", "timeout": "0s"},
    }
    verified: Json = {"prefix": f"{WITH_CERTIFICATE}/", "tls_context": {"presented": True}}
    return [
        {"match": verified, **to_connector},
        {"match": {"prefix": f"{WITH_CERTIFICATE}/"}, "direct_response": {"status": 403}},
        {"match": {"prefix": f"{WITHOUT_CERTIFICATE}/"}, **to_connector},
    ]


_CONNECTORS: Json = {
    "name": "connectors",
    "connect_timeout": "5s",
    "lb_policy": "CLUSTER_PROVIDED",
    "cluster_type": _typed(
        "envoy.clusters.reverse_connection",
        "clusters.reverse_connection.v3.ReverseConnectionClusterConfig",
        cleanup_interval="60s",
        host_id_format=_NODE,
    ),
    "typed_extension_protocol_options": {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": f"{_TYPE}.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    },
}


def _cluster(name: str, port: int, tls: Json | None) -> Json:
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}]
    cluster: Json = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
        "circuit_breakers": {"thresholds": [{"max_connections": 20000, "max_pending_requests": 20000}]},
    }
    if tls is not None:
        cluster["transport_socket"] = tls
    return cluster


def _common_tls(pair: Pair, authority: Path, alpn: str) -> Json:
    common: Json = {
        "tls_certificates": [
            {"certificate_chain": {"filename": str(pair.certificate)}, "private_key": {"filename": str(pair.key)}}
        ],
        "validation_context": {"trusted_ca": {"filename": str(authority)}},
    }
    if alpn:
        common["alpn_protocols"] = [alpn]
    return common


def _server_tls(pair: Pair, authority: Path, *, required: bool, alpn: str) -> Json:
    return _typed(
        "envoy.transport_sockets.tls",
        "transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context=_common_tls(pair, authority, alpn),
        require_client_certificate=required,
    )


def _client_tls(pair: Pair, authority: Path) -> Json:
    return _typed(
        "envoy.transport_sockets.tls",
        "transport_sockets.tls.v3.UpstreamTlsContext",
        common_tls_context=_common_tls(pair, authority, ""),
        sni="localhost",
    )
