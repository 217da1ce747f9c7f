"""A server certificate held against what a gateway needs of it. Pure: no network, no files; the time is given."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from causeway.observability.checks import CheckResult, Status
from causeway.pki.chain import Chain, belongs_to
from causeway.pki.keys import CertificateKey
from causeway.pki.requests import key_kind, names_in

E = TypeVar("E", bound=x509.ExtensionType)

EXPIRES_SOON = dt.timedelta(days=30)
_LEAST_RSA_BITS = 2048
_CURVES = ("secp256r1", "secp384r1")
_WEAK_HASHES = frozenset({"md5", "sha1"})


class Purpose(StrEnum):
    """Which side shows the certificate."""

    SERVER = "server"
    CLIENT = "client"


_USAGES = {
    Purpose.SERVER: (ExtendedKeyUsageOID.SERVER_AUTH, "server authentication", "web servers"),
    Purpose.CLIENT: (ExtendedKeyUsageOID.CLIENT_AUTH, "client authentication", "workstations"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the certificate is to serve.

    Attributes:
        purpose: a server's certificate, or a device's.
        names: DNS names that devices connect to; empty where that is not known.
        common_name: the subject's common name that must be kept, its case included; empty where none must.
        key_kinds: kinds of key that the gateway takes (``RSA 2048``); empty for all that Causeway's does.
        needs_key: whether the private key must be at hand.
    """

    names: tuple[str, ...] = ()
    purpose: Purpose = Purpose.SERVER
    common_name: str = ""
    key_kinds: tuple[str, ...] = ()
    needs_key: bool = False


@dataclass(frozen=True, slots=True)
class _Case:
    target: str
    chain: Chain
    key: CertificateKey | None
    wanted: Wanted
    now: dt.datetime
    results: list[CheckResult] = field(default_factory=list)

    @property
    def leaf(self) -> x509.Certificate:
        return self.chain.leaf

    def add(self, name: str, status: Status, details: str, action: str = "") -> None:
        self.results.append(CheckResult(f"certificate {name}", self.target, status, details, action))


def inspect_chain(
    target: str, chain: Chain, key: CertificateKey | None, wanted: Wanted, *, now: dt.datetime
) -> list[CheckResult]:
    """Every check of the chain at ``target`` (a file or a host, for the printed line)."""
    case = _Case(target, chain, key, wanted, now)
    for check in _CHECKS:
        try:
            check(case)
        except (ValueError, UnsupportedAlgorithm) as error:
            # An extension that does not decode is the certificate's fault and one line, whatever check met it.
            case.add(_title(check), Status.FAIL, f"cannot be read: {error}", "Have the certificate issued anew.")
    return case.results


def _name(case: _Case) -> None:
    covered = _names(case.leaf)
    listed = ", ".join(covered) or "none"
    if case.wanted.purpose is Purpose.CLIENT:
        _client_name(case, covered)
        return
    if not covered:
        case.add(
            "name",
            Status.FAIL,
            "has no subject alternative name, and devices no longer look at the common name",
            "Request it with the service name as a DNS name: `causeway cert request`.",
        )
        return
    missing = [name for name in case.wanted.names if not any(_covers(pattern, name) for pattern in covered)]
    if missing:
        case.add(
            "name",
            Status.FAIL,
            f"is not for {', '.join(missing)}; it is for {listed}",
            "Request one for that name: `causeway cert request`, or correct the service name in the plan.",
        )
    else:
        case.add("name", Status.PASS, f"is for {listed}")


def _client_name(case: _Case, covered: list[str]) -> None:
    # Computers are told apart by it: Configuration Manager wants each one's subject or alternative name to be its own.
    own = ", ".join(covered) or _common_name(case.leaf)
    if own:
        case.add("name", Status.PASS, f"{own}; each computer's must be its own")
    else:
        case.add(
            "name",
            Status.FAIL,
            "has neither a common name nor a DNS name, so computers cannot be told apart",
            "Have the template build the subject from Active Directory, with the DNS name.",
        )


