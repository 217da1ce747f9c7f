"""``CCM_STS``: a device proves that it holds the key that it registered, and is given tokens.

The form of the question, and why it cannot be asked twice: ``causeway.messaging.tokens``.
"""

import hashlib
from datetime import datetime, timedelta

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from causeway.identity import Kind
from causeway.messaging.errors import SignatureError
from causeway.messaging.identifiers import format_timestamp
from causeway.messaging.text import decode_document
from causeway.messaging.tokens import TokenRequest, TokenResponse, parse_token_request
from causeway.site.context import Site
from causeway.site.database import token_proofs
from causeway.site.database.devices import KnownDevice
from causeway.site.errors import EntraTokenRefused, ProofExpired, ProofWrong
from causeway.site.management_point.device import known_device, require_approved, signing_key
from causeway.site.peer import Client
from causeway.site.token_service.admission import Presented, require_own
from causeway.site.token_service.issue import Holder, device_token, lifetime_of

_LEDGER_MARGIN = timedelta(minutes=1)

_log = structlog.get_logger(__name__)


def answer(site: Site, client: Client, body: bytes, presented: Presented | None) -> str:
    """The tokens that a device asks for, as the answer's body.

    Args:
        site: the site.
        client: who asks.
        body: the request.
        presented: the token that came with it, which has to be the device's own where it names a device.

    Raises:
        MessagingError: it cannot be read.
        ProofWrong, ProofExpired, ProofReplayed: the device has not proved its key, or not now.
        DeviceUnknown, DevicePending, DeviceBlocked, CertificateBlocked: it gets none.
        IdentityMismatch: it came with another device's token.
        EntraTokenRefused: it came by Entra ID, and its tenant is not onboarded any more.
    """
    now = site.now()
    request = parse_token_request(decode_document(body))
    known = known_device(site, request.client_id)
    _verify(site, request, known, now)
    site.credentials.note(known.device, client, presented, now=now)
    require_own(presented, known.device.smsid)
    _require_tenant(site, presented)
    require_approved(site, known)
    tokens = _issue(site, request, _holder(known, presented), now)
    for token in tokens.tokens:
        site.metrics.tokens_issued.labels(kind=token.kind).inc()
    _log.info("tokens issued", device=known.device.smsid, kinds=[str(kind) for kind in request.kinds])
    return tokens.to_xml()


def _require_tenant(site: Site, presented: Presented | None) -> None:
    """A device that came by Entra ID gets new tokens for as long as its tenant is onboarded."""
    tenant_id = presented.identity.tenant if presented is not None else ""
    if tenant_id and not any(one.enabled and one.tenant_id == tenant_id for one in site.config.entra_tenant):
        raise EntraTokenRefused(f"the tenant {tenant_id} is not onboarded any more")


def _verify(site: Site, request: TokenRequest, known: KnownDevice, now: datetime) -> None:
    try:
        request.verify(signing_key(known))
    except SignatureError as error:
        raise ProofWrong(str(error)) from error
    config = site.config
    if request.site_code.upper() != config.site.code:
        raise ProofWrong(f"the proof is for the site {request.site_code[:16]!r}")
    if abs(now - request.timestamp) > timedelta(seconds=config.management_point.clock_skew_s):
        raise ProofExpired(f"the proof is of {format_timestamp(request.timestamp)}, and it is {format_timestamp(now)}")


def _issue(site: Site, request: TokenRequest, holder: Holder, now: datetime) -> TokenResponse:
    config, state = site.config.tokens, site.token_state
    signer = state.keys.signer(now)
    skew = timedelta(seconds=site.config.management_point.clock_skew_s)
    # The proof is used up, and the key bound to stay published, before a token leaves.
    token_proofs.use(
        site.database,
        hashlib.sha256(request.data_xml.encode()).hexdigest(),
        now=now,
        forget_at=request.timestamp + skew + _LEDGER_MARGIN,
        key_id=signer.key_id,
        ends_at=now + max(lifetime_of(kind, config) for kind in request.kinds),
    )
    tokens = tuple(device_token(kind, holder, signer, state.issuer, config, now=now) for kind in request.kinds)
    return TokenResponse(holder.smsid, now, tokens)


def _holder(known: KnownDevice, presented: Presented | None) -> Holder:
    """The device; one that came by Entra ID stays one of its tenant, so that its tokens end with that."""
    certificate = x509.load_der_x509_certificate(known.signing_certificate)
    device = known.device
    came_by_entra = presented is not None and presented.identity.kind is not Kind.BULK_TOKEN
    return Holder(
        device.smsid,
        certificate.fingerprint(SHA256()).hex(),
        (device.fq_name or device.netbios_name)[:200],
        tenant_id=presented.identity.tenant if presented is not None and came_by_entra else "",
        user_id=presented.identity.user if presented is not None and came_by_entra else "",
    )
