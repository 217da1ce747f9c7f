"""``causeway site revocation``: where revocation lists come from, and what became of each."""

import dataclasses
from datetime import UTC, datetime

import typer

from causeway.cli.shared.output import print_json, print_table, stdout
from causeway.cli.shared.site_database import ConfigOption, JsonOption, opened, remembered
from causeway.site.database import revocation

app = typer.Typer(
    invoke_without_command=True,
    add_completion=False,
    help="Revocation lists of the authorities of client certificates.",
)


@app.callback()
def show(context: typer.Context, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the places that revocation lists come from, and how the newest list of each stands."""
    remembered(context, config)
    if context.invoked_subcommand is not None:
        return
    with opened(context, config) as database:
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
            _moment(one.checked_at),
            one.error or "good",
        )
        for one in sources
    ]
    columns = ("source", "list", "revoked", "next update", "asked at", "result")
    print_table(columns, rows, none="No revocation list was asked for yet.")


@app.command()
def refresh(
    context: typer.Context,
    config: ConfigOption = None,
) -> None:
    """Have the running site ask for every list now."""
    with opened(context, config) as database:
        revocation.ask_for_refresh(database)
    stdout.print("A running site asks within a second.", soft_wrap=True)


def _moment(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M:%SZ}"


def _ends(moment: datetime | None) -> str:
    ended = " (ended)" if moment is not None and moment <= datetime.now(UTC) else ""
    return ("" if moment is None else _moment(moment)) + ended
