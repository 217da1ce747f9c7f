"""``causeway site blocks``: names of devices and Entra tenants that gateways refuse."""

import dataclasses
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from causeway.cli.output import print_json, print_table, stdout
from causeway.cli.site_database import ConfigOption, JsonOption, opened, remembered
from causeway.errors import OperatorError
from causeway.site.database import blocks
from causeway.site.database.models import BlockKind

app = typer.Typer(
    invoke_without_command=True,
    add_completion=False,
    help="Blocked names of devices and Entra tenants. Without a command: all of them.",
)

# As long as the gateway settings take one.
_LONGEST_VALUE = 200


class Blockable(StrEnum):
    """What is blocked here; devices, certificates and tokens have commands of their own."""

    NAME = BlockKind.NAME.value
    TENANT = BlockKind.TENANT.value


KindArgument = Annotated[Blockable, typer.Argument(help="What it is.")]
ValueArgument = Annotated[
    str,
    typer.Argument(help="The name (a certificate's common name or DNS name), or the tenant's id."),
]


@app.callback()
def everything(context: typer.Context, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Blocked names of devices and Entra tenants. Without a command: all of them."""
    remembered(context, config)
    if context.invoked_subcommand is not None:
        return
    with opened(context, config) as database:
        found = [one for kind in Blockable for one in blocks.of_kind(database, BlockKind(kind))]
    if as_json:
        print_json([dataclasses.asdict(one) for one in found])
        return
    rows = [(one.kind, one.value, f"{one.blocked_at:%Y-%m-%d %H:%M:%SZ}", one.reason) for one in found]
    print_table(("kind", "value", "blocked at", "reason"), rows, none="No names and no tenants are blocked.")


@app.command()
def add(
    context: typer.Context,
    kind: KindArgument,
    value: ValueArgument,
    config: ConfigOption = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; shown in the list.")] = "",
) -> None:
    """Refuse a name or a tenant at every gateway."""
    value = _checked(kind, value)
    with opened(context, config) as database:
        new = blocks.block(database, BlockKind(kind), value, reason, now=datetime.now(UTC))
    done = "is blocked" if new else "was blocked already"
    stdout.print(f"The {kind} {value} {done}.", markup=False, soft_wrap=True)


@app.command()
def remove(context: typer.Context, kind: KindArgument, value: ValueArgument, config: ConfigOption = None) -> None:
    """Take a block away."""
    value = _checked(kind, value)
    with opened(context, config) as database:
        if not blocks.unblock(database, BlockKind(kind), value):
            raise OperatorError(f"the {kind} {value} is not blocked; `causeway site blocks` lists what is")
    stdout.print(f"The {kind} {value} is not blocked any more.", markup=False, soft_wrap=True)


def _checked(kind: Blockable, text: str) -> str:
    """The value as gateways compare it, which is without regard to case."""
    value = text.strip().lower()
    if kind is Blockable.TENANT:
        try:
            return str(uuid.UUID(value))
        except ValueError:
            raise OperatorError(f"{text[:100]}: not the id of a tenant, such as {uuid.UUID(int=0)}") from None
    if not 0 < len(value) <= _LONGEST_VALUE:
        raise OperatorError(f"a name has 1 to {_LONGEST_VALUE} characters")
    return value
