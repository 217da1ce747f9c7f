"""``gateway.toml``."""

import os
import socket
from typing import Annotated

from pydantic import Field

from causeway.configuration import ConfigPath, section, setting
from causeway.identity.entra.config import EntraKeysSection
from causeway.observability.config import LogSection

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
Rate = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]

HEADING = "The gateway: where devices connect, where connection points dial in, and whom it believes."


@section
class ServiceSection:
    """Where devices connect."""

    address: str = setting("the address to listen on; 0.0.0.0 for all", default="0.0.0.0")  # noqa: S104  # its purpose
    port: Port = setting("the port for devices", default=443)
    certificate: ConfigPath = setting("the server certificate with its chain, PEM", example="server.pem")
    key: ConfigPath = setting("its private key, PEM, readable by the gateway alone", example="server.key")
    session_tickets: bool = setting(
        "whether devices may resume their TLS sessions within a day; who they are is decided anew all the same",
        default=True,
    )


@section
class TunnelSection:
    """Where connection points dial in."""

    address: str = setting("the address to listen on", default="0.0.0.0")  # noqa: S104  # its purpose
    port: Port = setting("the first worker's port; each further worker listens on the next one", default=10124)
    authority: ConfigPath = setting("the site's authority, which certifies connection points, PEM", example="ca.pem")


@section
class LimitsSection:
    """How much one worker takes on."""

    max_connections: Count = setting("client connections at a time", default=20_000)
    max_connections_per_address: Count = setting(
        "of these from one address, behind which may be a whole office", default=4_000
    )
    max_requests_per_address: Count = setting("requests under way of one address", default=1_000)
    max_invalid_tokens_per_minute: Count = setting(
        "from one address; more new tokens from there are refused for a while without a look", default=60
    )
    max_handshakes: Count = setting("TLS handshakes under way; the oldest gives way to the newest", default=1_000)
    max_handshakes_per_address: Count = setting("of these from one address", default=250)
    max_streams_per_tunnel: Count = setting("requests under way through one tunnel", default=10_000)
    handshake_timeout_s: Seconds = setting("for the TLS handshake, in seconds", default=10.0)
    head_timeout_s: Seconds = setting("for the head of a request, from its first byte, in seconds", default=15.0)
    idle_timeout_s: Seconds = setting("how long a kept connection may say nothing, in seconds", default=120.0)
    min_body_bytes_per_s: Rate = setting(
        "how slowly a body may come for longer than stall_timeout_s, in bytes a second", default=240.0
    )
    stall_timeout_s: Seconds = setting("how long a body may stand still in either direction, in seconds", default=120.0)
    drain_idle_s: Seconds = setting("how long an idle connection is kept when the gateway stops", default=2.0)
    drain_timeout_s: Seconds = setting("how long requests under way may take when the gateway stops", default=30.0)


@section
class AdminSection:
    """Health and metrics, for this machine only unless told otherwise."""

    address: str = setting("the address to listen on", default="127.0.0.1")
    port: Port = setting("the port of /healthz, /readyz and /metrics", default=9641)


def _instance_name() -> str:
    return socket.gethostname().split(".")[0] or "gateway"


@section
class GatewayConfig:
    """Everything a gateway instance needs to start alone."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] = setting(
        "the name of this instance, in metrics and at connection points", factory=_instance_name
    )
    workers: Annotated[int, Field(ge=1, le=64)] = setting(
        "worker processes; one for each processor is right", factory=lambda: os.cpu_count() or 1
    )
    state: ConfigPath = setting("the folder where the gateway settings are kept", default="state")
    site_key: ConfigPath = setting("the site's public settings key, pinned; PEM", example="settings.pub")
    service: ServiceSection = setting("Where devices connect.")
    tunnel: TunnelSection = setting("Where connection points dial in.")
    limits: LimitsSection = setting("How much one worker takes on.", factory=LimitsSection)
    entra_keys: EntraKeysSection = setting(
        "How the signing keys of Entra tenants are fetched and kept.", factory=EntraKeysSection
    )
    admin: AdminSection = setting("Health and metrics.", factory=AdminSection)
    log: LogSection = setting("Logs, on standard error.", factory=LogSection)
