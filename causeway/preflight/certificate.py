"""The server certificate, in files or as a running server shows it, held against what the plan asks for."""

import asyncio
import dataclasses
import datetime as dt
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from causeway.observability.checks import CheckResult
from causeway.pki.bundle import Bundle, read_bundles
from causeway.pki.chain import Chain, build_chain, find_leaf
from causeway.pki.inspection import Wanted, inspect_chain
from causeway.pki.live import Shown, look_at
from causeway.plan.certificate import certificate_need
from causeway.plan.document import Plan
from causeway.plan.runbook.premises import certificate_checked, obtain_certificate
from causeway.plan.values import Target
from causeway.preflight import revocation
from causeway.preflight.probe import Probe
from causeway.transport.proxy import WebProxy

HTTPS = 443
FILE = "certificate file"
SERVER = "certificate server"
CHECKS = (FILE, SERVER, *revocation.CHECKS)
"""Besides those of ``inspect_chain``."""

Look = Callable[[str, int, str, float], Awaitable[Shown]]
"""Shakes hands: host, port, the name asked for, seconds."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the certificate is.

    Attributes:
        files: read together; where there are none, the server is looked at.
        server: host and port; None for the service name at 443, unless there are files.
        authorities: files with roots of one's own, or intermediates.
        passphrase: of the files.
        proxy: the plan's web proxy, on the way to revocation lists and responders.
    """

    files: tuple[Path, ...] = ()
    server: tuple[str, int] | None = None
    authorities: tuple[Path, ...] = ()
    passphrase: bytes | None = field(default=None, repr=False)
    proxy: WebProxy | None = None


def wanted_by(plan: Plan) -> Wanted:
    """What the plan asks of the certificate."""
    need = certificate_need(plan)
    return Wanted(
        names=(plan.names.service_name,),
        common_name=need.common_name if plan.target is Target.CONFIGMGR else "",
        key_kinds=tuple(kind.label for kind in sorted(need.allowed_keys)),
        needs_key=need.exportable,
    )


def inspect_bundle(label: str, bundle: Bundle, others: Iterable[x509.Certificate], wanted: Wanted) -> list[CheckResult]:
    """Every check of a certificate out of files.

    Raises:
        CertificateFileError: there is none, or several could be it.
    """
    return inspect_chain(label, chain_of_bundle(label, bundle, others), bundle.key, wanted, now=dt.datetime.now(dt.UTC))


def inspect_shown(label: str, shown: Shown, others: Iterable[x509.Certificate], wanted: Wanted) -> list[CheckResult]:
    """Every check of a certificate that a server showed; its key is not to be had."""
    wanted = dataclasses.replace(wanted, needs_key=False)
    return inspect_chain(label, chain_of_shown(shown, others), None, wanted, now=dt.datetime.now(dt.UTC))


def chain_of_bundle(label: str, bundle: Bundle, others: Iterable[x509.Certificate]) -> Chain:
    """The chain of the certificate in files.

    Raises:
        CertificateFileError: as for ``inspect_bundle``.
    """
    return build_chain(find_leaf(bundle.certificates, bundle.key, label), (*bundle.certificates, *others))


def chain_of_shown(shown: Shown, others: Iterable[x509.Certificate]) -> Chain:
    """The chain of what a server showed."""
    return build_chain(shown.certificates[0], (*shown.certificates[1:], *others))


async def shake_hands(host: str, port: int, server_name: str, timeout_s: float) -> Shown:
    """The look at a real server."""
    return await look_at(host, port, server_name=server_name, timeout_s=timeout_s)


def probes(
    plan: Plan, plan_file: Path, sources: Sources, *, timeout_s: float, look: Look = shake_hands
) -> tuple[Probe, ...]:
    """What to look at: the files, the server, or both."""
    wanted = wanted_by(plan)
    fetch = revocation.fetching(sources.proxy, timeout_s / 3)  # after the certificate itself
    found = []
    if sources.files:
        label = str(sources.files[0])

        def read() -> tuple[list[CheckResult], Chain]:
            bundle = read_bundles(sources.files, sources.passphrase)
            others = read_bundles(sources.authorities).certificates
            return inspect_bundle(label, bundle, others, wanted), chain_of_bundle(label, bundle, others)

        async def files() -> Sequence[CheckResult]:
            results, chain = await asyncio.to_thread(read)
            return [*results, *await revocation.ask(label, chain, fetch, now=dt.datetime.now(dt.UTC))]

        found.append(Probe(FILE, label, files, "Name the certificate's files with --certificate."))
    if sources.server is not None or not sources.files:
        host, port = sources.server or (plan.names.service_name, HTTPS)
        target = f"{host}:{port}"

        async def server() -> Sequence[CheckResult]:
            others = await asyncio.to_thread(read_bundles, sources.authorities)
            shown = await look(host, port, plan.names.service_name, timeout_s)
            chain = chain_of_shown(shown, others.certificates)
            asked = await revocation.ask(target, chain, fetch, now=dt.datetime.now(dt.UTC))
            return [*inspect_shown(target, shown, others.certificates, wanted), *asked]

        remedy = (
            f"Get it with `{obtain_certificate(plan, plan_file).text}`; where the gateway is not there yet, look at "
            f"the files: `{certificate_checked(plan_file).text}`."
        )
        found.append(Probe(SERVER, target, server, remedy))
    return tuple(found)
