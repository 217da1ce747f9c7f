"""What goes wrong on the way to an endpoint, stage by stage, in words with a remedy. Pure: no network."""

import errno
import os
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID

from causeway.observability.checks import Status
from causeway.transport.proxy import NEEDS_LOGIN, ProxyRefused, WebProxy

DNS = "network DNS"
TCP = "network TCP"
PROXY = "network proxy"
TLS = "network TLS"
INSPECTION = "network inspection"
HTTP = "network HTTP"
STAGES = (DNS, TCP, PROXY, TLS, INSPECTION, HTTP)

_NO_NAME = {socket.EAI_NONAME, socket.EAI_NODATA}
_NOT_VALID = {9, 10}
_OTHER_NAME = 62
UNKNOWN_ISSUER = {2, 18, 19, 20, 21}
"""Numbers of OpenSSL's: X509_V_ERR_…"""

_WANTS_CERTIFICATE = ("CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE")
_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL")
_NOTHING_IN_COMMON = ("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "HANDSHAKE_FAILURE", "NO_PROTOCOLS_AVAILABLE")

BAD_GATEWAY = (502, 503, 504)
_PROXY_LOGIN = 407
_CAPTIVE = 511
_REDIRECTS = range(300, 400)
_FORBIDDEN = (403, 451)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A stage that did not come to its end, or not as it should.

    Attributes:
        check: the stage.
        why: what was seen.
        action: what to do.
        status: how bad that is.
        missing: the name or the host may just not be there yet.
    """

    check: str
    why: str
    action: str
    status: Status = Status.FAIL
    missing: bool = False


def dns_trouble(code: int, reason: str) -> Trouble:
    """Of ``getaddrinfo``'s number (RFC 3493, 6.1)."""
    if code in _NO_NAME:
        return Trouble(DNS, "no such name, or no address of it", "", missing=True)
    action = "See whether this machine's resolver answers: /etc/resolv.conf names it, and UDP and TCP 53 must pass."
    return Trouble(DNS, f"cannot be asked for: {reason}", action)


def tcp_trouble(error: OSError) -> Trouble:
    """Of a connection that was not made."""
    number = error.errno or 0
    why = os.strerror(number) if number else first_line(error)
    if number == errno.ECONNREFUSED:
        return Trouble(TCP, why, "Nobody listens there, or a firewall rejects it.")
    if number in {errno.ENETUNREACH, errno.EHOSTUNREACH}:
        return Trouble(TCP, why, "Give this machine a route there, or let the web proxy do it.")
    return Trouble(TCP, why, "A firewall on the way may cut it.")


def proxy_trouble(proxy: WebProxy, error: OSError, host: str) -> Trouble:
    """Of a tunnel that the proxy did not make."""
    why = first_line(error)
    if not isinstance(error, ProxyRefused):
        return Trouble(PROXY, why, "Correct url in [proxy] of the plan, or start the proxy.")
    if error.status in NEEDS_LOGIN:
        offered = f", offering {', '.join(error.schemes)}" if error.schemes else ""
        if error.schemes and "basic" not in {scheme.lower() for scheme in error.schemes}:
            action = f"Only Basic is spoken here: exempt {host} at the proxy from authentication."
        elif proxy.user:
            action = "Correct the user or the password: --proxy-user, --proxy-password-file."
        else:
            action = "Give --proxy-user and --proxy-password-file, or exempt the destination from authentication."
        return Trouble(PROXY, f"{why}{offered}", action)
    if error.status in BAD_GATEWAY:
        action = f"Let the proxy itself find {host} by DNS and reach it at this port."
        return Trouble(PROXY, why, action, missing=True)
    if error.status in _FORBIDDEN:
        return Trouble(PROXY, why, f"Allow CONNECT to {host} at this port in the proxy's rules.")
    return Trouble(PROXY, why, f"See in the proxy's log why it does not let CONNECT to {host} through.")


def wants_client_certificate(error: OSError) -> bool:
    """Whether the other side hung up because it wants one; then it was reached."""
    return isinstance(error, ssl.SSLError) and any(word in _reason(error) for word in _WANTS_CERTIFICATE)


def handshake_trouble(error: OSError) -> Trouble:
    """Of a handshake that failed, other than for the certificate."""
    if isinstance(error, ssl.SSLError):
        reason = _reason(error) or first_line(error)
        if any(word in reason for word in _NOT_TLS):
            return Trouble(
                TLS, "does not speak TLS at this port", "Correct the port; a filter may answer in its place."
            )
        if any(word in reason for word in _NOTHING_IN_COMMON):
            why = f"no TLS version or cipher in common ({reason})"
            return Trouble(TLS, why, "TLS 1.2 or newer is needed there; a filter on the way may speak only older ones.")
        return Trouble(TLS, f"the handshake failed: {reason}", "See the other side's log.")
    why = f"the connection was cut in the handshake: {os.strerror(error.errno) if error.errno else first_line(error)}"
    return Trouble(TLS, why, "A filter that reads server names may cut it: let this name through without inspection.")


def http_trouble(why: str) -> Trouble:
    """Of a connection on which no answer comes."""
    return Trouble(HTTP, why, "See what listens there, and whether a filter on the way cuts HTTP.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is expected of a certificate.

    Attributes:
        name: it is to be for.
        public: a public authority issues it, so another issuer means that TLS is inspected on the way.
        ours: connections to it must not be opened on the way, since client certificates do not survive that.
    """

    name: str
    public: bool
    ours: bool = False


def certificate_trouble(
    error: ssl.SSLCertVerificationError, shown: tuple[x509.Certificate, ...], wanted: Wanted, *, public: bool
) -> Trouble:
    """Of a certificate that did not verify.

    Args:
        error: what OpenSSL says.
        shown: what the server showed; empty where that is not known.
        wanted: what was expected.
        public: a public authority issued it.
    """
    code, leaf = error.verify_code, shown[0] if shown else None
    if code == _OTHER_NAME:
        whose = f"is for {_names(leaf)}, and not for {wanted.name}" if leaf else f"is not for {wanted.name}"
        return Trouble(
            TLS, f"its certificate {whose}", "See who answers there: a filter, a captive portal, or a wrong record."
        )
    if code in _NOT_VALID:
        dates = f"{leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%d}" if leaf else ""
        return Trouble(
            TLS,
            f"its certificate is not valid now: {dates or error.verify_message}",
            "Renew it, or correct this machine's clock.",
        )
    if code in UNKNOWN_ISSUER and public:
        why = f"this machine does not trust its issuer {issuer(shown)}, a public authority"
        return Trouble(TLS, why, "Install the public roots, such as the package ca-certificates.")
    if code in UNKNOWN_ISSUER and wanted.public:
        return inspection_trouble(shown, wanted, trusted=False)
    if code in UNKNOWN_ISSUER:
        why = f"its certificate is of {issuer(shown)}, whom this machine does not trust"
        return Trouble(TLS, why, "Name the root with --ca where it is your own.")
    return Trouble(TLS, f"its certificate is not good: {error.verify_message}", "Have it issued anew.")


def inspection_trouble(shown: tuple[x509.Certificate, ...], wanted: Wanted, *, trusted: bool) -> Trouble:
    """Of a certificate that no public authority issued, where one should have."""
    why = f"TLS is inspected on the way: the certificate for {wanted.name} is of {issuer(shown)}, no public authority"
    if not trusted:
        why += ", and this machine does not trust it"
    reason = (
        "tunnels and client certificates do not survive it"
        if wanted.ours
        else "programs with public roots of their own, such as Azure's, refuse it"
    )
    good_enough = trusted and not wanted.ours
    return Trouble(
        INSPECTION, why, f"Exempt {wanted.name} from inspection: {reason}.", Status.WARN if good_enough else Status.FAIL
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an HTTP answer; every text is of whoever answered.

    Attributes:
        status: three digits.
        reason: phrase.
        location: where a redirection leads.
        server: what it calls itself.
    """

    status: int
    reason: str = ""
    location: str = ""
    server: str = ""

    def __str__(self) -> str:
        return f"{self.status} {self.reason}".strip()[:80]


def answer_trouble(host: str, answer: Answer, *, genuine: bool, inspected: bool) -> Trouble | None:
    """Of an HTTP answer that is not the endpoint's own; None where it may be.

    Args:
        host: that was asked.
        answer: that came.
        genuine: the certificate proves that nobody on the way wrote it.
        inspected: somebody on the way reads and writes.
    """
    if answer.status == _PROXY_LOGIN:
        return Trouble(HTTP, f"{answer}: a web proxy on the way wants credentials", "Name it in [proxy] of the plan.")
    if answer.status == _CAPTIVE:
        return Trouble(HTTP, f"{answer}: a captive portal wants a sign-in", "Sign in there, or use another network.")
    if genuine:
        return None
    try:
        elsewhere = urlsplit(answer.location).hostname or ""
    except ValueError:
        elsewhere = answer.location
    if answer.status in _REDIRECTS and elsewhere and elsewhere.lower() != host.lower():
        why = f"{answer}: leads to {elsewhere[:80]}, a captive portal or the page of a filter"
        return Trouble(HTTP, why, f"Let {host} through at the filter; a portal wants a sign-in.")
    if inspected and answer.status in _FORBIDDEN:
        by = f" by {answer.server[:60]}" if answer.server else ""
        why = f"{answer}{by}: may be the page of the filter that inspects TLS"
        return Trouble(HTTP, why, f"Let {host} through at the filter.", Status.WARN)
    return None


def issuer(shown: tuple[x509.Certificate, ...]) -> str:
    """Who issued the first, as people know it, and the topmost, where that is another."""
    if not shown:
        return "an unknown issuer"
    names = dict.fromkeys((_label(shown[0].issuer), _label(shown[-1].issuer)))
    return ", root ".join(names)


def _label(name: x509.Name) -> str:
    def of(oid: x509.ObjectIdentifier) -> str:
        found = name.get_attributes_for_oid(oid)
        return str(found[0].value) if found else ""

    common, organisation = of(NameOID.COMMON_NAME), of(NameOID.ORGANIZATION_NAME)
    if common and organisation and organisation not in common:
        return f"{common} ({organisation})"[:120]
    return (common or organisation or name.rfc4514_string() or "no name")[:120]


def _names(certificate: x509.Certificate) -> str:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found = names.get_values_for_type(x509.DNSName)
    except (ValueError, x509.ExtensionNotFound):
        found = []
    return ", ".join(found[:5])[:200] or _label(certificate.subject)


def _reason(error: ssl.SSLError) -> str:
    return getattr(error, "reason", None) or ""  # those that Python itself makes have none


def first_line(error: Exception) -> str:
    """What it says, in one line."""
    return (str(error) or type(error).__name__).splitlines()[0][:200]
