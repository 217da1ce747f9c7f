"""What devices report: heartbeats, inventory, state and status. Answered with nothing, once it is on the disk."""

from causeway.messaging import safe_xml
from causeway.messaging.reports import report_of
from causeway.site.database import reports
from causeway.site.database.devices import DeviceRow
from causeway.site.database.reports import Kind, NewReport
from causeway.site.errors import IdentityMismatch
from causeway.site.management_point.device import known_device, require_approved
from causeway.site.management_point.exchange import Exchange
from causeway.site.management_point.sender import approved_sender
from causeway.site.token_service.admission import require_own

HEARTBEAT_ENDPOINT = "MP_DdrEndpoint"
HARDWARE_ENDPOINT = "MP_HinvEndpoint"
SOFTWARE_ENDPOINT = "MP_SinvEndpoint"
RELAY_ENDPOINT = "MP_RelayEndpoint"
STATUS_ENDPOINT = "StatusReceiver"

_FILE_TYPE = "FileType"
_RELAYED = {"SMX": Kind.STATE, "SWM": Kind.METERING}


def heartbeat(exchange: Exchange) -> None:
    """Keep a heartbeat."""
    _keep_report(exchange, approved_sender(exchange), Kind.HEARTBEAT, verified=True)


def hardware_inventory(exchange: Exchange) -> None:
    """Keep a hardware inventory."""
    _keep_report(exchange, approved_sender(exchange), Kind.HARDWARE_INVENTORY, verified=True)


def software_inventory(exchange: Exchange) -> None:
    """Keep a software inventory."""
    _keep_report(exchange, approved_sender(exchange), Kind.SOFTWARE_INVENTORY, verified=True)


def relay(exchange: Exchange) -> None:
    """Keep state messages, software metering, and whatever else is relayed.

    The SDK's clients do not sign these. An unsigned one is kept for the approved device that it names, marked as such,
    and proves no contact with it.
    """
    kind = _RELAYED.get((exchange.message.header.property(_FILE_TYPE) or "").upper(), Kind.OTHER)
    verified = exchange.message.header.hooks.client_auth is not None
    if verified:
        device = approved_sender(exchange)
    else:
        known = known_device(exchange.site, exchange.message.header.source_id)
        require_own(exchange.presented, known.device.smsid)
        require_approved(exchange.site, known)
        device = known.device
    _keep_report(exchange, device, kind, verified=verified)


def status(exchange: Exchange) -> None:
    """Keep a status message, which has a form of its own."""
    device = approved_sender(exchange)
    safe_xml.parse(exchange.body(), root="Status")
    _keep(exchange, device, Kind.STATUS, verified=True)


def _keep_report(exchange: Exchange, device: DeviceRow, kind: Kind, *, verified: bool) -> None:
    report = report_of(exchange.message, max_bytes=exchange.config.max_inflated_bytes)
    if report.client_id != device.smsid:
        raise IdentityMismatch(f"{device.smsid} reports for {report.client_id}")
    _keep(exchange, device, kind, verified=verified)


def _keep(exchange: Exchange, device: DeviceRow, kind: Kind, *, verified: bool) -> None:
    message, limit = exchange.message, exchange.config.max_inflated_bytes
    reports.keep(
        exchange.site.database,
        device.number,
        NewReport(
            kind=kind,
            message_id=message.header.id,
            verified=verified,
            body=message.body_text(max_bytes=limit),
            attachments=message.attachments(max_bytes=limit),
            payload=message.payload,
        ),
        now=exchange.now,
        kept=exchange.config.reports_kept,
    )
