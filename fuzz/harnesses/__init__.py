"""One file a reader. Each has ``check(data)``: True where the input was accepted, False where it was refused.

Whatever else comes out of a reader than what its documentation allows, and every broken promise, is an exception that
escapes from ``check``.
"""

import importlib
from collections.abc import Callable

Check = Callable[[bytes], bool]

NAMES = (
    "request_head",
    "response_head",
    "chunked_body",
    "tunnel_frames",
    "tunnel_request",
    "tunnel_handshake",
    "gateway_settings",
    "publishing",
    "data_path",
    "tunnel_peer",
    "message",
    "message_documents",
    "sealed_policy",
)


def load(name: str) -> Check:
    """The ``check`` of a harness; imported when it is wanted, so that an engine can instrument what it imports."""
    check: Check = importlib.import_module(f"fuzz.harnesses.{name}").check
    return check
