"""``causeway site revocation``: where revocation lists come from, and what became of each."""

import dataclasses
from datetime import UTC, datetime

import typer

from causeway.cli.shared.help import examples, pointer
from causeway.cli.shared.options import JsonOption
from causeway.cli.shared.output import moment, print_json, print_table, stdout
from causeway.cli.shared.site_database import FILE, ConfigOption, opened
from causeway.site.database import revocation

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Revocation lists of the authorities of client certificates.",
    epilog=pointer("revocation.md"),
)


@app.command("list", epilog=examples("causeway site revocation list --json"))
def list_sources(config: ConfigOption = FILE, as_json: JsonOption = False) -> None:
    """List the places that revocation lists come from, and how the newest list of each stands."""
    with opened(config) as database:
        sources = revocation.sources(database)
    if as_json:
        print_json([dataclasses.asdict(one) for one in sources])
        return
    rows = [
        (
            one.source,
            f"{one.number}{' (delta)' if one.is_delta else ''}" if one.issuer else "none",
            str(one.revoked),
            _ends(one.next_update),
            moment(one.checked_at, none="never"),
            one.error or "good",
        )
        for one in sources
    ]
    columns = ("source", "list", "revoked", "next update", "asked at", "result")
    print_table(columns, rows, none="No revocation list was asked for yet.")


@app.command(epilog=examples("causeway site revocation refresh"))
def refresh(
    config: ConfigOption = FILE,
) -> None:
    """Have the running site ask for every list now."""
    with opened(config) as database:
        revocation.ask_for_refresh(database)
    stdout.print("A running site asks within a second.", soft_wrap=True)


def _ends(at: datetime | None) -> str:
    return moment(at, none="") + " (ended)" * (at is not None and at <= datetime.now(UTC))
