"""What IIS means by the status of an answer, and what to do about it.

The sub-status that explains a status stands in IIS's log and, where a server shows detailed errors, in the page.

Source: Microsoft, "HTTP status codes in IIS"; and its articles on management points and WSUS.
"""

import re
from dataclasses import dataclass

from causeway.preflight.site.asking import Answer

CLIENT_CERTIFICATE_REQUIRED = 7
SSL_REQUIRED = 4
_LOOKED_AT = 16 * 1024
_WORDS = {
    SSL_REQUIRED: re.compile(r"must be viewed over a secure channel|ssl is required|ssl required", re.IGNORECASE),
    CLIENT_CERTIFICATE_REQUIRED: re.compile(
        r"client certificate (?:is )?required|requires a client cert", re.IGNORECASE
    ),
    13: re.compile(r"certificate (?:has been |was |is )?revoked", re.IGNORECASE),
    16: re.compile(r"certificate is (?:ill-formed|untrusted|not trusted)", re.IGNORECASE),
    17: re.compile(r"certificate has expired|certificate is (?:expired|not yet valid)", re.IGNORECASE),
}
_LOG = r"Its log says more, in sc-status and sc-substatus: `C:\inetpub\logs\LogFiles` on the server."


@dataclass(frozen=True, slots=True)
class Role:
    """What IIS serves there.

    Attributes:
        title: of the role.
        pool: its application pool.
        logs: where the role itself says what is wrong.
        path: of the web site and the directory that must allow anonymous access.
    """

    title: str
    pool: str
    logs: str
    path: str


MANAGEMENT_POINT = Role(
    "management point", "SMS Management Point Pool", "mpcontrol.log and MP_Framework.log", "Default Web Site/SMS_MP"
)


def sub_status(answer: Answer) -> int | None:
    """The sub-status of an answer, where its page or its reason tells it."""
    text = answer.reason + "\n" + answer.body[:_LOOKED_AT].decode("utf-8", "replace")
    found = re.search(rf"\b{answer.status}\.([1-9][0-9]{{0,2}})\b", text)
    if found:
        return int(found[1])
    if answer.status == 403:
        return next((number for number, words in _WORDS.items() if words.search(text)), None)
    return None


def meaning(answer: Answer, role: Role, *, shown: bool) -> tuple[str, str]:
    """What a status other than 200 means, and what to do.

    Args:
        answer: of IIS, or of something that stands before it.
        role: that was asked.
        shown: whether a client certificate was at hand for it.
    """
    number = sub_status(answer)
    label = f"{answer.status}.{number}" if number else answer.line
    if answer.status == 403:
        what, action = _forbidden(number, shown=shown)
    elif answer.status in _MEANINGS:
        what, action = _MEANINGS[answer.status]
    elif 300 <= answer.status < 400:
        what, action = "sends elsewhere", "Remove the HTTP redirection from this site in IIS."
    elif answer.status >= 500:
        what, action = _MEANINGS[500]
    else:
        what, action = f"is no answer of a {role.title}", f"See what listens there. {_LOG}"
    fill = {"title": role.title, "pool": role.pool, "logs": role.logs, "path": role.path, "log": _LOG}
    return f"{label}: {what.format(**fill)}", action.format(**fill)


_MEANINGS = {
    400: ("refuses the request", "See what stands before it: a proxy, a load balancer, an HTTP filter. {log}"),
    401: (
        "wants a Windows sign-in",
        "Allow anonymous authentication there: `Set-WebConfigurationProperty -Filter "
        "system.webServer/security/authentication/anonymousAuthentication -PSPath IIS:\\ -Location "
        '"{path}" -Name enabled -Value $true`.',
    ),
    404: (
        "there is no {title} at this address",
        "Compare host and port with the plan, and see whether the role is installed: {logs}. IIS's request filtering "
        "answers so, too. {log}",
    ),
    405: ("does not allow GET", "Allow GET, POST, CCM_POST, HEAD and PROPFIND in IIS's request filtering."),
    500: (
        "the {title} fails within itself",
        "See {logs} on the server; 500.19 is a fault in IIS's configuration. {log}",
    ),
    502: ("a proxy before it does not reach it", "Ask it past the proxy; site systems are reached directly."),
    503: (
        "its application pool does not run",
        'On the server: `Start-WebAppPool "{pool}"`, and see why it stopped: the System event log (WAS), {logs}.',
    ),
    504: ("a proxy before it got no answer", "Ask it past the proxy; site systems are reached directly."),
}


def _forbidden(number: int | None, *, shown: bool) -> tuple[str, str]:
    if number in _FORBIDDEN:
        return _FORBIDDEN[number]
    if shown:
        return (
            "does not take the client certificate that was shown",
            "403.13: it is revoked, or its revocation list cannot be reached from there; 403.16: it is not trusted; "
            f"403.17: it has expired. {_LOG}",
        )
    return _FORBIDDEN[CLIENT_CERTIFICATE_REQUIRED]


_FORBIDDEN = {
    SSL_REQUIRED: ("wants TLS", "Ask it over HTTPS."),
    6: ("does not take this machine's address", "Look at IP Address and Domain Restrictions in IIS."),
    CLIENT_CERTIFICATE_REQUIRED: (
        "wants a client certificate",
        "Name one of your PKI with --site-client-certificate and --site-client-key. Where one was named, the server "
        "got none: it must be for client authentication.",
    ),
    13: (
        "the client certificate is revoked, or its revocation list cannot be reached from the server",
        "On the server: `certutil -verify -urlfetch CERTIFICATE.cer`, and publish the list where that can fetch it.",
    ),
    14: ("does not list a folder", "Compare host and port with the plan."),
    16: (
        "the server does not trust the client certificate",
        "Bring its root into Trusted Root Certification Authorities of the server's computer account, and see "
        "that nothing but roots is there: "
        "`Get-ChildItem Cert:\\LocalMachine\\Root | Where-Object {{$_.Issuer -ne $_.Subject}}`.",
    ),
    17: ("the client certificate has expired, or is not valid yet", "Renew it, and compare the clocks."),
}