def _subject(case: _Case) -> None:
    subject = case.leaf.subject.rfc4514_string() or "(empty)"
    wanted, present = case.wanted.common_name, _common_name(case.leaf)
    if not wanted or wanted == present:
        case.add("subject", Status.PASS, subject)
    elif wanted.lower() == present.lower():
        case.add(
            "subject",
            Status.FAIL,
            f"has the common name {present}, and {wanted} was expected: the case differs",
            "Configuration Manager compares the case on renewal; have it issued with the name as it was.",
        )
    else:
        case.add(
            "subject",
            Status.FAIL,
            f"has the common name {present or '(none)'}, and {wanted} was expected",
            "Request it with that common name: `causeway cert request`.",
        )


def _key(case: _Case) -> None:
    public = case.leaf.public_key()
    kind = key_kind(public)
    strong = (isinstance(public, rsa.RSAPublicKey) and public.key_size >= _LEAST_RSA_BITS) or (
        isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name in _CURVES
    )
    if not strong:
        case.add("key", Status.FAIL, f"{kind} is weak or not taken", "Use RSA 2048 or more, P-256 or P-384.")
    elif case.wanted.key_kinds and kind not in case.wanted.key_kinds:
        case.add(
            "key",
            Status.FAIL,
            f"{kind}; this gateway takes {', '.join(case.wanted.key_kinds)}",
            "Request it with such a key: `causeway cert request --key`.",
        )
    else:
        case.add("key", Status.PASS, kind)


def _private_key(case: _Case) -> None:
    if case.key is not None and not belongs_to(case.leaf, case.key):
        case.add("private key", Status.FAIL, "belongs to another certificate", "Find the key that the request had.")
    elif case.key is not None:
        case.add("private key", Status.PASS, "is there and belongs to it")
    elif case.wanted.needs_key:
        case.add(
            "private key",
            Status.FAIL,
            "is not in the file",
            "Export the certificate with its private key (PFX), or name the key's file, too.",
        )


