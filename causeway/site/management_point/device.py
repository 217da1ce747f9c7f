"""A device that a message or a token claims to be from, and whether it may be served."""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from causeway.messaging.errors import MessagingError
from causeway.messaging.identifiers import normalise_smsid
from causeway.messaging.signatures import rsa_key_of
from causeway.site.context import Site
from causeway.site.database import devices
from causeway.site.database.devices import KnownDevice
from causeway.site.database.models import ApprovalState
from causeway.site.errors import CertificateBlocked, DeviceBlocked, DevicePending, DeviceUnknown


def known_device(site: Site, claimed_id: str) -> KnownDevice:
    """The device that a message claims to be from.

    Raises:
        DeviceUnknown: there is none of that id.
    """
    try:
        smsid = normalise_smsid(claimed_id)
    except MessagingError as error:
        raise DeviceUnknown(str(error)) from error
    known = devices.find(site.database, smsid)
    if known is None:
        raise DeviceUnknown(f"{smsid} is not registered")
    return known


def signing_key(known: KnownDevice) -> rsa.RSAPublicKey:
    """The key that the device signs with."""
    return rsa_key_of(x509.load_der_x509_certificate(known.signing_certificate))


def require_approved(site: Site, known: KnownDevice) -> None:
    """Let only approved devices pass whose certificate is not blocked.

    Raises:
        DevicePending: it waits for approval.
        DeviceBlocked: it is blocked, or its name is.
        CertificateBlocked: its signing certificate is.
    """
    device = known.device
    if device.approval is ApprovalState.PENDING:
        raise DevicePending(f"{device.smsid} waits for approval")
    if device.approval is ApprovalState.BLOCKED:
        raise DeviceBlocked(f"{device.smsid} is blocked: {device.approval_reason}")
    if name := site.blocked_name((device.netbios_name, device.fq_name)):
        raise DeviceBlocked(f"the name {name} of {device.smsid} is blocked")
    if site.is_certificate_blocked(x509.load_der_x509_certificate(known.signing_certificate)):
        raise CertificateBlocked(f"the signing certificate of {device.smsid} is blocked")
