"""Who sent a message: the device that signed it."""

from causeway.messaging.client_auth import verify_message
from causeway.messaging.identifiers import normalise_smsid
from causeway.site.database.devices import DeviceRow, KnownDevice
from causeway.site.errors import IdentityMismatch
from causeway.site.management_point.client_token import token_holder
from causeway.site.management_point.device import known_device, require_approved, signing_key
from causeway.site.management_point.exchange import Exchange
from causeway.site.token_service.admission import require_own


def approved_sender(exchange: Exchange) -> DeviceRow:
    """The approved device that signed the message: its identity and its payload.

    Raises:
        MessagingError: no signature, or a wrong one.
        DeviceUnknown, DevicePending, DeviceBlocked, CertificateBlocked: see ``require_approved``.
    """
    known = known_device(exchange.site, exchange.message.header.source_id)
    verify_message(exchange.message, signing_key(known))
    exchange.note_credentials(known.device)
    require_own(exchange.presented, known.device.smsid)
    require_approved(exchange.site, known)
    return known.device


def approved_asker(exchange: Exchange) -> DeviceRow:
    """The approved device that sent the message, where a signed token will do in place of a signed payload.

    Media and task sequences send such a token in the ``clientauth`` hook. It proves who asks but not what, so it is
    enough for a question and not for a report.

    Raises:
        MessagingError, Refused: as for ``approved_sender`` and for ``token_holder``.
    """
    auth = exchange.message.header.hooks.client_auth
    if auth is None or auth.token is None or auth.payload_signature:
        return approved_sender(exchange)
    known: KnownDevice = token_holder(exchange.site, auth.token.token, auth.token.signature)
    if known.device.smsid != normalise_smsid(exchange.message.header.source_id):
        raise IdentityMismatch(f"{exchange.message.header.source_id[:60]!r} sent the token of {known.device.smsid}")
    exchange.note_credentials(known.device)
    require_own(exchange.presented, known.device.smsid)
    require_approved(exchange.site, known)
    return known.device
