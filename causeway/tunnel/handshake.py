"""The first frame of each side: who it is and what it can do."""

from typing import Annotated, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from causeway.configuration import section, setting
from causeway.tunnel.errors import TunnelError

ALPN = "causeway-tunnel/1"
"""The protocol's name and version, agreed on in the TLS handshake (RFC 7301)."""

HELLO_TIMEOUT_S = 10.0
PING_INTERVAL_S = 10.0
PING_TIMEOUT_S = 10.0
"""After the sum of both a silent peer is given up. Silence is looked at every 5 seconds, so within 25."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


@section
class ConnectionPointHello:
    """What a connection point says first."""

    connection_point: Name = setting("its name")
    software: Annotated[str, Field(max_length=64)] = setting("name and version of the program")
    max_streams: Annotated[int, Field(gt=0, le=1_000_000)] = setting("streams that it serves at a time")


@section
class GatewayHello:
    """What a gateway's worker answers."""

    instance: Name = setting("the gateway instance")
    worker: Annotated[int, Field(ge=0, le=1023)] = setting("which of the instance's workers this is")
    workers: Annotated[int, Field(gt=0, le=1024)] = setting("how many there are; each listens on its own port")
    software: Annotated[str, Field(max_length=64)] = setting("name and version of the program")
    settings_version: Annotated[int, Field(ge=0)] = setting("the gateway settings in force; 0 for none")


@section
class GatewayStatus:
    """What a gateway's worker says whenever it changes."""

    settings_version: Annotated[int, Field(ge=0)] = setting("the gateway settings in force; 0 for none")
    refused: str = setting("the word for the document that was refused last, or empty", default="")


T = TypeVar("T", ConnectionPointHello, GatewayHello, GatewayStatus)


def encode_message(message: ConnectionPointHello | GatewayHello | GatewayStatus) -> bytes:
    """The payload of a HELLO or STATUS frame: JSON."""
    return TypeAdapter(type(message)).dump_json(message)


def decode_message(payload: bytes, cls: type[T]) -> T:
    """Read the payload of a HELLO or STATUS frame.

    Raises:
        TunnelError: it is not what the version agreed on says.
    """
    try:
        return TypeAdapter(cls).validate_json(payload)
    except ValidationError as error:
        raise TunnelError(f"a malformed {cls.__name__}: {error.errors(include_url=False)[0]['msg']}") from error
