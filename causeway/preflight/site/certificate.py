"""A site system's certificate, as it shows it: folded into one line where all is well."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from cryptography import x509
from cryptography.x509.oid import NameOID

from causeway.observability.checks import CheckResult, Status
from causeway.pki.chain import build_chain
from causeway.pki.inspection import Wanted
from causeway.pki.live import Shown
from causeway.preflight.certificate import inspect_shown
from causeway.preflight.text import shortened

_LOOKED_AT = ("name", "key", "usage", "signature", "dates", "chain")
"""Checks of ``inspect_shown``. Revocation is not among them: what asks a site system does so on the premises."""

_TOLD = ("name", "chain", "dates")


def enrol_and_bind(host: str, web_site: str) -> str:
    """The PowerShell commands that give ``host`` a certificate of the PKI, and IIS's ``web_site`` that certificate."""
    return (
        f"$c = Get-Certificate -Template WebServer -DnsName {host} -CertStoreLocation Cert:\\LocalMachine\\My; "
        f'(Get-WebBinding -Name "{web_site}" -Protocol https).AddSslCertificate($c.Certificate.Thumbprint, "My")'
    )


def name_with_ca(root: str = "its root") -> str:
    """What to do about a chain that leads to no root at hand; ``root`` says where that is to be had."""
    return (
        f"Name {root} with --ca. Where it is named already, the server does not send what is between: import that into "
        "Intermediate Certification Authorities of its computer account."
    )


def certificate_results(
    check: str, target: str, host: str, shown: Shown, others: Iterable[x509.Certificate], actions: Mapping[str, str]
) -> list[CheckResult]:
    """What a server shows, held against what everybody that connects to it needs.

    Args:
        check: the heading.
        target: for the printed line.
        host: the name that it must be for.
        shown: by the server.
        others: roots and intermediates at hand.
        actions: what to do, by what is wrong; ``""`` for everything else.
    """
    others = tuple(others)
    seen = {
        each.name.removeprefix("certificate "): each
        for each in inspect_shown(target, shown, others, Wanted(names=(host,)))
    }
    if (why := _untrusted(shown, others)) and "chain" in seen:
        seen["chain"] = dataclasses.replace(seen["chain"], status=Status.FAIL, details=why)
    found = [(name, seen[name]) for name in _LOOKED_AT if name in seen]
    wrong = [
        CheckResult(check, target, each.status, _sentence(name, each), actions.get(name, actions[""]))
        for name, each in found
        if each.status is not Status.PASS
    ]
    if wrong:
        return wrong
    told = "; ".join(shortened(each.details) for name, each in found if name in _TOLD)
    return [CheckResult(check, target, Status.PASS, f"{told}; {shown.protocol}")]


def _untrusted(shown: Shown, others: Sequence[x509.Certificate]) -> str:
    """Why it is not trusted from here, however long its chain is; empty where it is."""
    chain = build_chain(shown.certificates[0], (*shown.certificates[1:], *others))
    path = " ← ".join(shortened(_name(each), 60) for each in chain.certificates)
    if chain.root is None:
        return f"{path}, and then {shortened(chain.missing, 80)}, whose certificate is not at hand"
    if not chain.publicly_trusted and chain.root not in others:
        return f"{path}, a root that neither this machine trusts nor --ca names"
    return ""


def _name(certificate: x509.Certificate) -> str:
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value) if common else certificate.subject.rfc4514_string() or "(no name)"


def _sentence(name: str, each: CheckResult) -> str:
    return f"{name}: {shortened(each.details)}"
