"""Requests for AD CS by file: the INF that ``certreq -new`` reads, and the commands an administrator runs on Windows.

The INF's keys are those of Microsoft's documentation of certreq. Key usage 0xa0 is digital signature and key
encipherment (RFC 5280, 4.2.1.3), which an RSA key of a TLS server has; an elliptic key has the signature alone.
"""

import re
from dataclasses import dataclass

from cryptography import x509

from causeway.errors import OperatorError
from causeway.pki.authority import general_name
from causeway.pki.requests import ServerNames
from causeway.plan.values import KeyType

_RSA = {KeyType.RSA_2048: 2048, KeyType.RSA_3072: 3072, KeyType.RSA_4096: 4096}
_EC = {KeyType.P256: ("ECDSA_P256", 256), KeyType.P384: ("ECDSA_P384", 384)}
_PLAIN = re.compile(r"[A-Za-z0-9 ._*@:\\/()&-]{1,200}")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Where and as what the certificate is requested.

    Attributes:
        template: the template's name (not its display name), such as ``CausewayGateway``.
        authority: ``server\\name`` of the authority, as ``certutil -dump`` prints it; empty lets Windows ask.
    """

    template: str
    authority: str = ""

    def __post_init__(self) -> None:
        """Refuse what would break a command line.

        Raises:
            OperatorError: a name holds such a character.
        """
        for text in filter(None, (self.template, self.authority)):
            if not _PLAIN.fullmatch(text):
                raise OperatorError(f"{text!r}: not the name of a template or an authority")


def inf(names: ServerNames, key: KeyType, enrolment: Enrolment) -> str:
    """The INF of a request that is made on Windows, with an exportable key of the machine."""
    algorithm, bits = ("RSA", _RSA[key]) if key in _RSA else _EC[key]
    usage = "0xa0" if key in _RSA else "0x80"
    subject = ",".join(filter(None, (f"CN={names.common_name}", _organisation(names.organisation))))
    alternative = "\n".join(f'_continue_ = "{_form(name)}={name}&"' for name in names.all_names)
    return f"""\
; certreq -new request.inf request.csr

[Version]
Signature = "$Windows NT$"

[NewRequest]
Subject = "{subject}"
RequestType = PKCS10
KeyAlgorithm = {algorithm}
KeyLength = {bits}
KeyUsage = {usage}
HashAlgorithm = SHA256
MachineKeySet = TRUE
Exportable = TRUE
ProviderName = "Microsoft Software Key Storage Provider"
FriendlyName = "{names.common_name}"

[EnhancedKeyUsageExtension]
OID = 1.3.6.1.5.5.7.3.1 ; server authentication

[Extensions]
2.5.29.17 = "{{text}}"
{alternative}

[RequestAttributes]
CertificateTemplate = "{enrolment.template}"
"""


def commands(enrolment: Enrolment, *, made_here: bool, name: str) -> list[tuple[str, str]]:
    """What to run on Windows, in order: each a sentence and a command.

    Args:
        enrolment: where and as what.
        made_here: the request is ``request.csr`` of ``causeway cert request``; else it is made on Windows by the INF.
        name: the certificate's common name.
    """
    authority = f'-config "{enrolment.authority}" ' if enrolment.authority else ""
    template = f'-attrib "CertificateTemplate:{enrolment.template}" '
    steps = []
    if not made_here:
        steps.append(("Make the key and the request on this server", "certreq -new request.inf request.csr"))
    steps.append(
        (
            "Hand the request in; note the number where it waits for approval",
            f"certreq -submit {authority}{template}request.csr response.cer response.p7b",
        )
    )
    steps.append(
        (
            "Where it waited: fetch it once it is issued",
            f"certreq -retrieve {authority}NUMBER response.cer response.p7b",
        )
    )
    if made_here:
        steps.append(
            (
                "Copy response.p7b (the certificate with its chain) beside the request and take it in",
                "causeway cert import response.p7b",
            )
        )
        return steps
    steps.append(("Join certificate and key", "certreq -accept response.cer"))
    steps.append(
        (
            "Export both with the chain; the password is asked for",
            f"Get-ChildItem Cert:\\LocalMachine\\My | Where-Object Subject -like 'CN={name}*' | "
            "Sort-Object NotBefore | Select-Object -Last 1 | Export-PfxCertificate -FilePath server.pfx "
            "-ChainOption BuildChain -CryptoAlgorithmOption AES256_SHA256 -Password (Read-Host -AsSecureString)",
        )
    )
    steps.append(("Copy server.pfx to the gateway's machine and take it in", "causeway cert import server.pfx"))
    return steps


SERVER_TEMPLATE = (
    "Duplicate the template Web Server; compatibility: Windows Server 2012 R2 or later.",
    "Request Handling: allow the private key to be exported (only where the key is made on Windows).",
    "Cryptography: Key Storage Provider, RSA of 2048 bits or more, request hash SHA256.",
    "Subject Name: supply in the request.",
    "Extensions: Application Policies has Server Authentication (1.3.6.1.5.5.7.3.1).",
    "Security: Read and Enroll for the group of those who request it, and nobody else: whoever supplies the subject "
    "can request any name.",
    "Issuance Requirements: manager approval, since the subject comes from the request.",
)
"""What the template of a gateway's server certificate must have."""

CLIENT_TEMPLATE = (
    "Duplicate the template Workstation Authentication; compatibility: Windows Server 2012 R2 or later.",
    "Cryptography: Key Storage Provider, RSA of 2048 bits or more, request hash SHA256.",
    "Subject Name: build from Active Directory, with the DNS name as alternative name; each computer's must be unique.",
    "Extensions: Application Policies has Client Authentication (1.3.6.1.5.5.7.3.2).",
    "Security: Read, Enroll and Autoenroll for the computers (Domain Computers, or a group of your own).",
    "A distribution point of the revocation list over HTTP that the gateway's side can reach.",
)
"""What the template of devices' client certificates must have."""


def _form(name: str) -> str:
    return "ipaddress" if isinstance(general_name(name), x509.IPAddress) else "dns"


def _organisation(organisation: str) -> str:
    if not organisation:
        return ""
    quoted = organisation.replace('"', "")
    return f'O=""{quoted}""' if re.search(r"[,+=<>#;]", quoted) else f"O={quoted}"
