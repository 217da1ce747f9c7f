"""``causeway token keys``: the keys that sign all tokens of the site."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from causeway.cli.shared.help import examples, pointer
from causeway.cli.shared.options import JsonOption
from causeway.cli.shared.output import moment, print_json, print_table, stdout
from causeway.cli.shared.site_database import FILE, ConfigOption, opened_site
from causeway.errors import OperatorError
from causeway.pki.keys import load_signing_key
from causeway.site.config import SiteConfig
from causeway.site.database import Database
from causeway.site.database import signing_keys as rows_of_keys
from causeway.site.token_service import SigningKeys, signing_keys
from causeway.site.token_service.sealing import Seal

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The keys that sign the site's tokens.",
    epilog=pointer("identity.md#signing-keys"),
)

KeyArgument = Annotated[str, typer.Argument(help="The key's id, or its beginning.")]


@app.command("list", epilog=examples("causeway token keys list --json"))
def list_keys(config: ConfigOption = FILE, as_json: JsonOption = False) -> None:
    """List the keys, those that sign last first."""
    now = datetime.now(UTC)
    with opened_site(config) as (site, database):
        rows = rows_of_keys.everything(database)
        keys = SigningKeys(rows, _seal(site))
    if as_json:
        print_json(
            [
                {
                    "id": row.key_id,
                    "state": keys.state(row, now),
                    "algorithm": row.algorithm,
                    "created_at": row.created_at,
                    "signs_from": row.signs_from,
                    "last_token_ends_at": row.last_token_ends_at,
                    "withdrawn_at": row.withdrawn_at,
                    "withdrawal_reason": row.withdrawal_reason,
                }
                for row in rows
            ]
        )
        return
    cells = [
        (
            row.key_id,
            keys.state(row, now),
            row.algorithm,
            moment(row.signs_from),
            moment(row.last_token_ends_at),
            row.withdrawal_reason,
        )
        for row in rows
    ]
    print_table(
        ("key", "state", "algorithm", "signs from", "last token ends", "withdrawn because"), cells, none="No keys."
    )


@app.command(epilog=examples("causeway token keys rotate"))
def rotate(
    config: ConfigOption = FILE,
    lead: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=7 * 86400,
            help="Seconds that gateways have it before it signs; otherwise tokens.key_lead_s.",
        ),
    ] = None,
) -> None:
    """Make a new key. Gateways get it at once, it signs a little later, and tokens of the old one stay good."""
    now = datetime.now(UTC)
    with opened_site(config) as (site, database):
        lead_s = site.tokens.key_lead_s if lead is None else lead
        signs_from = signing_keys.rotate(database, site.tokens, _seal(site), now=now, lead=timedelta(seconds=lead_s))
    stdout.print(f"A new key signs from {moment(signs_from)}.")


@app.command(epilog=examples("causeway token keys withdraw 3f9a --reason copied"))
def withdraw(
    key: KeyArgument,
    config: ConfigOption = FILE,
    reason: Annotated[str, typer.Option("--reason", help="Why; shown in the list.")] = "",
) -> None:
    """End a key that others may know, and every token that it signed, at every gateway.

    Devices that have nothing else, and are outside, need a new bulk registration token: to replace a key that nobody
    else knows, rotate.
    """
    now = datetime.now(UTC)
    with opened_site(config) as (site, database):
        key_id = _one(database, key)
        changed = signing_keys.withdraw(database, site.tokens, _seal(site), key_id, reason, now=now)
    stdout.print(f"{key_id} is withdrawn." if changed else f"{key_id} was withdrawn already.", soft_wrap=True)


@app.command(epilog=examples("causeway token keys restore 3f9a"))
def restore(key: KeyArgument, config: ConfigOption = FILE) -> None:
    """Have a withdrawn key's tokens count again at every gateway: it was withdrawn by mistake, and nobody knows it."""
    with opened_site(config) as (_, database):
        key_id = _one(database, key)
        if not rows_of_keys.restore(database, key_id):
            raise OperatorError(f"{key_id}: not withdrawn; `causeway token keys list` shows the state of each")
    stdout.print(f"{key_id} is not withdrawn any more.", soft_wrap=True)


def _one(database: Database, key: str) -> str:
    found = [row.key_id for row in rows_of_keys.everything(database) if row.key_id.startswith(key)]
    if len(found) != 1:
        what = "several keys begin" if found else "no key begins"
        raise OperatorError(f"{what} with {key[:64]}; `causeway token keys list` shows them")
    return found[0]


def _seal(site: SiteConfig) -> Seal:
    return Seal(load_signing_key(site.gateway.settings_key))
