"""One look at a directory: its controllers, a certificate, a sign-in, the groups. Needs the extra ``directory``."""

import asyncio
import datetime as dt
import ssl
from collections.abc import Sequence

from cryptography import x509

from causeway.directory.connection import Connection, Server, connect
from causeway.directory.errors import DirectoryUntrusted, NoCredentials
from causeway.directory.kerberos import Ticket
from causeway.directory.locate import controllers, record
from causeway.directory.reader import Reader, Root, read_root
from causeway.directory.trust import verifying
from causeway.directory.values import Transport
from causeway.errors import CausewayError, OperatorError
from causeway.observability.checks import CheckResult, Status
from causeway.pki.bundle import read_bundles
from causeway.pki.inspection import EXPIRES_SOON
from causeway.plan.groups import GroupNeed
from causeway.preflight.directory import CERTIFICATE, CONTROLLER, SIGN_IN, Access
from causeway.preflight.directory_results import GROUP, group_results

_LONGEST_CONNECT_S = 5.0
_LOCATE = "Run it where the domain's DNS is asked, or name a domain controller with --directory-server HOST."
_REACH = "Let this machine reach it (TCP 389 and 636), or name another with --directory-server HOST."


class Look:
    """What is looked at, and what was seen so far.

    Args:
        domain: its DNS name; empty where only servers are named.
        needs: the plan's groups.
        access: how, and as whom.
        timeout_s: for all.
        ends: when that is over, by the loop's clock.
    """

    def __init__(self, domain: str, needs: Sequence[GroupNeed], access: Access, timeout_s: float, ends: float) -> None:
        self._domain, self._needs, self._access = domain, needs, access
        self._ends = ends - timeout_s / 5  # before the one who waits gives up on everything
        self._connect_s = min(_LONGEST_CONNECT_S, timeout_s / 4)
        self._trust: ssl.SSLContext
        self.results: list[CheckResult] = []

    async def run(self) -> list[CheckResult]:
        """Every check."""
        self._trust = verifying((await asyncio.to_thread(read_bundles, self._access.authorities)).certificates)
        servers = await self._servers()
        reachable = [server for server, ok in zip(servers, await self._reach(servers), strict=True) if ok]
        if reachable:
            await self._certificate(reachable[0])
            await self._signed_in(reachable[0])
        return self.results

    def _add(self, name: str, target: str, status: Status, details: str, action: str = "") -> None:
        self.results.append(CheckResult(name, target, status, details, action))

    def _failed(self, name: str, target: str, error: Exception, action: str) -> None:
        if isinstance(error, TimeoutError):
            self._add(name, target, Status.FAIL, "no answer in time", action)
        elif isinstance(error, OperatorError):
            what, _, remedy = str(error).partition("; ")
            self._add(name, target, Status.FAIL, what, f"{remedy[:1].upper()}{remedy[1:]}." if remedy else action)
        elif isinstance(error, CausewayError):
            self._add(name, target, Status.FAIL, f"{error.word}: {error}", action)
        else:
            raise error

    async def _servers(self) -> list[Server]:
        if self._access.servers:
            return [Server(host, port) for host, port in self._access.servers]
        try:
            names = await controllers(self._domain, timeout_s=self._connect_s)
        except CausewayError as error:
            self._failed(CONTROLLER, record(self._domain), error, _LOCATE)
            return []
        return [Server(name) for name in names]

    async def _reach(self, servers: Sequence[Server]) -> list[bool]:
        """See which of them answer; one is enough, so the others' silence is a warning."""
        roots = await asyncio.gather(*(self._root(server) for server in servers))
        some = any(isinstance(root, Root) for root in roots)
        for server, root in zip(servers, roots, strict=True):
            if isinstance(root, Root):
                found = "named" if self._access.servers else "found in the DNS"
                details = f"{found}; a domain controller of {root.domain}"
                if self._domain and root.domain != self._domain.lower():
                    action = "Correct domain in [directory] of the plan, or --directory-server."
                    self._add(
                        CONTROLLER, server.host, Status.WARN, f"{details}, and the plan's is {self._domain}", action
                    )
                else:
                    self._add(CONTROLLER, server.host, Status.PASS, details)
                continue
            self._failed(CONTROLLER, server.host, root, _REACH)
            if some:
                last = self.results.pop()
                self._add(last.name, last.target, Status.WARN, last.details, last.action)
        return [isinstance(root, Root) for root in roots]

    async def _root(self, server: Server) -> Root | Exception:
        # Asked without TLS: what a controller says of itself needs none, and its certificate is a check of its own.
        plain = Transport.LDAPS if self._access.protected_by is Transport.LDAPS else Transport.LDAP
        try:
            async with asyncio.timeout(self._connect_s), connect(server, plain, self._trust) as connection:
                return await read_root(connection)
        except DirectoryUntrusted:
            return Root("", server.host, ())  # it answers; the rest is the certificate's check
        except (CausewayError, TimeoutError) as error:
            return error

    async def _certificate(self, server: Server) -> None:
        """Look at the certificate: it must be good where TLS is used, and is worth a warning where it is not."""
        used = self._access.protected_by
        transport = Transport.STARTTLS if used is Transport.STARTTLS else Transport.LDAPS
        looked_at = server if used is not Transport.LDAP else Server(server.host)
        target = f"{looked_at.host}:{looked_at.port_of(transport)}"
        try:
            async with asyncio.timeout(self._connect_s), connect(looked_at, transport, self._trust) as connection:
                self._dates(target, connection.certificate or b"")
        except (CausewayError, TimeoutError) as error:
            self._failed(CERTIFICATE, target, error, "Give the domain controller a certificate: template Kerberos "
                         "Authentication.")  # fmt: skip
            if used is Transport.LDAP:
                last = self.results.pop()
                details = f"{last.details}; Kerberos does without, sign-ins with a password cannot"
                self._add(last.name, last.target, Status.WARN, details, last.action)

    def _dates(self, target: str, certificate: bytes) -> None:
        ends = x509.load_der_x509_certificate(certificate).not_valid_after_utc
        if ends - dt.datetime.now(dt.UTC) < EXPIRES_SOON:
            action = "Renew it: `certreq -enroll -machine -cert SERIAL renew` on the domain controller."
            self._add(CERTIFICATE, target, Status.WARN, f"trusted, and ends on {ends:%Y-%m-%d}", action)
        else:
            self._add(CERTIFICATE, target, Status.PASS, f"trusted until {ends:%Y-%m-%d}")

    async def _signed_in(self, server: Server) -> None:
        access, target = self._access, server.host
        stage, action = SIGN_IN, "Try again with a longer --timeout."
        try:
            async with asyncio.timeout_at(self._ends), connect(server, access.protected_by, self._trust) as connection:
                root = await read_root(connection)
                await self._sign_in(connection)
                who = access.user or ("the keytab's account" if access.keytab else "the ticket's account")
                how = "password" if access.password is not None else "Kerberos"
                self._add(SIGN_IN, target, Status.PASS, f"{who}, by {how} over {access.protected_by}")
                stage, action = GROUP, "See what the domain controller's event log says, Directory Service."
                reader = Reader(connection, root.base)
                found = await reader.find([(need.name, need.members) for need in self._needs])
                self.results += group_results(self._needs, found)
        except NoCredentials as error:
            asked_for = access.user or access.keytab or access.password is not None
            details = f"{error}, or --directory-user with --directory-password-file"
            self._add(SIGN_IN, target, Status.FAIL if asked_for else Status.SKIP, details, "See docs/checks.md.")
        except DirectoryUntrusted as error:
            self._add(SIGN_IN, target, Status.SKIP, str(error).partition("; ")[0])
        except (CausewayError, TimeoutError) as error:
            self._failed(stage, target, error, action)

    async def _sign_in(self, connection: Connection) -> None:
        if self._access.password is not None:
            await connection.sign_in_with_password(self._access.user, self._access.password)
        else:
            await connection.sign_in_with_kerberos(Ticket(self._access.user, self._access.keytab))
