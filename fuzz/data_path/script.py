"""A small language for what happens on a data path: each step is a byte, some with bytes to send behind it.

::

    step (1 byte, bit 7: go on at once instead of letting everything happen first) [length (2 bytes) payload]
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple


class Step(IntEnum):
    """What can happen."""

    CONNECT = 0
    SEND = 1
    SEND_END = 2
    LEAVE = 3
    DEVICE_STALLS = 4
    DEVICE_READS = 5
    ANSWER = 6
    ANSWER_END = 7
    SITE_SYSTEM_LEAVES = 8
    SITE_SYSTEM_STALLS = 9
    SITE_SYSTEM_READS = 10
    TUNNEL_STALLS = 11
    TUNNEL_FLOWS = 12
    TUNNEL_LOST = 13
    UNREACHABLE = 14
    REACHABLE = 15


_AT_ONCE = 0x80
_WITH_PAYLOAD = frozenset((Step.SEND, Step.ANSWER))


class Happening(NamedTuple):
    """One step."""

    step: Step
    at_once: bool
    payload: bytes


def read(script: bytes) -> Iterator[Happening]:
    """The steps of any bytes: every script means something."""
    position = 0
    while position < len(script):
        byte = script[position]
        position += 1
        step, payload = Step(byte & 0x0F), b""
        if step in _WITH_PAYLOAD:
            length = int.from_bytes(script[position : position + 2], "big")
            payload = script[position + 2 : position + 2 + length]
            position += 2 + length
        yield Happening(step, byte >= _AT_ONCE, payload)


def write(*steps: Step | tuple[Step, bytes], at_once: bool = False) -> bytes:
    """A script of these steps."""
    script = b""
    for one in steps:
        step, payload = one if isinstance(one, tuple) else (one, None)
        script += bytes((step | _AT_ONCE if at_once else step,))
        if payload is not None:
            script += len(payload).to_bytes(2, "big") + payload
    return script
