"""``connection-point.toml``."""

import re
import socket
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from causeway.configuration import ConfigPath, section, setting
from causeway.observability.config import LogSection
from causeway.transport.proxy import WebProxy

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]

SETTINGS_FILE = "gateway-settings.jws"
HEADING = "The connection point: dials the gateways, and calls the site systems on the premises. It listens to nobody."


def _host_and_port(address: str) -> str:
    if not re.fullmatch(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}", address):
        raise ValueError("expected host:port, such as gateway.example:10124")
    return address


def _http_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.username is not None:
        raise ValueError("expected http://host:port without credentials, which have keys of their own")
    return url


def _https_url(url: str) -> str:
    if urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
        raise ValueError("expected https://host:port")
    return url.rstrip("/")


@section
class SiteSection:
    """Where the gateway settings come from."""

    url: Annotated[str, AfterValidator(_https_url)] = setting(
        "the site's server", example="https://site.corp.example:8444"
    )
    authority: ConfigPath = setting("what the site's server certificate leads to, PEM", example="ca.pem")
    key: ConfigPath = setting("the site's public settings key, pinned; PEM", example="settings.pub")


@section
class IdentitySection:
    """The connection point's own certificate."""

    certificate: ConfigPath = setting(
        "certificate of the site's authority, PEM; for gateways and the site", example="connection-point.pem"
    )
    key: ConfigPath = setting(
        "its private key, PEM, readable by the connection point alone", example="connection-point.key"
    )


@section
class GatewaySection:
    """One gateway instance."""

    address: Annotated[str, AfterValidator(_host_and_port)] = setting(
        "its first tunnel port; the others are learned from it", example="gateway.example:10124"
    )
    name: str = setting("the name in its certificate; where empty, the host of the address", default="")
    authority: ConfigPath | None = setting(
        "what its certificate leads to, PEM; where missing, the system's authorities", default=None, example="ca.pem"
    )


@section
class ProxySection:
    """A web proxy on the way to the gateways (HTTP CONNECT)."""

    url: Annotated[str, AfterValidator(_http_url)] | None = setting(
        "where missing, gateways are dialled directly", default=None, example="http://proxy.corp.example:3128"
    )
    user: str = setting("for Basic authentication; empty for none", default="")
    password_file: ConfigPath | None = setting("a file with the password", default=None, example="proxy-password")

    @property
    def web_proxy(self) -> WebProxy | None:
        """The proxy; None where gateways are dialled directly."""
        return None if self.url is None else WebProxy.at(self.url, self.user, self.password_file)


@section
class SiteSystemsSection:
    """How site systems are called."""

    authority: ConfigPath | None = setting(
        "what their certificates lead to, PEM; where missing, the system's authorities", default=None, example="ca.pem"
    )
    certificate: ConfigPath | None = setting(
        "client certificate shown to them, PEM; where missing, none", default=None, example="connection-point.pem"
    )
    key: ConfigPath | None = setting("its private key, PEM", default=None, example="connection-point.key")
    connect_timeout_s: Seconds = setting("for connection and TLS handshake, in seconds", default=10.0)
    idle_timeout_s: Seconds = setting("how long a kept connection is offered again, in seconds", default=4.0)
    max_connections: Count = setting("connections to one site system at a time", default=4096)


@section
class LimitsSection:
    """How much a connection point takes on."""

    max_streams_per_tunnel: Count = setting("requests under way through one tunnel", default=10_000)
    drain_timeout_s: Seconds = setting("how long requests under way may take when it stops", default=30.0)
    max_retry_s: Seconds = setting("the longest pause between two attempts to reach a gateway", default=10.0)


@section
class AdminSection:
    """Health and metrics, for this machine only unless told otherwise."""

    address: str = setting("the address to listen on", default="127.0.0.1")
    port: Port = setting("the port of /healthz, /readyz and /metrics", default=9642)


def _own_name() -> str:
    return socket.gethostname().split(".")[0] or "connection-point"


@section
class ConnectionPointConfig:
    """Everything a connection point needs."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] = setting(
        "the name of this connection point, in metrics and at gateways", factory=_own_name
    )
    state: ConfigPath = setting("the folder where the gateway settings are kept", default="state")
    site: SiteSection = setting("Where the gateway settings come from.")
    identity: IdentitySection = setting("The connection point's own certificate.")
    gateway: Annotated[tuple[GatewaySection, ...], Field(min_length=1)] = setting(
        "One table for each gateway instance."
    )
    proxy: ProxySection = setting("A web proxy on the way to the gateways.", factory=ProxySection)
    site_systems: SiteSystemsSection = setting("How site systems are called.", factory=SiteSystemsSection)
    limits: LimitsSection = setting("How much it takes on.", factory=LimitsSection)
    admin: AdminSection = setting("Health and metrics.", factory=AdminSection)
    log: LogSection = setting("Logs, on standard error.", factory=LogSection)