def _usage(case: _Case) -> None:
    wanted, what, template = _USAGES[case.wanted.purpose]
    usage = _extension(case.leaf, x509.ExtendedKeyUsage)
    constraints = _extension(case.leaf, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        case.add("usage", Status.FAIL, "is an authority's certificate", "Use one that the authority issued.")
    elif usage is None:
        case.add(
            "usage",
            Status.WARN,
            "has no extended key usage; some clients refuse that",
            f"Ask for {what}.",
        )
    elif {wanted, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & {*usage}:
        case.add("usage", Status.PASS, what)
    else:
        case.add(
            "usage",
            Status.FAIL,
            f"is not for {what} ({wanted.dotted_string})",
            f"Use a template or profile for {template}.",
        )


def _signature(case: _Case) -> None:
    weak = [_label(one) for one in case.chain.certificates if one.issuer != one.subject and _hash(one) in _WEAK_HASHES]
    if weak:
        case.add(
            "signature", Status.FAIL, f"SHA-1 or MD5 under {', '.join(weak)}", "Have the authority sign with SHA-256."
        )
    else:
        case.add(
            "signature", Status.PASS, f"{_hash(case.leaf).upper() or case.leaf.signature_algorithm_oid.dotted_string}"
        )


def _dates(case: _Case) -> None:
    begins, ends = case.leaf.not_valid_before_utc, case.leaf.not_valid_after_utc
    until = f"valid {begins:%Y-%m-%d} to {ends:%Y-%m-%d}"
    over = [_label(one) for one in case.chain.certificates[1:] if one.not_valid_after_utc < case.now]
    if case.now < begins:
        case.add("dates", Status.FAIL, f"{until}: not yet", "Wait, or correct this machine's clock.")
    elif case.now > ends:
        case.add("dates", Status.FAIL, f"{until}: expired", "Renew it: `causeway cert renew`.")
    elif over:
        case.add("dates", Status.FAIL, f"{until}, but expired: {', '.join(over)}", "Get the authority's new chain.")
    elif ends - case.now < EXPIRES_SOON:
        days = (ends - case.now).days
        case.add("dates", Status.WARN, f"{until}: {days} days left", "Renew it: `causeway cert renew`.")
    else:
        case.add("dates", Status.PASS, f"{until}: {(ends - case.now).days} days left")


def _chain(case: _Case) -> None:
    chain = case.chain
    path = " ← ".join(_label(one) for one in chain.certificates)
    if chain.missing and len(chain.certificates) > 1:
        # Servers send no root, so what is missing may be just that.
        case.add(
            "chain",
            Status.WARN,
            f"{path}, and then {chain.missing}, whose certificate is not at hand",
            "Where that is a root of your own, all is well: name its file, too (--ca). Otherwise add it to the chain.",
        )
    elif chain.missing:
        case.add(
            "chain",
            Status.FAIL,
            f"{path}, and then the certificate of {chain.missing} is missing",
            "Get that certificate from the authority and add it to the file, or name its file, too (--ca).",
        )
    elif chain.publicly_trusted:
        case.add("chain", Status.PASS, f"{path} (a root that this machine trusts)")
    elif len(chain.certificates) == 1:
        case.add("chain", Status.WARN, "is signed by itself: nobody can renew it", "Have an authority issue it.")
    else:
        case.add("chain", Status.PASS, f"{path} (a root of your own: every device must have it)")


def _revocation(case: _Case) -> None:
    lists, responders = revocation_urls(case.leaf)
    reachable = [url for url in (*lists, *responders) if url.lower().startswith("http")]
    if reachable:
        case.add("revocation", Status.PASS, ", ".join(reachable))
    elif lists:
        case.add(
            "revocation",
            Status.WARN,
            f"only {', '.join(lists)}, which devices on the internet cannot reach",
            "Publish the list over HTTP on the internet, too, and have that address in the certificate.",
        )
    else:
        case.add(
            "revocation",
            Status.WARN,
            "names no revocation list and no responder",
            "Nothing, where devices do not ask for one.",
        )


_CHECKS: tuple[Callable[[_Case], None], ...] = (
    _name,
    _subject,
    _key,
    _private_key,
    _usage,
    _signature,
    _dates,
    _chain,
    _revocation,
)


def _title(check: Callable[[_Case], None]) -> str:
    return check.__name__.strip("_").replace("_", " ")


CHECK_NAMES = tuple(f"certificate {_title(check)}" for check in _CHECKS)
"""Of every check that ``inspect_chain`` makes."""


def revocation_urls(certificate: x509.Certificate) -> tuple[list[str], list[str]]:
    """Where the certificate says that its revocation can be asked for: lists (CRL), and responders (OCSP).

    Raises:
        ValueError: an extension does not decode.
    """
    points = _extension(certificate, x509.CRLDistributionPoints) or ()
    lists = [str(name.value) for point in points for name in point.full_name or () if _is_uri(name)]
    access = _extension(certificate, x509.AuthorityInformationAccess) or ()
    responders = [
        str(one.access_location.value)
        for one in access
        if one.access_method == AuthorityInformationAccessOID.OCSP and _is_uri(one.access_location)
    ]
    return lists, responders


def _is_uri(name: x509.GeneralName) -> bool:
    return isinstance(name, x509.UniformResourceIdentifier)


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _names(certificate: x509.Certificate) -> list[str]:
    alternative = _extension(certificate, x509.SubjectAlternativeName)
    return [] if alternative is None else list(names_in(alternative))


def _covers(pattern: str, name: str) -> bool:
    """RFC 9525, 6.3: a star stands for the whole first label, and for nothing else."""
    pattern, name = pattern.lower(), name.lower()
    if pattern.startswith("*."):
        return name.partition(".")[2] == pattern[2:] and not name.startswith("*")
    return pattern == name


def _common_name(certificate: x509.Certificate) -> str:
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def _label(certificate: x509.Certificate) -> str:
    return _common_name(certificate) or certificate.subject.rfc4514_string() or "(no name)"


def _hash(certificate: x509.Certificate) -> str:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return "" if algorithm is None else algorithm.name
