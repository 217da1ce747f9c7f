"""Registration, endpoint ``MP_ClientRegistration``: a client introduces its certificates and gets its identity.

The body signs itself with the key of the certificate that it carries. What is verified is the ``<Data>`` element as
sent, so that very text, and nothing else of the document, is what the values are read from.

Source: 2007 SDK, Management Point Message Schema; and public clients for the certificates' encoding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from xml.etree.ElementTree import Element

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from causeway.messaging import safe_xml
from causeway.messaging.errors import FieldError
from causeway.messaging.identifiers import format_timestamp, normalise_smsid, parse_timestamp
from causeway.messaging.safe_xml import Markup, child_text, element, integer, member, required_attribute, required_text
from causeway.messaging.signatures import (
    SHA256_WITH_RSA,
    decode_certificate,
    encode_certificate,
    registration_bytes,
    require_sha256,
    rsa_key_of,
    sign,
    verify,
)
from causeway.messaging.signed_data import signed_text

MAX_REQUEST_CHARACTERS = 256 * 1024
_MAX_PROPERTIES = 256


class RequestType(StrEnum):
    """A first introduction, or the question whether a pending one was approved."""

    REGISTRATION = "Registration"
    CONFIRMATION = "Confirmation"


class RegistrationStatus(IntEnum):
    """The answer's status. PENDING means: ask again with a confirmation, and send nothing else meanwhile."""

    REGISTERED = 0
    PENDING = 1
    RESET = 2
    REJECTED = 3
    CERTIFICATE_RESET = 4


class ApprovalStatus(IntEnum):
    """Whether the site trusts the client; NOT_APPLICABLE when a PKI vouches for it, ENTRA when Entra does."""

    UNKNOWN = -1
    PENDING = 0
    APPROVED = 1
    NOT_APPLICABLE = 2
    ENTRA = 3


@dataclass(frozen=True, slots=True)
class AgentInformation:
    """The program that registers."""

    identity: str
    version: str
    type: int = 0


@dataclass(frozen=True, slots=True)
class RegistrationRequest:
    """A registration as received or to be sent.

    ``smsid`` is empty in a first registration. ``properties`` are the discovery properties, such as
    ``{"Netbios Name": "PC1", "FQ Name": "pc1.corp"}``. ``data_xml`` and ``signature`` are what was sent; both are empty
    in a request that was not sent yet.
    """

    request_type: RequestType
    signing_certificate: x509.Certificate
    encryption_certificate: x509.Certificate
    agent: AgentInformation
    properties: Mapping[str, str]
    timestamp: datetime
    smsid: str = ""
    hash_algorithm: str = SHA256_WITH_RSA
    hint: str = ""
    data_xml: str = ""
    signature: str = ""

    def verify(self) -> None:
        """Check that the owner of the signing certificate's key sent this request.

        Raises:
            SignatureError: it did not.
            UnsupportedError: another algorithm or kind of key than RSA with SHA-256.
        """
        require_sha256(self.hash_algorithm)
        verify(rsa_key_of(self.signing_certificate), registration_bytes(self.data_xml), self.signature)

    def to_xml(self, key: rsa.RSAPrivateKey) -> str:
        """Return the request signed with ``key``, the signing certificate's.

        Raises:
            FieldError: a value cannot be written.
        """
        data = element(
            "Data",
            element(
                "AgentInformation",
                AgentIdentity=self.agent.identity,
                AgentVersion=self.agent.version,
                AgentType=self.agent.type,
            ),
            element(
                "Certificates",
                _certificate_to_xml("Encryption", self.encryption_certificate),
                _certificate_to_xml("Signing", self.signing_certificate),
            ),
            element(
                "DiscoveryProperties",
                *(element("Property", Name=name, Value=value) for name, value in self.properties.items()),
            ),
            HashAlgorithm=SHA256_WITH_RSA,
            SMSID=self.smsid,
            RequestType=self.request_type,
            TimeStamp=format_timestamp(self.timestamp),
        )
        signature = element("SignatureValue", sign(key, registration_bytes(data)))
        hint = element("RegistrationHint", self.hint) if self.hint else None
        return element("ClientRegistrationRequest", data, hint, element("Signature", signature))


