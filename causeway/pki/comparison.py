"""A renewed certificate against the one before: what changes, and whether clients will notice."""

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from causeway.pki.chain import Chain
from causeway.pki.requests import key_kind, names_in


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        what: such as ``key`` or ``common name``.
        before: as it was; empty for something new.
        after: as it is; empty for something gone.
        noticed: what clients or the gateway's administrators will notice; empty where nobody will.
    """

    what: str
    before: str
    after: str
    noticed: str = ""


def compare(old: Chain, new: Chain) -> list[Change]:
    """Everything that differs and matters. Dates always do.

    Raises:
        ValueError: an extension of one of them does not decode.
    """
    return [*_subject(old.leaf, new.leaf), *_names(old.leaf, new.leaf), *_key(old.leaf, new.leaf), *_issuer(old, new)]


def _subject(old: x509.Certificate, new: x509.Certificate) -> Iterator[Change]:
    for what, kind in (("common name", NameOID.COMMON_NAME), ("organisation", NameOID.ORGANIZATION_NAME)):
        before, after = (
            ", ".join(str(one.value) for one in certificate.subject.get_attributes_for_oid(kind))
            for certificate in (old, new)
        )
        if before == after:
            continue
        noticed = ""
        if what == "common name" and before.lower() == after.lower():
            noticed = "only the case differs, but Configuration Manager compares it: its gateway refuses the renewal"
        elif what == "common name":
            noticed = "Configuration Manager takes the service name from it: its gateway must be deployed again"
        else:
            noticed = "Microsoft's gateway must be deployed again for a change of organisation; clients do not notice"
        yield Change(what, before, after, noticed)


def _names(old: x509.Certificate, new: x509.Certificate) -> Iterator[Change]:
    before, after = _alternative(old), _alternative(new)
    for name in before:
        if name not in after:
            yield Change("name", name, "", "clients that connect to that name refuse the certificate")
    for name in after:
        if name not in before:
            yield Change("name", "", name)


def _key(old: x509.Certificate, new: x509.Certificate) -> Iterator[Change]:
    before, after = key_kind(old.public_key()), key_kind(new.public_key())
    if _public(old) == _public(new):
        yield Change("key", before, f"{after}, the same key")
    else:
        yield Change("key", before, f"{after}, a new key", "" if before == after else "only by clients that pin it")


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _issuer(old: Chain, new: Chain) -> Iterator[Change]:
    before, after = old.leaf.issuer.rfc4514_string(), new.leaf.issuer.rfc4514_string()
    if before != after:
        yield Change("issuer", before, after)
    first, second = old.root, new.root
    if second is not None and first != second:
        noticed = "" if new.publicly_trusted else "devices must have the new root before the certificate is used"
        yield Change("root", first.subject.rfc4514_string() if first else "", second.subject.rfc4514_string(), noticed)


def _alternative(certificate: x509.Certificate) -> list[str]:
    try:
        return list(names_in(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value))
    except x509.ExtensionNotFound:
        return []
