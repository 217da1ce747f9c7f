"""``causeway identity``: how a gateway would decide on a client."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.cli.identity.settings_in_force import SettingsInForce, settings_in_force
from causeway.cli.shared.help import examples, pointer
from causeway.cli.shared.options import JsonOption
from causeway.cli.shared.output import print_checks, stderr
from causeway.errors import OperatorError
from causeway.gateway.explain import explain_endpoint
from causeway.identity.certificate import identity_of, names_of
from causeway.identity.client_trust import ClientTrust
from causeway.identity.denial import Denied
from causeway.identity.entra.lookup import look_up
from causeway.identity.entra.verifier import EntraVerifier, KeySource, no_keys
from causeway.identity.explain import Explanation, explain_blocks, explain_token
from causeway.identity.jwt import MAX_TOKEN_BYTES, read_token
from causeway.observability.checks import CheckResult, passed
from causeway.pki.fingerprints import fingerprints_of

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Who a client is, and why a gateway says so.",
    epilog=pointer("identity.md"),
)


@app.callback()
def options() -> None:
    """Keep ``explain`` a command of its own."""


@app.command(
    epilog=examples(
        "causeway identity explain --token @token",
        "causeway identity explain --certificate client.pem --endpoint /CCM_Proxy_MutualAuth/1/CCM_Client",
    )
)
def explain(
    token: Annotated[
        str | None,
        typer.Option(
            help="An Entra, site or bulk registration token: @FILE, - for standard input, or the token itself, which "
            "others on this machine can then read in the list of processes.",
            show_default=False,
        ),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="A client certificate, PEM or DER; of a chain, the first.", show_default=False)
    ] = None,
    config: Annotated[
        Path, typer.Option("--config", "-c", help="gateway.toml, whose settings in force count, or site.toml.")
    ] = Path("gateway.toml"),
    settings: Annotated[
        Path | None, typer.Option(help="A file of signed gateway settings, instead.", show_default=False)
    ] = None,
    site_key: Annotated[
        Path | None, typer.Option(help="The site's public key that those are signed with.", show_default=False)
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(help="An external path, such as /CCM_Proxy_ServerAuth/<id>/CCM_STS: may the client call it?"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show step by step how a gateway would decide on a token or a certificate.

    Exit code 0: the client would be believed; 1: it would not.
    """
    if (token is None) == (certificate is None):
        raise typer.BadParameter("give either --token or --certificate")
    found = settings_in_force(config, settings, site_key)
    now = time.time()
    told = (
        _of_token(_read(token), found, now) if token is not None else _of_certificate(certificate or Path(), found, now)
    )
    steps = [found.step, *told.steps]
    if endpoint is not None and told.identity is not None:
        steps.append(explain_endpoint(found.settings, endpoint, told.identity))
    raise typer.Exit(print_checks(steps, as_json=as_json))


def _read(token: str) -> bytes:
    """The token that ``--token`` means.

    Raises:
        OperatorError: its file cannot be read.
    """
    if token == "-":  # noqa: S105  # standard input, as everywhere
        return sys.stdin.buffer.read(MAX_TOKEN_BYTES + 2).strip()
    if token.startswith("@"):
        try:
            with Path(token[1:]).open("rb") as file:
                return file.read(MAX_TOKEN_BYTES + 2).strip()
        except OSError as error:
            raise OperatorError(
                f"{token[1:]}: cannot be read: {error.strerror}; expected a file with a token"
            ) from error
    stderr.print(
        "warning: others can read a token on the command line; give --token @FILE, or --token - and standard input",
        soft_wrap=True,
    )
    return token.strip().encode()


def _of_token(compact: bytes, found: SettingsInForce, now: float) -> Explanation:
    keys: KeySource = no_keys
    fetched: list[CheckResult] = []
    try:
        read = read_token(compact)
        verifier = EntraVerifier(found.settings.entra_tenants, no_keys)
        tenant = verifier.tenant(read) if verifier.responsible(read.issuer) else None
    except Denied:
        tenant = None  # told of by the steps
    if tenant is not None:
        known, step = asyncio.run(look_up(tenant, read.key_id, found.entra_keys, found.entra_keys_folder))
        fetched.append(step)
        keys = lambda _tenant_id: known  # noqa: E731  # one tenant's

    told = explain_token(compact, found.settings, keys, now)
    return Explanation((*fetched, *told.steps), told.identity)


def _of_certificate(path: Path, found: SettingsInForce, now: float) -> Explanation:
    der = _leaf(path)
    steps = tuple(ClientTrust.of(found.settings, {}).explain(der, now))
    if not passed(steps):
        return Explanation(steps, None)
    identity = identity_of(der)
    blocks = explain_blocks(found.settings, identity, names_of(der), fingerprints=fingerprints_of(der))
    return Explanation((*steps, blocks), identity)


def _leaf(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificates(data)[0].public_bytes(Encoding.DER)
    except OSError as error:
        raise OperatorError(
            f"{path}: cannot be read: {error.strerror}; expected a client certificate, PEM or DER"
        ) from error
    except ValueError as error:
        raise OperatorError(f"{path}: not a certificate; expected a client certificate, PEM or DER") from error
    return data
