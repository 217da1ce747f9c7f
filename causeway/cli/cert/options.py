"""What the commands of ``causeway cert`` have in common."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from causeway.cli.shared.addresses import certificate_name
from causeway.cli.shared.output import print_json, stderr, stdout
from causeway.errors import OperatorError
from causeway.pki.chain import Chain
from causeway.pki.comparison import Change, compare
from causeway.pki.errors import CertificateFileError, DeployHookFailed
from causeway.pki.folder import CertificateFolder
from causeway.pki.requests import ServerNames
from causeway.plan.certificate import certificate_need
from causeway.plan.document import read_plan
from causeway.plan.values import KeyType

FolderOption = Annotated[Path, typer.Option("--folder", "-f", help="The certificate's folder.")]
PlanOption = Annotated[Path | None, typer.Option("--plan", "-p", help="Take names and key from this plan.")]
NamesOption = Annotated[
    list[str] | None, typer.Option("--name", "-n", help="A name; the first is the subject's. May repeat.")
]
OrganisationOption = Annotated[str | None, typer.Option("--organisation", help="The organisation in the subject.")]
KeyOption = Annotated[KeyType | None, typer.Option("--key", help="The key's kind.")]
FOLDER = Path("certificate")


def what_for(
    plan: Path | None, names: Sequence[str] | None, organisation: str | None, key: KeyType | None
) -> tuple[ServerNames, KeyType]:
    """Names and key: the options', or else the plan's.

    Raises:
        OperatorError: neither says a name, a name is none, or the plan is none.
    """
    need = certificate_need(read_plan(plan)) if plan is not None else None
    if not names and need is None:
        raise OperatorError("whom is the certificate for? Give --plan causeway-plan.toml, or --name")
    common, *others = map(certificate_name, names) if names else (need.alternative_names if need else ())
    if organisation is None:
        organisation = need.organisation if need else ""
    return ServerNames(common, organisation, tuple(others)), key or (need.key if need else KeyType.RSA_2048)


def installed(folder: CertificateFolder, chain: Chain, before: Chain | None, *, as_json: bool) -> None:
    """Say what serves now, and what is different from before."""
    changes = _changes(before, chain)
    if as_json:
        print_json(
            {
                "certificate": folder.certificate,
                "key": folder.key,
                "valid_until": chain.leaf.not_valid_after_utc.isoformat(),
                "missing_issuer": chain.missing or None,
                "changes": [
                    {"what": c.what, "before": c.before, "after": c.after, "noticed": c.noticed} for c in changes
                ],
            }
        )
        return
    print_changes(changes)
    if chain.missing:
        warn(f"the chain is not complete: the certificate of {chain.missing} is missing")
    stdout.print(
        f"{folder.certificate} and {folder.key}: valid to {chain.leaf.not_valid_after_utc:%Y-%m-%d}",
        markup=False,
        soft_wrap=True,
    )


def print_changes(changes: Sequence[Change]) -> None:
    """A line a change; what clients notice stands out."""
    for change in changes:
        was = (
            f"{change.before} → {change.after}"
            if change.before and change.after
            else change.after or f"no {change.before}"
        )
        stdout.print(f"  {change.what}: {was}", markup=False, soft_wrap=True)
        if change.noticed:
            warn(change.noticed)


def _changes(before: Chain | None, chain: Chain) -> list[Change]:
    if before is None:
        return []
    try:
        return compare(before, chain)
    except ValueError as error:
        raise CertificateFileError(f"a certificate has an extension that does not decode: {error}") from error


def run_deploy_hook(command: Sequence[str], folder: CertificateFolder) -> None:
    """Run the operator's command, with the folder in ``CAUSEWAY_CERTIFICATE_FOLDER``.

    Raises:
        DeployHookFailed: it failed. The certificate serves all the same.
    """
    if not command:
        return
    environment = {**os.environ, "CAUSEWAY_CERTIFICATE_FOLDER": str(folder.path.absolute())}
    try:
        done = subprocess.run(command, env=environment, stdout=sys.stderr, check=False)  # noqa: S603  # the operator's own
    except OSError as error:
        raise OperatorError(f"{command[0]}: cannot be run: {error.strerror}; correct deploy_hook") from error
    if done.returncode:
        raise DeployHookFailed(f"{command[0]}: exit code {done.returncode}; the new certificate is in {folder.path}")


def warn(text: str) -> None:
    """One line of warning on standard error."""
    stderr.print("[yellow]warning:[/yellow]", end=" ")
    stderr.print(text, markup=False, soft_wrap=True)


def report(text: str) -> None:
    """A line about what goes on, on standard error."""
    stderr.print(text, markup=False, soft_wrap=True, style="dim")


def ask(text: str) -> None:
    """Show something to do, and wait for Enter.

    Raises:
        OperatorError: there is nobody to press it.
    """
    stderr.print(text, markup=False, soft_wrap=True)
    if not sys.stdin.isatty():
        raise OperatorError("nobody is there to create the record: use --dns-hook or --dns-provider")
    typer.prompt("Press Enter when it is there", default="", show_default=False, err=True)
