"""Checks of what the site needs to know about revocation, before it runs or while it does."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from causeway.errors import CausewayError
from causeway.observability.checks import CheckResult, Status
from causeway.pki.issuers import Authorities
from causeway.pki.revocation_list import RevocationList, read_revocation_list
from causeway.site.config import RevocationConfig
from causeway.site.revocation.fetch import Validators, fetch, is_url, read_file
from causeway.site.revocation.wanted import wanted_sources

_NAME = "revocation list"
_SOON = timedelta(hours=12)


def check_chains(authorities: tuple[x509.Certificate, ...]) -> list[CheckResult]:
    """Whether the trusted intermediates have their issuers, up to a root."""
    name = "trusted chains"
    incomplete = Authorities(authorities).incomplete()
    if not incomplete:
        return [CheckResult(name, "gateway.trusted_roots", Status.PASS, f"{len(authorities)} certificates, complete")]
    return [
        CheckResult(
            name,
            subject,
            Status.FAIL,
            f"the certificate of its issuer {missing} is missing",
            f"add the certificate of {missing} to gateway.trusted_roots",
        )
        for subject, missing in incomplete.items()
    ]


def check_lists(config: RevocationConfig, authorities: tuple[x509.Certificate, ...]) -> list[CheckResult]:
    """Ask for every list, as the running site does."""
    if not config.check:
        details = "revocation.check is false: revoked client certificates are accepted"
        return [CheckResult(_NAME, "revocation", Status.WARN, details, "take revocation.check out of site.toml")]
    sources = wanted_sources(config, authorities, ())
    if not sources:
        details = "none is set, and no trusted intermediate names one; certificates that name none are " + (
            "accepted" if config.accept_unpublished else "refused"
        )
        return [CheckResult(_NAME, "revocation", Status.PASS, details)]
    return [_check(source, config, authorities) for source in sources]


def _check(source: str, config: RevocationConfig, authorities: tuple[x509.Certificate, ...]) -> CheckResult:
    now = datetime.now(UTC)
    try:
        found = _ask(source, config, authorities, now)
    except CausewayError as error:
        action = "let the site reach it, or set revocation.proxy" if is_url(source) else "correct the file or its path"
        return CheckResult(_NAME, source, Status.FAIL, f"{error.word}: {error}", action)
    details = f"{len(found.revoked)} revoked, the next one is due at {found.next_update:%Y-%m-%d %H:%M}Z"
    if found.next_update <= now:
        return CheckResult(_NAME, source, Status.FAIL, f"it has ended: {details}", "have the authority publish anew")
    if found.next_update - now < _SOON and found.next_update - found.this_update > 2 * _SOON:
        return CheckResult(_NAME, source, Status.FAIL, f"it ends soon: {details}", "have the authority publish anew")
    return CheckResult(_NAME, source, Status.PASS, details)


def _ask(
    source: str, config: RevocationConfig, authorities: tuple[x509.Certificate, ...], now: datetime
) -> RevocationList:
    if is_url(source):
        asked = fetch(source, config, Validators())
        data = asyncio.run(asked) or b""
    else:
        data = read_file(Path(source))
    return read_revocation_list(data, authorities, now=now)
