"""Whether a device that registers is approved at once, and why."""

from cryptography import x509

from causeway.identity import Kind
from causeway.site.config import Approval
from causeway.site.management_point.exchange import Exchange
from causeway.site.token_service import Presented

ENTRA_KINDS = frozenset((Kind.ENTRA_DEVICE, Kind.ENTRA_USER))
BY_ENTRA = "a token of the Entra tenant "
"""How the reason of an approval by Entra identity begins."""


def reason_to_approve(exchange: Exchange, signing_certificate: x509.Certificate) -> str:
    """Why the device is approved, in a few words; empty where it is to wait for an operator.

    The registration's signature has proved that the device holds the key of ``signing_certificate``.
    """
    presented = exchange.presented
    if (
        presented is not None
        and presented.identity.kind is Kind.BULK_TOKEN
        and exchange.in_force.config.tokens.bulk_registration_approves
    ):
        return f"the bulk registration token {presented.identity.token}"
    if presented is not None and presented.identity.kind in ENTRA_KINDS and _tenant_approves(exchange, presented):
        return f"{BY_ENTRA}{presented.identity.tenant}"
    match exchange.config.approval:
        case Approval.ALL:
            return "every device is approved"
        case Approval.MANUAL:
            return ""
        case Approval.TRUSTED_ROOT:
            return _by_trusted_root(exchange, signing_certificate)


def _tenant_approves(exchange: Exchange, presented: Presented) -> bool:
    tenants = exchange.in_force.config.entra_tenant
    return any(one.tenant_id == presented.identity.tenant and one.registration_approves for one in tenants)


def _by_trusted_root(exchange: Exchange, signing_certificate: x509.Certificate) -> str:
    roots, client = exchange.in_force.roots, exchange.client
    if roots.vouch_for(signing_certificate, now=exchange.now):
        return "its certificate chains to a trusted root"
    if client.vouched is not None:
        return f"a gateway verified its certificate {client.vouched.subject}"
    tls = client.tls
    if tls is not None and not tls.is_connection_point and roots.vouch_for(tls.certificate, now=exchange.now):
        return f"its TLS certificate {tls.subject} chains to a trusted root"
    return ""
