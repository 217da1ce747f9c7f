"""The authorities whose client certificates the gateway is to trust, and a sample of theirs held against them."""

import asyncio
import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography import x509

from causeway.errors import OperatorError
from causeway.observability.checks import CheckResult, Status
from causeway.pki.bundle import read_bundles
from causeway.pki.chain import build_chain, find_leaf
from causeway.pki.inspection import Purpose, Wanted, inspect_chain
from causeway.plan.client_authorities import KEY, client_authorities
from causeway.plan.document import Plan
from causeway.plan.groups import client_certificates_wanted
from causeway.preflight.probe import Probe

TRUST = "certificate client trust"
SAMPLE = "certificate client sample"
CHECKS = (TRUST, SAMPLE)

_WHOLE = (
    "Give the gateway every root and intermediate of your PKI: name the missing one, too, in "
    f"{KEY} of the plan or with --client-trust."
)
_NAME = f"Name PEM or DER files in {KEY} of the plan, or with --client-trust."


def probes(plan: Plan, plan_file: Path, named: Sequence[Path], sample: Path | None) -> tuple[Probe, ...]:
    """What to look at; nothing where clients show no certificates and no file was named.

    Args:
        plan: names the authorities.
        plan_file: relative names start at its folder.
        named: authorities that take the place of the plan's.
        sample: a client's certificate.

    Raises:
        OperatorError: a sample with nothing to hold it against.
    """
    trust = tuple(named) or client_authorities(plan, plan_file)
    if sample is not None and not trust:
        raise OperatorError(f"--client-sample: held against what? {_NAME}")
    if not trust:
        return (Probe(TRUST, str(plan_file), _none_named),) if client_certificates_wanted(plan) else ()

    async def authorities() -> Sequence[CheckResult]:
        found = await asyncio.to_thread(read_bundles, trust)
        return inspect_trust(found.certificates, now=dt.datetime.now(dt.UTC))

    async def client() -> Sequence[CheckResult]:
        assert sample is not None
        trusted = await asyncio.to_thread(read_bundles, trust)
        shown = await asyncio.to_thread(read_bundles, [sample])
        return inspect_sample(str(sample), shown.certificates, trusted.certificates, now=dt.datetime.now(dt.UTC))

    found = [Probe(TRUST, str(trust[0]), authorities, _NAME)]
    if sample is not None:
        found.append(Probe(SAMPLE, str(sample), client, "Export a client's certificate, without its key."))
    return tuple(found)


async def _none_named() -> Sequence[CheckResult]:
    return [CheckResult(TRUST, KEY, Status.SKIP, "clients show certificates, and no authorities are named", _NAME)]


def inspect_trust(certificates: Iterable[x509.Certificate], *, now: dt.datetime) -> list[CheckResult]:
    """A line for each: it may issue, is valid, and its issuers are all there up to a root."""
    every = tuple(certificates)
    return [_authority(each, every, now) for each in every]


def inspect_sample(
    label: str, shown: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate], *, now: dt.datetime
) -> list[CheckResult]:
    """A client's certificate: it leads to a root that is trusted, and is what a client's must be.

    Raises:
        CertificateFileError: there is none, or several could be it.
    """
    # The gateway completes chains from what it trusts alone; what else is in the sample's file does not help it.
    chain = build_chain(find_leaf(shown, None, label), trusted)
    path = " ← ".join(each.subject.rfc4514_string() or "(no name)" for each in chain.certificates)
    if chain.root is not None and chain.root in trusted and set(chain.certificates[1:]) <= set(trusted):
        verdict = CheckResult(SAMPLE, label, Status.PASS, f"verified: {path}")
    else:
        why = f"{path}, and then {chain.missing or 'no root that was named'}: not among those to be trusted"
        verdict = CheckResult(SAMPLE, label, Status.FAIL, why, _WHOLE)
    return [verdict, *inspect_chain(label, chain, None, Wanted(purpose=Purpose.CLIENT), now=now)]


def _authority(one: x509.Certificate, every: Sequence[x509.Certificate], now: dt.datetime) -> CheckResult:
    name = one.subject.rfc4514_string() or "(no name)"
    until = f"valid {one.not_valid_before_utc:%Y-%m-%d} to {one.not_valid_after_utc:%Y-%m-%d}"
    try:
        issues = one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.ExtensionNotFound):
        issues = False
    if not issues:
        return CheckResult(TRUST, name, Status.FAIL, "is no authority's certificate", "Name roots and intermediates.")
    if not one.not_valid_before_utc <= now <= one.not_valid_after_utc:
        return CheckResult(TRUST, name, Status.FAIL, f"{until}: not now", "Get the authority's new certificate.")
    chain = build_chain(one, every)
    if chain.root is None or not set(chain.certificates) <= set(every):
        absent = chain.missing or one.issuer.rfc4514_string()
        return CheckResult(TRUST, name, Status.FAIL, f"{until}; the certificate of {absent} is missing", _WHOLE)
    kind = "a root" if len(chain.certificates) == 1 else f"leads to {chain.root.subject.rfc4514_string()}"
    return CheckResult(TRUST, name, Status.PASS, f"{until}; {kind}")
