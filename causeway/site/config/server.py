"""``[server]``, ``[admin]`` and ``[log]``: what the process listens on and writes."""

from typing import Annotated

from pydantic import Field

from causeway.configuration import ConfigPath, section, setting

Port = Annotated[int, Field(ge=0, le=65535)]


@section
class ServerConfig:
    """The server of the management point and of the gateway settings."""

    address: str = setting("IP address to listen on.", default="0.0.0.0")  # noqa: S104  # a server's usual default
    port: Port = setting("Port for HTTPS.", default=443)
    http_port: Port | None = setting(
        "Port for plain HTTP, where devices on the premises have no certificate; secret policies then travel "
        "encrypted to the device. Off unless set.",
        default=None,
        example=80,
    )
    public_name: str = setting("DNS name that devices on the premises use.", example="mp1.corp.example")
    certificate: ConfigPath = setting("Server certificate (PEM), followed by its chain.", example="site.pem")
    key: ConfigPath = setting("Its key (PEM).", example="site.key")
    client_authority: ConfigPath = setting(
        "Authorities (PEM) whose client certificates are accepted, of devices and connection points. A certificate is "
        "asked for, never demanded.",
        example="authority.pem",
    )
    connection_point_authority: ConfigPath | None = setting(
        "Authorities (PEM) whose certificates may say that they are a connection point's. Unless set, those of "
        "client_authority: set it where that has authorities of others, who could issue such a certificate.",
        default=None,
        example="authority.pem",
    )
    max_connections: Annotated[int, Field(ge=10)] = setting(
        "Connections served at once; more are answered 503.", default=4000
    )
    max_buffered_bytes: Annotated[int, Field(ge=1024 * 1024)] = setting(
        "Messages held in memory at once, all clients together, in bytes; more are answered 503 and come again.",
        default=64 * 1024 * 1024,
    )
    request_timeout_s: Annotated[float, Field(gt=0)] = setting(
        "How long a client may take to send one request, in seconds.", default=60.0
    )
    drain_s: Annotated[int, Field(ge=0)] = setting(
        "How long requests in flight may take to finish when the site stops, in seconds.", default=20
    )


@section
class AdminConfig:
    """Where /healthz, /readyz and /metrics are served, without TLS and without a password."""

    address: str = setting("IP address to listen on.", default="127.0.0.1")
    port: Port = setting("Port for HTTP.", default=9643)
