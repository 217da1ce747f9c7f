"""``causeway connection-point``."""

import asyncio
import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from causeway.cli.shared.help import examples, pointer
from causeway.cli.shared.options import ConfigOption, JsonOption, PrintDefaultOption
from causeway.cli.shared.output import print_checks, print_json, stdout
from causeway.configuration import default_toml, load
from causeway.connection_point.check import check as check_connection_point
from causeway.connection_point.config import HEADING, ConnectionPointConfig
from causeway.connection_point.identity_keys import identity_keys as read_identity_keys
from causeway.connection_point.service import run as run_connection_point
from causeway.connection_point.signed_identity import HEADER, TYPE
from causeway.errors import OperatorError
from causeway.pki.roles import Role

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The connection point: the premises side, which dials the gateways.",
    epilog=pointer("set-up.md#5-the-connection-point"),
)


_DEFAULT = Path("connection-point.toml")


@app.command(
    epilog=examples(
        "causeway connection-point run --config connection-point.toml", "causeway connection-point run --print-default"
    )
)
def run(config: ConfigOption = _DEFAULT, print_default: PrintDefaultOption = False) -> None:
    """Run a connection point until SIGTERM or Ctrl-C, then drain."""
    if print_default:
        print(default_toml(ConnectionPointConfig, HEADING), end="")
        return
    run_connection_point(load(config, ConnectionPointConfig))


@app.command(epilog=examples("causeway connection-point check --config connection-point.toml"))
def check(
    config: ConfigOption = _DEFAULT, as_json: JsonOption = False, print_default: PrintDefaultOption = False
) -> None:
    """Check the configuration and its files, the site and every gateway. Exit code 1 where a check fails."""
    if print_default:
        print(default_toml(ConnectionPointConfig, HEADING), end="")
        return
    results = asyncio.run(check_connection_point(load(config, ConnectionPointConfig)))
    raise typer.Exit(print_checks(results, as_json=as_json))


@app.command(epilog=examples("causeway connection-point identity-keys --jwks"))
def identity_keys(
    config: ConfigOption = _DEFAULT,
    jwks: Annotated[bool, typer.Option("--jwks", help="Print the JSON Web Key Set of this connection point.")] = False,
    root: Annotated[bool, typer.Option("--root", help="Print the root that role certificates lead to, PEM.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print what site systems verify X-Causeway-Identity with: issuer, root, and this connection point's key."""
    if jwks + root + as_json > 1:
        raise OperatorError("--jwks, --root and --json each print something else; give one of them")
    keys = read_identity_keys(load(config, ConnectionPointConfig))
    if jwks:
        print_json(keys.jwks)
        return
    if root:
        if not keys.root:
            raise OperatorError(
                f"the role certificate leads to {keys.missing}, which site.authority does not hold; "
                "take the root from the site: ca.pem of the authority that issued the role certificate"
            )
        print(keys.root, end="")
        return
    if as_json:
        print_json(dataclasses.asdict(keys))
        return
    key = keys.jwks["keys"][0]
    for name, value in (
        ("header", HEADER),
        ("issuer (iss)", keys.issuer or "not known before the first gateway settings"),
        ("algorithm (alg)", keys.algorithm),
        ("type (typ)", TYPE),
        ("key id (kid)", key["kid"]),
        ("role (URI)", str(Role.CONNECTION_POINT)),
        ("root", "print it with --root" if keys.root else f"not at hand: {keys.missing}"),
    ):
        stdout.print(f"{name:<16} {value}", markup=False, soft_wrap=True)
