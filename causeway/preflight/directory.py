"""The groups of the Active Directory and their members, read over LDAP from one of the domain's controllers.

This module does without the extra ``directory``; what needs it is imported only where it is installed.
"""

import asyncio
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from causeway.directory.values import Transport
from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import Plan
from causeway.plan.groups import groups
from causeway.preflight.directory_results import ACCOUNTS, GROUP, MEMBERS, OTHERS
from causeway.preflight.probe import Probe

CONTROLLER = "directory controller"
CERTIFICATE = "directory certificate"
SIGN_IN = "directory sign-in"
CHECKS = (CONTROLLER, CERTIFICATE, SIGN_IN, GROUP, MEMBERS, ACCOUNTS, OTHERS)

_INSTALL = 'LDAP is not installed: `pip install "causeway[directory]"`, or `make extras` in a clone'


@dataclass(frozen=True, slots=True)
class Access:
    """How the directory is reached and who signs in.

    Attributes:
        servers: host, and port or None for the transport's own; where empty, the DNS is asked.
        transport: None for what the way to sign in needs.
        user: whose password or keytab.
        password: for a sign-in by name and password.
        keytab: for a sign-in by Kerberos; where neither is given, the ticket of ``kinit`` is used.
        authorities: files with roots of one's own.
    """

    servers: tuple[tuple[str, int | None], ...] = ()
    transport: Transport | None = None
    user: str = ""
    password: str | None = field(default=None, repr=False)
    keytab: Path | None = None
    authorities: tuple[Path, ...] = ()

    @property
    def protected_by(self) -> Transport:
        """The transport: a password needs TLS, Kerberos encrypts by itself."""
        return self.transport or (Transport.LDAP if self.password is None else Transport.LDAPS)


def probes(plan: Plan, access: Access, *, timeout_s: float) -> tuple[Probe, ...]:
    """What to look at."""
    needs, domain = groups(plan), plan.directory.domain
    if not needs:
        return (_skipped("directory", "the plan names no groups"),)
    if not domain and not access.servers:
        return (_skipped("directory", "the plan names no domain: set domain in [directory]"),)
    target = domain or access.servers[0][0]
    if importlib.util.find_spec("sansldap") is None or importlib.util.find_spec("spnego") is None:
        return (_skipped(target, _INSTALL),)

    async def look() -> Sequence[CheckResult]:
        ends = asyncio.get_running_loop().time() + timeout_s
        from causeway.preflight.directory_look import Look  # noqa: PLC0415  # it needs the extra

        return await Look(domain or "", needs, access, timeout_s, ends).run()

    return (Probe(CONTROLLER, target, look),)


def _skipped(target: str, why: str) -> Probe:
    async def look() -> Sequence[CheckResult]:
        return [CheckResult(CONTROLLER, target, Status.SKIP, why)]

    return Probe(CONTROLLER, target, look)
