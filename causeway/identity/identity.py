"""An identity, as it crosses the tunnel and as site systems are told of it."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.parse import quote, unquote

_MAX_ENCODED_BYTES = 1024
_MAX_SUBJECT_BYTES = 900
_MAX_PART_BYTES = 128
_SAFE = "=,+@*/"
_ENCODED = re.compile(r"[A-Za-z0-9._~%=,+@*/-]{0,900}")
_UNPRINTABLE = re.compile(r'[\x00-\x1f\x7f"\\]')


class Kind(StrEnum):
    """How the client showed who it is."""

    ANONYMOUS = "anonymous"
    CERTIFICATE = "certificate"
    SITE_TOKEN = "site-token"  # noqa: S105  # a kind, no password
    """A registered device, by a token that the site issued to it."""
    BULK_TOKEN = "bulk-token"  # noqa: S105
    """A newcomer that may register, by a bulk registration token."""
    ENTRA_DEVICE = "entra-device"
    ENTRA_USER = "entra-user"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a client is.

    Attributes:
        kind: how that is known.
        fingerprint: SHA-256 of the client's certificate (DER), lower-case hexadecimal; of a device with a site token,
            of the certificate that it registered with. Empty where the client has none.
        subject: the certificate's subject in the form of RFC 4514, such as ``CN=PC1``; of a token, the device's name.
        device: the device's id: ``GUID:…`` of a site token, the device id of an Entra token.
        tenant: the Entra tenant's id.
        user: the Entra user's object id.
        token: the id of the token, in lower case: what blocks it.
    """

    kind: Kind
    fingerprint: str = ""
    subject: str = ""
    device: str = ""
    tenant: str = ""
    user: str = ""
    token: str = ""

    @property
    def name(self) -> str:
        """For logs."""
        return self.subject or self.device or self.user or self.token or self.fingerprint or str(self.kind)

    def encode(self) -> bytes:
        """As it stands in a request's prelude: ``-``, or the kind and what is known, with colons between.

        ``<kind>:<fingerprint>:<subject>:<device>:<tenant>:<user>:<token>``, each percent-encoded; what is empty at the
        end is left out, with its colon, so that a certificate is ``certificate:<fingerprint>:<subject>``.
        """
        return b"-" if self.kind is Kind.ANONYMOUS else _encoded(self)

    @classmethod
    def decode(cls, encoded: bytes) -> "Identity":
        """The identity of a prelude.

        Raises:
            ValueError: it is not of that form.
        """
        if encoded == b"-":
            return ANONYMOUS
        kind, *parts = encoded.decode("ascii").split(":")
        identified = Kind(kind)
        if (
            not 2 <= len(parts) <= 6  # fingerprint and subject, then four that may be left out
            or identified is Kind.ANONYMOUS
            or (identified is Kind.CERTIFICATE and not parts[0])
            or not re.fullmatch(r"(?:[0-9a-f]{64})?", parts[0])
            or not all(map(_ENCODED.fullmatch, parts[1:]))
        ):
            raise ValueError("an identity of an unknown form")
        return cls(identified, parts[0], *(unquote(part, errors="replace") for part in parts[1:]))

    def headers(self, peer: str) -> bytes:
        """What a site system is told, each line with its CRLF.

        ``X-Forwarded-For`` is the client's address; ``X-Forwarded-Client-Cert`` is in the form that Envoy made common,
        with the certificate's SHA-256 and subject, and is there only for a client with a verified certificate. The
        ``X-Causeway-`` headers are there for what is known.
        """
        lines = f"X-Forwarded-For: {peer}\r\nX-Forwarded-Proto: https\r\n"
        if self.kind is Kind.CERTIFICATE:
            lines += f'X-Forwarded-Client-Cert: Hash={self.fingerprint};Subject="{_printable(self.subject)}"\r\n'
        for name, value in self.facts().items():
            lines += f"X-Causeway-{name.capitalize()}: {_printable(value)}\r\n"
        return lines.encode("utf-8")

    def facts(self) -> dict[str, str]:
        """What is known of the client, by the last part of the headers' names in lower case."""
        facts = {
            "client": "" if self.kind is Kind.ANONYMOUS else str(self.kind),
            "device": self.device,
            "tenant": self.tenant,
            "user": self.user,
            "token": self.token,
            "certificate": self.fingerprint,
            "subject": self.subject,
        }
        return {name: value for name, value in facts.items() if value}


@lru_cache(maxsize=8192)
def _encoded(identity: Identity) -> bytes:
    """Remembered, since devices come back with every message."""
    more = [
        quote(part, safe=_SAFE)[:_MAX_PART_BYTES]
        for part in (identity.device, identity.tenant, identity.user, identity.token)
    ]
    while more and not more[-1]:
        more.pop()
    tail = "".join(f":{part}" for part in more)
    begin = f"{identity.kind}:{identity.fingerprint}:"
    room = min(_MAX_SUBJECT_BYTES, _MAX_ENCODED_BYTES - len(begin) - len(tail))
    return f"{begin}{quote(identity.subject, safe=_SAFE)[:room]}{tail}".encode()


def _printable(value: str) -> str:
    return _UNPRINTABLE.sub("_", value)


ANONYMOUS = Identity(Kind.ANONYMOUS)
