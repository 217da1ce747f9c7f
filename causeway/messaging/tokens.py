"""``CCM_STS``: a registered device proves its key and is given tokens.

How Configuration Manager's clients ask their token service is not public. This form is Causeway's own, in the style of
the protocol's other proofs: a ``<Data>`` element that the device signs as it stands, like a registration's. It names
the site that it is for, the moment, and a number that is never used twice, so that it is good once and nowhere else.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric import rsa

from causeway.messaging import safe_xml
from causeway.messaging.errors import FieldError
from causeway.messaging.identifiers import format_timestamp, new_guid, normalise_smsid, parse_timestamp
from causeway.messaging.safe_xml import element, member, required_attribute, required_text
from causeway.messaging.signatures import SHA256_WITH_RSA, registration_bytes, require_sha256, sign, verify
from causeway.messaging.signed_data import signed_text

PATH = "/CCM_STS"
MEDIA_TYPE = "text/xml; charset=utf-8"
MAX_REQUEST_CHARACTERS = 16 * 1024
MAX_REQUEST_BYTES = 4 * MAX_REQUEST_CHARACTERS
MAX_RESPONSE_CHARACTERS = 64 * 1024
_MAX_NONCE_CHARACTERS = 64
_MIN_NONCE_CHARACTERS = 32
_REQUEST_TYPE = "Token"


class TokenKind(StrEnum):
    """Which token: the one for daily use, or the one that lasts and is good for nothing but a new one of the first."""

    CCM = "CCM"
    SELF_PROVE = "SelfProve"


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request as received or to be sent; ``data_xml`` and ``signature`` are empty in one that was not sent yet.

    Attributes:
        client_id: the device, ``GUID:…``.
        site_code: the site that it is meant for.
        kinds: the tokens that it wants.
        timestamp: when it was made.
        nonce: never used twice.
    """

    client_id: str
    site_code: str
    kinds: tuple[TokenKind, ...]
    timestamp: datetime
    nonce: str = ""
    hash_algorithm: str = SHA256_WITH_RSA
    data_xml: str = ""
    signature: str = ""

    def verify(self, key: rsa.RSAPublicKey) -> None:
        """Check that the owner of ``key`` sent this request.

        Raises:
            SignatureError: it did not.
            UnsupportedError: another algorithm than RSA with SHA-256.
        """
        require_sha256(self.hash_algorithm)
        verify(key, registration_bytes(self.data_xml), self.signature)

    def to_xml(self, key: rsa.RSAPrivateKey) -> str:
        """The request, with a nonce of its own where it has none yet, signed with ``key``."""
        data = element(
            "Data",
            *(element("Token", Type=kind) for kind in self.kinds),
            HashAlgorithm=SHA256_WITH_RSA,
            RequestType=_REQUEST_TYPE,
            ClientID=self.client_id,
            SiteCode=self.site_code,
            Nonce=self.nonce or new_guid(),
            TimeStamp=format_timestamp(self.timestamp),
        )
        signature = element("SignatureValue", sign(key, registration_bytes(data)))
        return element("TokenRequest", data, element("Signature", signature))


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A token, when it ends, and when the device should ask for the next one."""

    kind: TokenKind
    text: str
    expires: datetime
    renew_after: datetime

    def __repr__(self) -> str:
        return f"GivenToken({self.kind}, text=***, expires={self.expires!r})"


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """The tokens that a device is given."""

    client_id: str
    timestamp: datetime
    tokens: tuple[GivenToken, ...]

    def to_xml(self) -> str:
        """The answer's body."""
        return element(
            "TokenResponse",
            *(
                element(
                    "Token",
                    token.text,
                    Type=token.kind,
                    Expires=format_timestamp(token.expires),
                    RenewAfter=format_timestamp(token.renew_after),
                )
                for token in self.tokens
            ),
            ClientID=self.client_id,
            TimeStamp=format_timestamp(self.timestamp),
        )


def parse_token_request(text: str) -> TokenRequest:
    """Read a request. Its signature is read, not checked: see :meth:`TokenRequest.verify`.

    Raises:
        MessagingError: XML that is refused, or a value that is missing or impossible.
    """
    root = safe_xml.parse(text, root="TokenRequest", max_characters=MAX_REQUEST_CHARACTERS)
    data_xml = signed_text(text, "a token request")
    data = safe_xml.parse(data_xml, root="Data")
    if required_attribute(data, "RequestType") != _REQUEST_TYPE:
        # What was signed for something else, such as a registration, is no request for a token.
        raise FieldError("a token request's RequestType is Token")
    nonce = required_attribute(data, "Nonce")
    if not _MIN_NONCE_CHARACTERS <= len(nonce) <= _MAX_NONCE_CHARACTERS:
        raise FieldError(f"a nonce has {_MIN_NONCE_CHARACTERS} to {_MAX_NONCE_CHARACTERS} characters")
    kinds = tuple(dict.fromkeys(member(TokenKind, required_attribute(node, "Type"), "Type") for node in data))
    if not kinds:
        raise FieldError("a token request names a token at least")
    return TokenRequest(
        client_id=normalise_smsid(required_attribute(data, "ClientID")),
        site_code=required_attribute(data, "SiteCode"),
        kinds=kinds,
        timestamp=parse_timestamp(required_attribute(data, "TimeStamp")),
        nonce=nonce,
        hash_algorithm=data.get("HashAlgorithm", ""),
        data_xml=data_xml,
        signature=required_text(root, "Signature/SignatureValue"),
    )


def parse_token_response(text: str) -> TokenResponse:
    """Read the token service's answer.

    Raises:
        MessagingError: XML that is refused, or a value that is missing or impossible.
    """
    root = safe_xml.parse(text, root="TokenResponse", max_characters=MAX_RESPONSE_CHARACTERS)
    tokens = []
    for node in root.findall("Token"):
        token = (node.text or "").strip()
        # It is to become a header's value.
        if not token.isascii() or not token.isprintable() or " " in token:
            raise FieldError("a token is not of printable characters")
        tokens.append(
            GivenToken(
                member(TokenKind, required_attribute(node, "Type"), "Type"),
                token,
                parse_timestamp(required_attribute(node, "Expires")),
                parse_timestamp(required_attribute(node, "RenewAfter")),
            )
        )
    return TokenResponse(
        client_id=normalise_smsid(required_attribute(root, "ClientID")),
        timestamp=parse_timestamp(required_attribute(root, "TimeStamp")),
        tokens=tuple(tokens),
    )
