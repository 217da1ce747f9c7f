"""What a management point showed and answered, held against the plan. Pure: no network."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509

from causeway.messaging.errors import MessagingError
from causeway.messaging.keyinfo import MPList, parse_mp_certificates, parse_mp_list
from causeway.messaging.signatures import decode_certificate
from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import Plan
from causeway.plan.values import ManagementPointMode
from causeway.preflight.site.asking import Answer
from causeway.preflight.site.certificate import enrol_and_bind, name_with_ca
from causeway.preflight.site.iis import CLIENT_CERTIFICATE_REQUIRED, MANAGEMENT_POINT, meaning, sub_status
from causeway.preflight.text import shortened

CERTIFICATE = "management point certificate"
CLIENT_CERTIFICATE = "management point client certificate"
MPLIST = "management point MPLIST"
MPCERT = "management point MPCERT"
CHECKS = (CERTIFICATE, CLIENT_CERTIFICATE, MPLIST, MPCERT)

_OK = 200
_MOST_NAMES = 8


@dataclass(frozen=True, slots=True)
class Seen:
    """What there was to see.

    Attributes:
        asks: the handshake asked for a client certificate.
        without: the answer to ``MPLIST`` without one.
        mp_list: the answer in the end, with one where one was at hand and wanted.
        mp_certificate: the answer to ``MPCERT``, asked where ``MPLIST`` was answered.
        shown: a certificate was at hand for the last ones.
    """

    asks: bool
    without: Answer
    mp_list: Answer
    mp_certificate: Answer
    shown: bool = False


def actions(mode: ManagementPointMode, host: str, plan: Plan, *, own: bool = False) -> Mapping[str, str]:
    """What to do about a certificate, by what is wrong with it."""
    if own:
        new = f"Issue it anew for the site: `causeway authority issue site {host}`."
    elif mode is ManagementPointMode.ENHANCED_HTTP:
        new = (
            f"The site makes this certificate: `Set-CMSite -SiteCode {plan.site.code or 'CODE'} -UseSmsGeneratedCert "
            "$true`, then see mpcontrol.log on the server, and that IIS's binding of port 443 has it."
        )
    else:
        new = f"On {host}: `{enrol_and_bind(host, 'Default Web Site')}`."
    root = (
        "the SMS Issuing certificate, from Administration > Security > Certificates in the console"
        if mode is ManagementPointMode.ENHANCED_HTTP
        else "its root"
    )
    return {"": new, "chain": name_with_ca(root)}


def asked_results(
    plan: Plan, target: str, mode: ManagementPointMode, seen: Seen, certificate: Sequence[CheckResult]
) -> list[CheckResult]:
    """Every check but the one of the certificate."""
    if seen.mp_list.untrusted:
        return [_untrusted(target, seen, certificate)]
    return [_client_certificate(target, mode, seen), *_list(plan, target, mode, seen)]


def _untrusted(target: str, seen: Seen, certificate: Sequence[CheckResult]) -> CheckResult:
    if any(each.status is Status.FAIL for each in certificate):
        return CheckResult(MPLIST, target, Status.SKIP, "not asked, because its certificate is not trusted")
    action = "Name its root with --ca; nothing is asked of a server whose certificate cannot be verified."
    return CheckResult(MPLIST, target, Status.FAIL, seen.mp_list.trouble, action)


def _wants_one(seen: Seen) -> bool:
    """It refuses whoever shows no client certificate."""
    # Some end the connection instead of answering; the handshake itself went well, or nothing would have been asked.
    if any(words in seen.without.trouble for words in ("certificate required", "handshake failure")):
        return True
    return seen.without.status == 403 and sub_status(seen.without) in {None, CLIENT_CERTIFICATE_REQUIRED}


def _client_certificate(target: str, mode: ManagementPointMode, seen: Seen) -> CheckResult:
    host = target.rpartition(":")[0]
    wants = _wants_one(seen)
    if seen.without.trouble and not wants:
        return CheckResult(CLIENT_CERTIFICATE, target, Status.SKIP, f"it did not answer: {seen.without.trouble}")
    if mode is ManagementPointMode.ENHANCED_HTTP:
        if wants:
            action = 'It is in HTTPS mode: set mode = "https" in the plan, or clear "HTTPS" in the role\'s properties.'
            return CheckResult(
                CLIENT_CERTIFICATE,
                target,
                Status.FAIL,
                "refuses who shows none, and the plan says enhanced HTTP",
                action,
            )
        return CheckResult(CLIENT_CERTIFICATE, target, Status.PASS, "does not insist on one, as with enhanced HTTP")
    if wants:
        return CheckResult(CLIENT_CERTIFICATE, target, Status.PASS, "refuses who shows none, as with HTTPS")
    if seen.asks:
        details = "asks for one in the handshake, and answers this question without"
        return CheckResult(CLIENT_CERTIFICATE, target, Status.PASS, details)
    action = (
        f"Set the role to HTTPS: `Set-CMManagementPoint -SiteSystemServerName {host} -EnableSsl $true`; or set "
        'mode = "enhanced-http" in the plan.'
    )
    return CheckResult(
        CLIENT_CERTIFICATE, target, Status.FAIL, "asks for none, so no device can show one; the plan says HTTPS", action
    )


def _list(plan: Plan, target: str, mode: ManagementPointMode, seen: Seen) -> list[CheckResult]:
    answer = seen.mp_list
    if answer.trouble and _wants_one(seen) and not seen.shown:
        return [CheckResult(MPLIST, target, Status.SKIP, _NO_CERTIFICATE)]
    if answer.trouble:
        action = "See whether something stands between, and whether the role runs: mpcontrol.log on the server."
        return [CheckResult(MPLIST, target, Status.FAIL, answer.trouble, action)]
    if answer.status != _OK:
        if _wants_one(seen) and not seen.shown and mode is ManagementPointMode.HTTPS:
            return [CheckResult(MPLIST, target, Status.SKIP, _NO_CERTIFICATE)]
        what, action = meaning(answer, MANAGEMENT_POINT, shown=seen.shown)
        return [CheckResult(MPLIST, target, Status.FAIL, what, action)]
    try:
        listed = parse_mp_list(answer.body)
    except MessagingError as error:
        return [_no_answer(MPLIST, target, error)]
    return [_named(plan, target, listed), _own_certificate(target, seen.mp_certificate)]


_NO_CERTIFICATE = (
    "it wants a client certificate, and none was named; name one of your PKI with --site-client-certificate and "
    "--site-client-key"
)


def _no_answer(check: str, target: str, error: Exception) -> CheckResult:
    action = "Something else answers at this address: compare host and port with the plan, and see what is bound there."
    return CheckResult(check, target, Status.FAIL, f"no answer of a management point: {shortened(str(error))}", action)


def _named(plan: Plan, target: str, listed: MPList) -> CheckResult:
    host, code = target.rpartition(":")[0].lower(), plan.site.code
    points = listed.management_points
    if not points:
        action = "See mpcontrol.log on the server, and whether the management point is in Active Directory or DNS."
        return CheckResult(MPLIST, target, Status.FAIL, "names no management point", action)
    codes = sorted({shortened(each.site_code, 16) for each in points})
    if code is not None and code.lower() not in {each.lower() for each in codes}:
        details = f"is of the site {', '.join(codes[:_MOST_NAMES])}, and the plan says {code}"
        return CheckResult(MPLIST, target, Status.FAIL, details, "Correct site.code or the host in the plan.")
    names = [shortened(each.fqdn or each.name, 80) for each in points]
    told = f"{', '.join(names[:_MOST_NAMES])}{' …' if len(names) > _MOST_NAMES else ''} of the site {', '.join(codes)}"
    if not any(host in {each.fqdn.lower(), each.name.lower()} for each in points):
        action = "Name the management point in the plan as the site names it, so that certificate and URLs fit."
        return CheckResult(MPLIST, target, Status.WARN, f"names {told}, and not {host}", action)
    return CheckResult(MPLIST, target, Status.PASS, f"names {told}")


def _own_certificate(target: str, answer: Answer) -> CheckResult:
    """The certificate that devices encrypt to and verify with; it may be another than the one of TLS."""
    if answer.trouble:
        return CheckResult(MPCERT, target, Status.FAIL, answer.trouble, "Try again; MPLIST was answered.")
    if answer.status != _OK:
        what, action = meaning(answer, MANAGEMENT_POINT, shown=True)
        return CheckResult(MPCERT, target, Status.FAIL, what, action)
    try:
        certificate = decode_certificate(parse_mp_certificates(answer.body).first.value)
    except MessagingError as error:
        return _no_answer(MPCERT, target, error)
    told = f"{shortened(_subject(certificate), 80)}, valid until {certificate.not_valid_after_utc:%Y-%m-%d}"
    if not certificate.not_valid_before_utc <= dt.datetime.now(dt.UTC) <= certificate.not_valid_after_utc:
        action = "Renew the management point's certificate, and see mpcontrol.log on the server; compare the clocks."
        return CheckResult(MPCERT, target, Status.FAIL, f"{told}: not valid now", action)
    return CheckResult(MPCERT, target, Status.PASS, told)


def _subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "(no name)"
