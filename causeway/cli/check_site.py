"""The options of ``causeway check`` that say how to ask the site's servers."""

from pathlib import Path
from typing import Annotated

import typer

from causeway.cli.check_certificate import Authorities
from causeway.cli.passphrase import from_file
from causeway.errors import OperatorError
from causeway.plan.document import Plan
from causeway.preflight.probe import Probe
from causeway.preflight.site import management_point, update_point
from causeway.preflight.site.asking import Asker, ClientCertificate
from causeway.preflight.site.means import Means

PANEL = "Group site"

ClientCertificateFile = Annotated[
    Path | None,
    typer.Option(
        "--site-client-certificate",
        help="A client certificate in PEM, for management points that want one.",
        rich_help_panel=PANEL,
    ),
]
ClientKeyFile = Annotated[
    Path | None,
    typer.Option("--site-client-key", help="Its key in PEM, where it is not with it.", rich_help_panel=PANEL),
]
ClientPassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--site-client-passphrase-file",
        help="A file whose first line is that key's passphrase.",
        rich_help_panel=PANEL,
    ),
]


def probes(
    plan: Plan,
    authorities: Authorities,
    certificate: ClientCertificateFile,
    key: ClientKeyFile,
    passphrase_file: ClientPassphraseFile,
    timeout_s: float,
) -> tuple[Probe, ...]:
    """What the options make of the group.

    Raises:
        OperatorError: options contradict, or a file cannot be read.
    """
    if certificate is None and (key or passphrase_file):
        raise OperatorError("--site-client-key and its passphrase need --site-client-certificate")
    roots = tuple(authorities or ())
    shown = ClientCertificate(certificate, key, from_file(passphrase_file)) if certificate else None
    means = Means(Asker(roots, shown), has_certificate=shown is not None, authorities=roots, timeout_s=timeout_s)
    return (*management_point.probes(plan, means), *update_point.probes(plan, means))
