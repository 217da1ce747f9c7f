"""The values that stand in a plan: closed sets, and text that is checked where it comes in.

Only what no deployment could mean is refused here (a host that is no DNS name). What contradicts something else, or a
rule of Azure's, is a finding (``causeway.plan.findings``): a plan in the making must be readable.
"""

import re
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field


class Target(StrEnum):
    """Whose gateway is planned."""

    CAUSEWAY = "causeway"
    CONFIGMGR = "configmgr"


TARGET_TITLES = {Target.CAUSEWAY: "Causeway's own gateway", Target.CONFIGMGR: "Configuration Manager's gateway"}


class CertificateSource(StrEnum):
    """Where the server certificate comes from."""

    PUBLIC_CA = "public-ca"
    OWN_PKI = "own-pki"


class KeyType(StrEnum):
    """The server certificate's key."""

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"
    P256 = "p-256"
    P384 = "p-384"

    @property
    def label(self) -> str:
        """As people write it: ``RSA 2048``, ``P-256``."""
        return self.upper().replace("RSA-", "RSA ")


class ClientAuthentication(StrEnum):
    """How clients show who they are."""

    CERTIFICATE = "certificate"
    ENTRA = "entra"
    TOKEN = "token"  # noqa: S105  # the method's name


class ManagementPointMode(StrEnum):
    """How a management point takes connections."""

    HTTPS = "https"
    ENHANCED_HTTP = "enhanced-http"
    HTTP = "http"


class DnsHosting(StrEnum):
    """Who holds the public zone of the service name; decides the commands of the runbook."""

    AZURE_DNS = "azure-dns"
    WINDOWS_DNS = "windows-dns"
    OTHER = "other"


class GroupPurpose(StrEnum):
    """What a group of the Active Directory is for."""

    CONNECTION_POINTS = "connection-points"
    SERVER_CERTIFICATE = "server-certificate"
    ADMINISTRATORS = "administrators"
    PILOT_DEVICES = "pilot-devices"


_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DNS_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MAX_DNS_NAME = 253


def text(value: str) -> str:
    """One line of text.

    Raises:
        ValueError: it is empty, padded, or holds characters that cannot be seen.
    """
    if not value.isprintable() or value != value.strip() or not value:
        raise ValueError("expected one line of text without spaces around it")
    return value


def dns_name(value: str) -> str:
    """A DNS name of two labels or more; its case is kept, since a certificate's name has one.

    Raises:
        ValueError: it is none.
    """
    if len(value) > MAX_DNS_NAME or not _DNS_NAME.fullmatch(value):
        raise ValueError("expected a DNS name such as gateway.contoso.com")
    return value


def guid(value: str) -> str:
    """A GUID as Azure writes it; capital letters become small ones.

    Raises:
        ValueError: it is none.
    """
    lowered = value.lower()
    if not _GUID.fullmatch(lowered):
        raise ValueError("expected a GUID such as 11111111-2222-3333-4444-555555555555")
    return lowered


def web_proxy(value: str) -> str:
    """The URL of a web proxy, with its port and without credentials.

    Raises:
        ValueError: it is something else.
    """
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    bare = f"http://{parts.hostname}:{port}"
    if not parts.hostname or not port or value.lower().rstrip("/") != bare or not re.fullmatch(r"[!-~]+", value):
        raise ValueError("expected http://host:port, without credentials: a plan holds no secret")
    return bare


Text = Annotated[str, Field(max_length=128), AfterValidator(text)]
FileName = Annotated[str, Field(max_length=1024), AfterValidator(text)]
"""A file, relative to the plan's folder unless absolute. It stays as it was written: a plan is shown, compared and read
on other machines."""
DnsName = Annotated[str, AfterValidator(dns_name)]
Guid = Annotated[str, AfterValidator(guid)]
ProxyUrl = Annotated[str, AfterValidator(web_proxy)]
Port = Annotated[int, Field(ge=1, le=65535)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,90}$")]
"""A name of Azure's, before its own rules are looked at."""
