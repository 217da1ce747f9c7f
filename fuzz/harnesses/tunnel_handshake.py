"""HELLO and STATUS: what each side says of itself."""

from causeway.tunnel.errors import TunnelError
from causeway.tunnel.handshake import (
    ConnectionPointHello,
    GatewayHello,
    GatewayStatus,
    T,
    decode_message,
    encode_message,
)


def check(data: bytes) -> bool:
    """The first byte says whose message the rest is."""
    kind, payload = data[0] % 3 if data else 0, data[1:]
    if kind == 0:
        return _is_read(payload, ConnectionPointHello)
    if kind == 1:
        return _is_read(payload, GatewayHello)
    return _is_read(payload, GatewayStatus)


def _is_read(payload: bytes, cls: type[T]) -> bool:
    try:
        message = decode_message(payload, cls)
    except TunnelError:
        return False
    assert decode_message(encode_message(message), cls) == message
    return True
