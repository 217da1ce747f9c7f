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
from causeway.pki.chain import build_chain, find_leaf
from causeway.pki.inspection import Wanted, inspect_chain
from causeway.pki.live import Shown, look_at
from causeway.plan.certificate import certificate_need
from causeway.plan.document import Plan
from causeway.plan.runbook.premises import certificate_checked, obtain_certificate
from causeway.plan.values import Target
from causeway.preflight.probe import Probe

HTTPS = 443
FILE = "certificate file"
SERVER = "certificate server"
CHECKS = (FILE, SERVER)
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
    """

    files: tuple[Path, ...] = ()
    server: tuple[str, int] | None = None
    authorities: tuple[Path, ...] = ()
    passphrase: bytes | None = field(default=None, repr=False)


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
    chain = build_chain(find_leaf(bundle.certificates, bundle.key, label), (*bundle.certificates, *others))
    return inspect_chain(label, chain, bundle.key, wanted, now=dt.datetime.now(dt.UTC))


def inspect_shown(label: str, shown: Shown, others: Iterable[x509.Certificate], wanted: Wanted) -> list[CheckResult]:
    """Every check of a certificate that a server showed; its key is not to be had."""
    chain = build_chain(shown.certificates[0], (*shown.certificates[1:], *others))
    wanted = dataclasses.replace(wanted, needs_key=False)
    return inspect_chain(label, chain, None, wanted, now=dt.datetime.now(dt.UTC))


async def shake_hands(host: str, port: int, server_name: str, timeout_s: float) -> Shown:
    """The look at a real server."""
    return await look_at(host, port, server_name=server_name, timeout_s=timeout_s)


def probes(
    plan: Plan, plan_file: Path, sources: Sources, *, timeout_s: float, look: Look = shake_hands
) -> tuple[Probe, ...]:
    """What to look at: the files, the server, or both."""
    wanted = wanted_by(plan)
    found = []
    if sources.files:
        label = str(sources.files[0])

        def read() -> list[CheckResult]:
            bundle = read_bundles(sources.files, sources.passphrase)
            return inspect_bundle(label, bundle, read_bundles(sources.authorities).certificates, wanted)

        async def files() -> Sequence[CheckResult]:
            return await asyncio.to_thread(read)

        found.append(Probe(FILE, label, files, "Name the certificate's files with --certificate."))
    if sources.server is not None or not sources.files:
        host, port = sources.server or (plan.names.service_name, HTTPS)
        target = f"{host}:{port}"

        async def server() -> Sequence[CheckResult]:
            others = await asyncio.to_thread(read_bundles, sources.authorities)
            shown = await look(host, port, plan.names.service_name, timeout_s)
            return inspect_shown(target, shown, others.certificates, wanted)

        remedy = (
            f"Get it with `{obtain_certificate(plan, plan_file).text}`; where the gateway is not there yet, look at "
            f"the files: `{certificate_checked(plan_file).text}`."
        )
        found.append(Probe(SERVER, target, server, remedy))
    return tuple(found)
