"""``causeway token``: bulk registration tokens that let devices register; ``keys`` has those that sign."""

import dataclasses
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from causeway.cli.shared.help import examples, pointer
from causeway.cli.shared.options import JsonOption
from causeway.cli.shared.output import moment, print_json, print_table, stdout
from causeway.cli.shared.site_database import FILE, ConfigOption, opened, opened_site
from causeway.cli.token import keys
from causeway.errors import OperatorError
from causeway.files import write_atomically
from causeway.site.database import Database, bulk_tokens
from causeway.site.database.bulk_tokens import BulkTokenRow
from causeway.site.token_service.bulk import LONGEST_BULK_LIFETIME, new_bulk_token

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Bulk registration tokens: with one, devices without a certificate register over the internet.",
    epilog=pointer("identity.md#letting-devices-in"),
)
app.add_typer(keys.app, name="keys")

TokenArgument = Annotated[str, typer.Argument(help="The token's id, as `causeway token list` shows it.")]

_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


@app.command(epilog=examples("causeway token new --lifetime 3d --max-uses 20 --note 'branch office' --file token"))
def new(
    config: ConfigOption = FILE,
    lifetime: Annotated[str, typer.Option(help="How long devices may register with it: 3d, 72h or 4320m.")] = "3d",
    max_uses: Annotated[
        int | None,
        typer.Option(min=1, max=1_000_000, help="How many devices may register with it.", show_default="any number"),
    ] = None,
    note: Annotated[str, typer.Option(help="What it is for; shown in the list.")] = "",
    file: Annotated[
        Path | None, typer.Option(help="Write the token here, readable for you alone, and do not print it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token. It is shown this once: the site keeps its hash alone."""
    ends_in = _lifetime(lifetime)
    now = datetime.now(UTC)
    with opened_site(config) as (site, database):
        if file is not None:
            write_atomically(file, b"")  # before there is a token that nobody could have
        token_id, token = new_bulk_token(database, site, lifetime=ends_in, max_uses=max_uses, note=note, now=now)
    if file is not None:
        write_atomically(file, token.encode("ascii") + b"\n")
    if as_json:
        shown = {"file": str(file)} if file is not None else {"token": token}
        print_json({"id": token_id, "expires_at": now + ends_in, "max_uses": max_uses, "note": note, **shown})
        return
    devices = "any number of devices" if max_uses is None else "one device" if max_uses == 1 else f"{max_uses} devices"
    stdout.print(f"Token {token_id}, until {moment(now + ends_in)}, for {devices}.", markup=False, soft_wrap=True)
    stdout.print("A device: `causeway device register --bulk-token-file FILE`. Keep it like a password.", markup=False)
    if file is not None:
        stdout.print(f"Written to {file}.", markup=False, soft_wrap=True)
    else:
        # Alone on its line and whole, for whoever copies it.
        print(token)


@app.command("list", epilog=examples("causeway token list --json"))
def list_tokens(config: ConfigOption = FILE, as_json: JsonOption = False) -> None:
    """List the tokens, the newest first."""
    now = datetime.now(UTC)
    with opened(config) as database:
        found = bulk_tokens.everything(database)
    if as_json:
        print_json([_facts(one, now) for one in found])
        return
    rows = [
        (one.id, one.state(now), moment(one.expires_at), _uses(one), moment(one.last_used_at), one.note)
        for one in found
    ]
    print_table(("id", "state", "until", "uses", "last use", "note"), rows, none="No tokens.")


@app.command(epilog=examples("causeway token show 7d6e0a3c-6f0b-4e55-9d3c-2b1f4f0a9c11"))
def show(token: TokenArgument, config: ConfigOption = FILE, as_json: JsonOption = False) -> None:
    """Show one token and the devices that registered with it."""
    now = datetime.now(UTC)
    with opened(config) as database:
        found = bulk_tokens.find(database, _id(token))
        if found is None:
            raise _unknown(token)
        uses = bulk_tokens.uses_of(database, found.id)
    facts = _facts(found, now)
    if as_json:
        print_json({**facts, "devices": [dataclasses.asdict(one) for one in uses]})
        return
    for key, value in facts.items():
        text = moment(value) if isinstance(value, datetime) else "-" if value is None else str(value)
        stdout.print(f"{key.replace('_', ' ')}: {text}", markup=False, soft_wrap=True)
    stdout.print()
    rows = [(one.smsid or "removed since", one.netbios_name, moment(one.used_at)) for one in uses]
    print_table(("device", "name", "registered"), rows, none="No device has registered with it.")


@app.command(epilog=examples("causeway token block 7d6e0a3c-6f0b-4e55-9d3c-2b1f4f0a9c11 --reason lost"))
def block(
    token: TokenArgument,
    config: ConfigOption = FILE,
    reason: Annotated[str, typer.Option("--reason", help="Why; shown with the token.")] = "",
) -> None:
    """Let no more devices register with a token. Those that have are blocked one by one: `site devices block`."""
    now = datetime.now(UTC)
    changed = _change(config, token, lambda database: bulk_tokens.block(database, _id(token), reason, now=now))
    stdout.print(f"{_id(token)} is blocked." if changed else f"{_id(token)} was blocked already.", soft_wrap=True)


@app.command(epilog=examples("causeway token unblock 7d6e0a3c-6f0b-4e55-9d3c-2b1f4f0a9c11"))
def unblock(token: TokenArgument, config: ConfigOption = FILE) -> None:
    """Let devices register with a token again, for as long as it lasts."""
    if not _change(config, token, lambda database: bulk_tokens.unblock(database, _id(token))):
        raise OperatorError(f"{_id(token)}: not blocked; `causeway token list` shows the state of each")
    stdout.print(f"{_id(token)} is not blocked any more.", soft_wrap=True)


def _change(config: Path, token: str, change: Callable[[Database], bool]) -> bool:
    with opened(config) as database:
        try:
            return change(database)
        except KeyError:
            raise _unknown(token) from None


def _id(text: str) -> str:
    try:
        return str(uuid.UUID(text.strip()))
    except ValueError:
        raise OperatorError("not the id of a token; `causeway token list` shows the ids") from None


def _unknown(token: str) -> OperatorError:
    return OperatorError(
        f"{_id(token)}: no bulk registration token has this id; `causeway token list` shows them, and "
        "`causeway site blocks add token` blocks a token of a device"
    )


def _lifetime(text: str) -> timedelta:
    match = re.fullmatch(r"([0-9]{1,6})([dhm])", text.strip().lower())
    if match is None:
        raise OperatorError(f"--lifetime {text[:40]}: expected a number of days, hours or minutes: 3d, 72h or 4320m")
    lifetime = int(match[1]) * _UNITS[match[2]]
    if not timedelta(minutes=1) <= lifetime <= LONGEST_BULK_LIFETIME:
        raise OperatorError(f"--lifetime {text}: a token lasts from 1 minute to {LONGEST_BULK_LIFETIME.days} days")
    return lifetime


def _facts(token: BulkTokenRow, now: datetime) -> dict[str, object]:
    facts = {"id": token.id, "state": token.state(now), **dataclasses.asdict(token)}
    # Neither the hash nor the key tells an operator anything.
    return {name: value for name, value in facts.items() if name not in {"token_hash", "key_id"}}


def _uses(token: BulkTokenRow) -> str:
    return str(token.uses) if token.max_uses is None else f"{token.uses} of {token.max_uses}"