@dataclass(frozen=True, slots=True)
class RegistrationResponse:
    """The site's answer; ``smsid`` is the identity that the client has from now on."""

    response_type: RequestType
    status: RegistrationStatus
    smsid: str
    approval: ApprovalStatus
    timestamp: datetime

    def to_xml(self) -> str:
        """Return the answer's body."""
        return element(
            "ClientRegistrationResponse",
            ResponseType=self.response_type,
            TimeStamp=format_timestamp(self.timestamp),
            Status=self.status.value,
            SMSID=self.smsid,
            ApprovalStatus=self.approval.value,
        )


def parse_registration_request(text: str) -> RegistrationRequest:
    """Parse a registration. Its signature is read, not checked: see :meth:`RegistrationRequest.verify`.

    Raises:
        MessagingError: XML that is refused, or a value that is missing or impossible.
    """
    root = safe_xml.parse(text, root="ClientRegistrationRequest", max_characters=MAX_REQUEST_CHARACTERS)
    data_xml = signed_text(text, "a registration")
    data = safe_xml.parse(data_xml, root="Data")
    nodes = data.findall("DiscoveryProperties/Property")
    if len(nodes) > _MAX_PROPERTIES:
        raise FieldError(f"more than {_MAX_PROPERTIES} discovery properties")
    agent = data.find("AgentInformation")
    smsid = data.get("SMSID", "").strip()
    return RegistrationRequest(
        request_type=member(RequestType, required_attribute(data, "RequestType"), "RequestType"),
        signing_certificate=_parse_certificate(data, "Signing"),
        encryption_certificate=_parse_certificate(data, "Encryption"),
        agent=AgentInformation(
            identity=agent.get("AgentIdentity", "") if agent is not None else "",
            version=agent.get("AgentVersion", "") if agent is not None else "",
            type=integer(agent.get("AgentType") or "0", "AgentType") if agent is not None else 0,
        ),
        properties={node.get("Name", ""): node.get("Value", "") for node in nodes},
        timestamp=parse_timestamp(required_attribute(data, "TimeStamp")),
        smsid=normalise_smsid(smsid) if smsid else "",
        hash_algorithm=data.get("HashAlgorithm", ""),
        hint=child_text(root, "RegistrationHint"),
        data_xml=data_xml,
        signature=required_text(root, "Signature/SignatureValue"),
    )


def parse_registration_response(text: str) -> RegistrationResponse:
    """Parse the site's answer; an approval status that is not known is UNKNOWN.

    Raises:
        MessagingError: XML that is refused, or a value that is missing or impossible.
    """
    root = safe_xml.parse(text, root="ClientRegistrationResponse", max_characters=MAX_REQUEST_CHARACTERS)
    status = integer(required_attribute(root, "Status"), "Status")
    approval = integer(root.get("ApprovalStatus") or "-1", "ApprovalStatus")
    smsid = root.get("SMSID", "").strip()
    if status not in set(RegistrationStatus):
        raise FieldError(f"registration status {status} is not known")
    return RegistrationResponse(
        response_type=member(RequestType, root.get("ResponseType", RequestType.REGISTRATION), "ResponseType"),
        status=RegistrationStatus(status),
        smsid=normalise_smsid(smsid) if smsid else "",
        approval=ApprovalStatus(approval) if approval in set(ApprovalStatus) else ApprovalStatus.UNKNOWN,
        timestamp=parse_timestamp(required_attribute(root, "TimeStamp")),
    )


def _certificate_to_xml(name: str, certificate: x509.Certificate) -> Markup:
    return element(name, encode_certificate(certificate), Encoding="HexBinary", KeyType=1)


def _parse_certificate(data: Element, name: str) -> x509.Certificate:
    return decode_certificate(required_text(data, f"Certificates/{name}"))
