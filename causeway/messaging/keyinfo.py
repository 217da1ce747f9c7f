"""The answers of ``GET /SMS_MP/.sms_aut?…``: management points, their certificates, the site's keys.

Certificates and keys are hex text as in the documents; :mod:`causeway.messaging.signatures` decodes them. The
``Signature`` attributes are carried and not checked: what they cover is not published.

Source: the element names that the 2007 SDK's types serialise to, and what public clients read.
"""

from dataclasses import dataclass
from enum import StrEnum
from xml.etree.ElementTree import Element

from causeway.messaging import safe_xml
from causeway.messaging.errors import FieldError, UnsupportedError
from causeway.messaging.location import capabilities_to_xml, parse_capabilities
from causeway.messaging.safe_xml import Markup, child_text, element, required_attribute, required_text
from causeway.messaging.text import decode_document

_MAX_QUERY_CHARACTERS = 256


class KeyInfoVerb(StrEnum):
    """What a query asks for."""

    MP_LIST = "MPLIST"
    MP_CERTIFICATE = "MPCERT"
    MP_CERTIFICATES = "MPCERT2"
    MP_KEY_INFORMATION = "MPKEYINFORMATION"
    SITE_SIGNING_CERTIFICATE = "SITESIGNCERT"
    TRUSTED_ROOT_KEY = "MPTRK"


_SPELLINGS = {verb.value: verb for verb in KeyInfoVerb} | {
    "MPLIST1": KeyInfoVerb.MP_LIST,
    "MPLIST2": KeyInfoVerb.MP_LIST,
    "MPKEYINFORMATIONEX": KeyInfoVerb.MP_KEY_INFORMATION,
    "MPKEYINFORMATIONMEDIA": KeyInfoVerb.MP_KEY_INFORMATION,
}


@dataclass(frozen=True, slots=True)
class KeyInfoQuery:
    """A query: the verb, and what follows it after ``&`` (a site code with ``MPLIST2``), or nothing."""

    verb: KeyInfoVerb
    argument: str = ""


def parse_key_info_query(query: str) -> KeyInfoQuery:
    """Read the query of an ``.sms_aut`` request, the part after the question mark.

    Raises:
        UnsupportedError: a verb that is not among :class:`KeyInfoVerb`'s spellings.
    """
    verb, _, argument = query[:_MAX_QUERY_CHARACTERS].partition("&")
    known = _SPELLINGS.get(verb.upper())
    if known is None:
        raise UnsupportedError(f"location query {verb[:40]!r} is not served")
    return KeyInfoQuery(known, argument)


@dataclass(frozen=True, slots=True)
class ManagementPoint:
    """One management point. The capability ``SSLState`` is ``0`` for HTTP; Causeway writes ``63`` for HTTPS."""

    name: str
    fqdn: str
    site_code: str
    version: str = ""
    capabilities: tuple[tuple[str, str], ...] = ()

    def to_xml(self) -> Markup:
        """Return the ``<MP>`` element."""
        return element(
            "MP",
            element("Version", self.version),
            capabilities_to_xml(self.capabilities),
            Name=self.name,
            FQDN=self.fqdn,
            SiteCode=self.site_code,
        )


@dataclass(frozen=True, slots=True)
class MPList:
    """The answer to ``MPLIST``, ``MPLIST1`` and ``MPLIST2``; the preferred management point first."""

    management_points: tuple[ManagementPoint, ...]

    def to_xml(self) -> str:
        """Return the ``<MPList>`` document."""
        return element("MPList", *(one.to_xml() for one in self.management_points))


@dataclass(frozen=True, slots=True)
class SignedHex:
    """A certificate or key in hex, with the signature that came with it, or an empty one."""

    value: str
    signature: str = ""


@dataclass(frozen=True, slots=True)
class MPCertificates:
    """The answer to ``MPCERT`` (the first certificate alone) and to ``MPCERT2`` (both)."""

    first: SignedHex
    second: SignedHex | None = None

    def to_xml(self) -> str:
        """Return the ``<MPCertificate>`` or ``<MPCertificates>`` document."""
        if self.second is None:
            return element("MPCertificate", _signed("Certificate", self.first))
        return element("MPCertificates", _signed("Certificate1", self.first), _signed("Certificate2", self.second))


