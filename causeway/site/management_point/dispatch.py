"""Messages go by their target endpoint."""

from collections.abc import Callable

from causeway.messaging.message import decode, encode_reply
from causeway.site.context import Site
from causeway.site.errors import EndpointUnknown, SiteTokenNotForThis
from causeway.site.management_point import location_manager, policy_manager, registration, reports
from causeway.site.management_point.exchange import Exchange
from causeway.site.peer import Client
from causeway.site.token_service import Presented

Handler = Callable[[Exchange], str | None]
"""Answers an exchange with the reply's body, or with nothing."""

_HANDLERS: dict[str, Handler] = {
    registration.ENDPOINT: registration.answer,
    policy_manager.ENDPOINT: policy_manager.answer,
    location_manager.ENDPOINT: location_manager.answer,
    reports.HEARTBEAT_ENDPOINT: reports.heartbeat,
    reports.HARDWARE_ENDPOINT: reports.hardware_inventory,
    reports.SOFTWARE_ENDPOINT: reports.software_inventory,
    reports.RELAY_ENDPOINT: reports.relay,
    reports.STATUS_ENDPOINT: reports.status,
}
_FOR_NEWCOMERS = frozenset((registration.ENDPOINT, location_manager.ENDPOINT))
_BY_NAME = {name.lower(): (name, handler) for name, handler in _HANDLERS.items()}


def answer(
    site: Site, client: Client, content_type: str, body: bytes, presented: Presented | None = None
) -> tuple[str, bytes] | None:
    """Answer a message: the Content-Type and the body of the reply, or None for an empty one.

    Whatever the message changes is on the disk when this returns.

    Raises:
        MessagingError: it cannot be read, or a signature does not match.
        Refused: it is not served.
    """
    in_force = site.in_force
    config = in_force.config
    message = decode(content_type, body, max_bytes=config.management_point.max_message_bytes)
    wanted = message.header.target_endpoint
    if wanted.lower() not in _BY_NAME:
        raise EndpointUnknown(f"this management point has no endpoint {wanted[:80]!r}")
    name, handler = _BY_NAME[wanted.lower()]
    if presented is not None and not presented.opens_messages and name not in _FOR_NEWCOMERS:
        raise SiteTokenNotForThis(f"the token of {presented.identity.name} does not open {name}")
    reply = handler(Exchange(site, in_force, client, message, site.now(), presented))
    site.metrics.messages.labels(endpoint=name).inc()
    if reply is None:
        return None
    return encode_reply(message, reply, source_host=config.server.public_name)
