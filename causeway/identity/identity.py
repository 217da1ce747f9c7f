"""An identity, as it crosses the tunnel and as site systems are told of it."""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote


class Kind(StrEnum):
    """How the client showed who it is."""

    ANONYMOUS = "anonymous"
    CERTIFICATE = "certificate"


_CERTIFICATE = re.compile(r"certificate:([0-9a-f]{64}):([A-Za-z0-9._~%=,+@*/-]{0,900})")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a client is.

    Attributes:
        kind: how that is known.
        fingerprint: SHA-256 of the client's certificate (DER), lower-case hexadecimal; empty for an anonymous client.
        subject: the certificate's subject in the form of RFC 4514, such as ``CN=PC1``.
    """

    kind: Kind
    fingerprint: str = ""
    subject: str = ""

    def encode(self) -> bytes:
        """As it stands in a request's prelude: ``-``, or ``certificate:<fingerprint>:<subject, percent-encoded>``."""
        if self.kind is Kind.ANONYMOUS:
            return b"-"
        return f"{self.kind}:{self.fingerprint}:{quote(self.subject, safe='=,+@*/')[:900]}".encode()

    @classmethod
    def decode(cls, encoded: bytes) -> "Identity":
        """The identity of a prelude.

        Raises:
            ValueError: it is not of that form.
        """
        if encoded == b"-":
            return ANONYMOUS
        match = _CERTIFICATE.fullmatch(encoded.decode("ascii"))
        if match is None:
            raise ValueError("an identity of an unknown form")
        return cls(Kind.CERTIFICATE, match[1], unquote(match[2], errors="replace"))

    def headers(self, peer: str) -> bytes:
        """What a site system is told, each line with its CRLF.

        ``X-Forwarded-For`` is the client's address; ``X-Forwarded-Client-Cert`` is in the form that Envoy made common,
        with the certificate's SHA-256 and subject, and is there only for a client with a verified certificate.
        """
        lines = f"X-Forwarded-For: {peer}\r\nX-Forwarded-Proto: https\r\n"
        if self.kind is Kind.CERTIFICATE:
            subject = re.sub(r'[\x00-\x1f\x7f"\\]', "_", self.subject)
            lines += f'X-Forwarded-Client-Cert: Hash={self.fingerprint};Subject="{subject}"\r\n'
        return lines.encode("utf-8")


ANONYMOUS = Identity(Kind.ANONYMOUS)