@dataclass(frozen=True, slots=True)
class MPKeyInformation:
    """The answer to ``MPKEYINFORMATION`` and its variants.

    The two unknown-machine identities are what media of machines that the site does not know uses; empty: none.
    """

    machine_name: str
    fqdn: str
    site_code: str
    certificate: SignedHex
    trusted_root_key: SignedHex
    x64_unknown_machine: str = ""
    x86_unknown_machine: str = ""

    def to_xml(self) -> str:
        """Return the ``<MPKEYINFORMATION>`` document."""
        return element(
            "MPKEYINFORMATION",
            element("MACHINENAME", self.machine_name),
            element("FQDN", self.fqdn),
            element("SITECODE", self.site_code),
            element("AssignmentSiteCode", self.site_code),
            _signed("MPCERTIFICATE", self.certificate),
            _signed("TRUSTEDROOTKEY", self.trusted_root_key),
            element(
                "UnknownMachines",
                x64UnknownMachineGUID=self.x64_unknown_machine,
                x86UnknownMachineGUID=self.x86_unknown_machine,
            ),
        )


@dataclass(frozen=True, slots=True)
class SiteSigningCertificate:
    """The answer to ``SITESIGNCERT``: the certificate that policies are signed with, hex of its DER."""

    certificate: str

    def to_xml(self) -> str:
        """Return the ``<X509Data>`` document."""
        return element("X509Data", element("X509Certificate", self.certificate, EncodingType="HexBinary"))


@dataclass(frozen=True, slots=True)
class TrustedRootKey:
    """The answer to ``MPTRK``: the hierarchy's trusted root key, hex of its PUBLICKEYBLOB."""

    key: str

    def to_xml(self) -> str:
        """Return the ``<KEYDATA>`` document."""
        return element("KEYDATA", self.key)


def parse_mp_list(data: bytes) -> MPList:
    """Parse an answer to ``MPLIST``.

    Raises:
        MessagingError: XML that is refused, or a value that is missing.
    """
    root = safe_xml.parse(decode_document(data), root="MPList")
    return MPList(
        tuple(
            ManagementPoint(
                required_attribute(node, "Name"),
                node.get("FQDN", ""),
                node.get("SiteCode", ""),
                child_text(node, "Version"),
                parse_capabilities(node),
            )
            for node in root.findall("MP")
        )
    )


def parse_mp_certificates(data: bytes) -> MPCertificates:
    """Parse an answer to ``MPCERT`` or ``MPCERT2``.

    Raises:
        MessagingError: XML that is refused, or a value that is missing.
    """
    root = safe_xml.parse(decode_document(data))
    if root.tag == "MPCertificate":
        return MPCertificates(_parse_signed(root, "Certificate"))
    if root.tag == "MPCertificates":
        return MPCertificates(_parse_signed(root, "Certificate1"), _parse_signed(root, "Certificate2"))
    raise FieldError(f"expected <MPCertificate> or <MPCertificates>, got <{root.tag[:80]}>")


def parse_mp_key_information(data: bytes) -> MPKeyInformation:
    """Parse an answer to ``MPKEYINFORMATION`` or one of its variants.

    Raises:
        MessagingError: XML that is refused, or a value that is missing.
    """
    root = safe_xml.parse(decode_document(data), root="MPKEYINFORMATION")
    unknown = root.find("UnknownMachines")
    return MPKeyInformation(
        machine_name=child_text(root, "MACHINENAME"),
        fqdn=child_text(root, "FQDN"),
        site_code=required_text(root, "SITECODE"),
        certificate=_parse_signed(root, "MPCERTIFICATE"),
        trusted_root_key=_parse_signed(root, "TRUSTEDROOTKEY"),
        x64_unknown_machine=unknown.get("x64UnknownMachineGUID", "") if unknown is not None else "",
        x86_unknown_machine=unknown.get("x86UnknownMachineGUID", "") if unknown is not None else "",
    )


def parse_site_signing_certificate(data: bytes) -> SiteSigningCertificate:
    """Parse an answer to ``SITESIGNCERT``.

    Raises:
        MessagingError: XML that is refused, or a value that is missing.
    """
    root = safe_xml.parse(decode_document(data), root="X509Data")
    return SiteSigningCertificate(required_text(root, "X509Certificate"))


def parse_trusted_root_key(data: bytes) -> TrustedRootKey:
    """Parse an answer to ``MPTRK``.

    Raises:
        MessagingError: XML that is refused, or an empty key.
    """
    root = safe_xml.parse(decode_document(data), root="KEYDATA")
    return TrustedRootKey(required_text(root, "."))


def _signed(name: str, signed: SignedHex) -> Markup:
    return element(name, signed.value, Signature=signed.signature or None)


def _parse_signed(root: Element, name: str) -> SignedHex:
    node = root.find(name)
    if node is None:
        raise FieldError(f"<{root.tag}> needs a <{name}>")
    return SignedHex((node.text or "").strip(), node.get("Signature", ""))
