"""``causeway site blocks``: names, ids, tokens and Entra tenants that gateways and the management point refuse."""

import dataclasses
import re
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from causeway.cli.shared.help import examples, pointer
from causeway.cli.shared.options import JsonOption
from causeway.cli.shared.output import moment, print_json, print_table, stdout
from causeway.cli.shared.site_database import FILE, ConfigOption, opened
from causeway.errors import OperatorError
from causeway.site import blocked
from causeway.site.database import Database, blocks, bulk_tokens, devices
from causeway.site.database.models import BlockKind

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="All that is blocked; and blocks of names, tokens, Entra tenants, and ids of devices that are not registered.",
    epilog=pointer("identity.md#blocking"),
)

# As long as the gateway settings take one.
_LONGEST_VALUE = 200


class Blockable(StrEnum):
    """What is blocked here; registered devices, certificates and bulk tokens have commands of their own."""

    DEVICE = BlockKind.DEVICE.value
    NAME = BlockKind.NAME.value
    TENANT = BlockKind.TENANT.value
    TOKEN = BlockKind.TOKEN.value


KindArgument = Annotated[Blockable, typer.Argument(help="What it is.")]
ValueArgument = Annotated[
    str,
    typer.Argument(
        help="The name of a device (or a certificate's common name or DNS name); the tenant's id; the device's id at a "
        "tenant; the token's id, or the SHA-256 of its text."
    ),
]


@app.command("list", epilog=examples("causeway site blocks list --json"))
def list_blocked(config: ConfigOption = FILE, as_json: JsonOption = False) -> None:
    """List everything that is blocked: devices, certificates, names, tokens, tenants and withdrawn keys."""
    with opened(config) as database:
        found = blocked.everything(database, now=datetime.now(UTC))
    if as_json:
        print_json([dataclasses.asdict(one) for one in found])
        return
    rows = [
        (
            one.kind,
            f"{one.value} ({one.called})" if one.called else one.value,
            moment(one.blocked_at, none="not noted"),
            one.reason,
            one.unblock or f"ends by itself, {moment(one.ends_at)}",
        )
        for one in found
    ]
    print_table(("kind", "what", "blocked since", "reason", "to unblock"), rows, none="Nothing is blocked.")


@app.command(epilog=examples("causeway site blocks add name LAPTOP-17 --reason stolen"))
def add(
    kind: KindArgument,
    value: ValueArgument,
    config: ConfigOption = FILE,
    reason: Annotated[str, typer.Option("--reason", help="Why; shown in the list.")] = "",
) -> None:
    """Refuse it at every gateway and at the management point."""
    value = _checked(kind, value)
    with opened(config) as database:
        _no_better_command(database, kind, value)
        new = blocks.block(database, BlockKind(kind), value, reason, now=datetime.now(UTC))
    done = "is blocked" if new else "was blocked already"
    stdout.print(f"The {kind} {value} {done}.", markup=False, soft_wrap=True)


@app.command(epilog=examples("causeway site blocks remove name LAPTOP-17"))
def remove(kind: KindArgument, value: ValueArgument, config: ConfigOption = FILE) -> None:
    """Take a block away."""
    value = _checked(kind, value)
    with opened(config) as database:
        if not blocks.unblock(database, BlockKind(kind), value):
            raise OperatorError(f"the {kind} {value} is not blocked; `causeway site blocks list` shows what is")
    stdout.print(f"The {kind} {value} is not blocked any more.", markup=False, soft_wrap=True)


def _no_better_command(database: Database, kind: Blockable, value: str) -> None:
    """What the site knows by itself is blocked where it is listed: one block is taken away by one command."""
    if kind is Blockable.DEVICE and (found := devices.matching(database, value)):
        raise OperatorError(f"{value}: registered here; `causeway site devices block {found[0].smsid}` blocks it")
    if kind is Blockable.TOKEN and bulk_tokens.find(database, value) is not None:
        raise OperatorError(f"{value}: a bulk registration token; `causeway token block {value}` blocks it")


def _checked(kind: Blockable, text: str) -> str:
    """The value as gateways compare it, which is without regard to case."""
    value = text.strip().lower()
    match kind:
        case Blockable.TENANT:
            return _uuid(value, text, "the id of a tenant")
        case Blockable.TOKEN if not re.fullmatch(r"[0-9a-f]{64}", value):
            return _uuid(value, text, "the SHA-256 of a token, nor the id of one")
        case Blockable.DEVICE if not re.fullmatch(r"[!-~]{1,128}", value):
            raise OperatorError(f"{text[:100]}: not the id of a device, which has 1 to 128 letters, digits and signs")
    if not 0 < len(value) <= _LONGEST_VALUE:
        raise OperatorError(f"{text[:100]}: not a name, which has 1 to {_LONGEST_VALUE} characters")
    return value


def _uuid(value: str, text: str, what: str) -> str:
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise OperatorError(f"{text[:100]}: not {what}, such as {uuid.UUID(int=0)}") from None
