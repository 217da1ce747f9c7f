"""``MP_ClientRegistration``: a device introduces its keys and gets, or gets again, its identity.

Status and approval numbers: ``causeway.messaging.registration``.
"""

import hashlib

from cryptography.hazmat.primitives.serialization import Encoding

from causeway.identity import Kind
from causeway.identity.certificate import names_of
from causeway.messaging.identifiers import new_smsid
from causeway.messaging.registration import (
    ApprovalStatus,
    RegistrationRequest,
    RegistrationResponse,
    RegistrationStatus,
    RequestType,
    parse_registration_request,
)
from causeway.messaging.signatures import rsa_key_of
from causeway.site import refusals
from causeway.site.database import devices
from causeway.site.database.devices import DeviceRow, NewRegistration, UsedBulkToken
from causeway.site.database.models import ApprovalState
from causeway.site.errors import (
    CertificateBlocked,
    CertificateUnusable,
    DatabaseUnavailable,
    DeviceBlocked,
    IdentityMismatch,
    Refused,
    SiteTokenRefused,
    TooManyPending,
)
from causeway.site.management_point.approval import BY_ENTRA, reason_to_approve
from causeway.site.management_point.exchange import Exchange
from causeway.site.token_service.admission import require_own
from causeway.site.trust import is_valid_at

ENDPOINT = "MP_ClientRegistration"

_STATUS = {
    ApprovalState.APPROVED: (RegistrationStatus.REGISTERED, ApprovalStatus.APPROVED),
    ApprovalState.PENDING: (RegistrationStatus.PENDING, ApprovalStatus.PENDING),
}


def answer(exchange: Exchange) -> str:
    """Record the registration, on the disk, and return the answer's body.

    A device is known by its signing key: with a renewed certificate for the same key, or the same message twice, it is
    the same device with the same identity.

    Raises:
        MessagingError: it cannot be read, or its signature does not match.
        SiteTokenRefused: its bulk registration token does not count (any more).
    """
    request = parse_registration_request(exchange.body())
    request.verify()
    try:
        return _answer(exchange, request)
    except (SiteTokenRefused, DatabaseUnavailable):
        # Not about the device: it may come again, with another token or later.
        raise
    except Refused as refusal:
        # Who asks has proved to hold the key, so it is told, which a message with a wrong signature is not.
        refusals.note(exchange.site.metrics, exchange.client, refusal, endpoint=ENDPOINT)
        return _response(exchange, request, request.smsid, RegistrationStatus.REJECTED, ApprovalStatus.UNKNOWN)


def _answer(exchange: Exchange, request: RegistrationRequest) -> str:
    known = devices.find_by_identity(exchange.site.database, devices.identity_of(request.signing_certificate))
    if known is not None:
        # Of a device that is blocked, too: what it shows is refused with it.
        exchange.note_credentials(known)
    _check_certificates(exchange, request)
    _check_names(exchange, request, known)
    _check_token(exchange, known)
    if known is None and request.request_type is RequestType.CONFIRMATION:
        # Removed by an operator, or of another site's database: it is to start over.
        return _response(exchange, request, "", RegistrationStatus.RESET, ApprovalStatus.UNKNOWN)
    device = _register(exchange, request)
    exchange.note_credentials(device)
    status, approval = _STATUS[device.approval]
    if approval is ApprovalStatus.APPROVED and device.approval_reason.startswith(BY_ENTRA):
        approval = ApprovalStatus.ENTRA
    return _response(exchange, request, device.smsid, status, approval)


def _register(exchange: Exchange, request: RegistrationRequest) -> DeviceRow:
    device = devices.register(
        exchange.site.database,
        NewRegistration(
            smsid=new_smsid(),
            signing_certificate=request.signing_certificate,
            encryption_certificate=request.encryption_certificate,
            netbios_name=_shown(request.properties.get("Netbios Name", "")),
            fq_name=_shown(request.properties.get("FQ Name", "")),
            agent_version=_shown(request.agent.version),
            approval_reason=reason_to_approve(exchange, request.signing_certificate),
            digest=hashlib.sha256(request.data_xml.encode()).hexdigest(),
            # A device whose clock was ahead must be able to register again once it is right.
            message_time=min(request.timestamp, exchange.now),
            address=exchange.client.address,
            bulk_token=_bulk_token(exchange),
        ),
        now=exchange.now,
        max_pending=exchange.config.max_pending_devices,
    )
    if device is None:
        raise TooManyPending(f"{exchange.config.max_pending_devices} devices wait for approval already")
    if device.approval is ApprovalState.BLOCKED:
        raise DeviceBlocked(f"{device.smsid} is blocked: {device.approval_reason}")
    return device


def _check_names(exchange: Exchange, request: RegistrationRequest, known: DeviceRow | None) -> None:
    """A blocked name is refused to newcomers, and a device does not leave it by calling itself otherwise."""
    names = [request.properties.get("Netbios Name", ""), request.properties.get("FQ Name", "")]
    names += sorted(names_of(request.signing_certificate.public_bytes(Encoding.DER)))
    names += [] if known is None else [known.netbios_name, known.fq_name]
    if name := exchange.site.blocked_name(names):
        raise DeviceBlocked(f"the name {_shown(name)} is blocked")


def _check_token(exchange: Exchange, known: DeviceRow | None) -> None:
    """A device's token is no right to register: it is for the device that it names to register again."""
    presented = exchange.presented
    if presented is None or presented.identity.kind is not Kind.SITE_TOKEN:
        return
    if known is None:
        raise IdentityMismatch(f"a new device came with the token of {presented.identity.device}")
    require_own(presented, known.smsid)


def _bulk_token(exchange: Exchange) -> UsedBulkToken | None:
    presented = exchange.presented
    if presented is None or presented.identity.kind is not Kind.BULK_TOKEN:
        return None
    return UsedBulkToken(presented.identity.token, presented.digest)


def _shown(text: str) -> str:
    """``text`` without what could move a terminal's cursor: a device names itself, and operators look at the names."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _check_certificates(exchange: Exchange, request: RegistrationRequest) -> None:
    rsa_key_of(request.encryption_certificate)
    for certificate in (request.signing_certificate, request.encryption_certificate):
        if not is_valid_at(certificate, exchange.now):
            raise CertificateUnusable(
                f"the certificate {certificate.subject.rfc4514_string()} is valid from "
                f"{certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}"
            )
        if exchange.site.is_certificate_blocked(certificate):
            raise CertificateBlocked(f"the certificate {certificate.subject.rfc4514_string()} is blocked")


def _response(
    exchange: Exchange,
    request: RegistrationRequest,
    smsid: str,
    status: RegistrationStatus,
    approval: ApprovalStatus,
) -> str:
    return RegistrationResponse(request.request_type, status, smsid, approval, exchange.now).to_xml()
