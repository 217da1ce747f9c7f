"""Identities by client certificate. OpenSSL has verified the chain in the handshake; here it becomes a name."""

import datetime as dt
import hashlib
from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from causeway.identity.identity import Identity, Kind
from causeway.pki.unreadable import UNREADABLE

# As OpenSSL sees it: an enterprise's device certificates need not look like the web's, but who issues must be an
# authority, and what is for something else is not for clients.
_AUTHORITIES = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
_DEVICES = ExtensionPolicy.permit_all().may_be_present(
    x509.ExtendedKeyUsage, Criticality.AGNOSTIC, lambda _policy, _certificate, usage: _for_clients(usage)
)


def _for_clients(usage: x509.ExtendedKeyUsage | None) -> None:
    if usage is not None and not {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & {
        *usage
    }:
        raise ValueError("the certificate is not for client authentication")


@lru_cache(maxsize=8192)
def identity_of(certificate: bytes) -> Identity:
    """The identity of a verified certificate (DER). Devices come back with every message, so it is remembered."""
    try:
        subject = x509.load_der_x509_certificate(certificate).subject.rfc4514_string()
    except UNREADABLE:
        subject = ""  # OpenSSL took it, so the chain holds; only the name cannot be shown
    return Identity(Kind.CERTIFICATE, hashlib.sha256(certificate).hexdigest(), subject)


@lru_cache(maxsize=8192)
def names_of(certificate: bytes) -> frozenset[str]:
    """The names in a certificate (DER) by which its device may be blocked: common names and DNS names, lower case."""
    try:
        loaded = x509.load_der_x509_certificate(certificate)
        names = [str(attribute.value) for attribute in loaded.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        alternative = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names += alternative.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        pass
    except UNREADABLE:
        return frozenset()
    return frozenset(name.lower() for name in names)


def still_trusted(certificate: bytes, roots: tuple[str, ...]) -> bool:
    """Whether ``certificate`` (DER) leads to one of ``roots`` (PEM), which may be roots or intermediates.

    For connections that were made before a root was taken away. An intermediate that only the client has is not known
    here; whoever depends on one has to shake hands again.
    """
    leaf = x509.load_der_x509_certificate(certificate)
    anchors = [anchor for pem in roots for anchor in x509.load_pem_x509_certificates(pem.encode())]
    if not anchors:
        return False
    policy = PolicyBuilder().store(Store(anchors)).time(dt.datetime.now(dt.UTC))
    verifier = policy.extension_policies(ca_policy=_AUTHORITIES, ee_policy=_DEVICES).build_client_verifier()
    try:
        verifier.verify(leaf, anchors)
    except VerificationError:
        return False
    return True
