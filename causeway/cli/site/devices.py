"""``causeway site devices``: who is registered, who waits, who is let in."""

import dataclasses
from datetime import datetime
from typing import Annotated, Any

import typer

from causeway.cli.shared.help import examples, pointer
from causeway.cli.shared.options import JsonOption
from causeway.cli.shared.output import moment, print_json, print_table, stdout
from causeway.cli.shared.site_database import FILE, ConfigOption, opened
from causeway.errors import OperatorError
from causeway.site import devices as decisions
from causeway.site.database import Database, credentials, devices, reports
from causeway.site.database.devices import DeviceRow
from causeway.site.database.models import ApprovalState
from causeway.site.database.reports import Kind

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Registered devices: who waits, who is let in.",
    epilog=pointer("site.md"),
)

DeviceArgument = Annotated[str, typer.Argument(help="The device: its number, its id (GUID:…), or its name.")]


@app.command("list", epilog=examples("causeway site devices list --approval pending"))
def list_devices(
    config: ConfigOption = FILE,
    approval: Annotated[ApprovalState | None, typer.Option("--approval", help="Only devices that stand so.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the registered devices."""
    with opened(config) as database:
        found = devices.everything(database, approval=approval)
    if as_json:
        print_json([dataclasses.asdict(one) for one in found])
        return
    columns = ("no", "id", "name", "approval", "last contact", "policy", "heartbeat", "inventory")
    print_table(columns, [_cells(one) for one in found], none="No devices.")


@app.command(epilog=examples("causeway site devices show LAPTOP-17"))
def show(device: DeviceArgument, config: ConfigOption = FILE, as_json: JsonOption = False) -> None:
    """Show one device, its certificates and what it reported."""
    with opened(config) as database:
        found = _one(database, device)
        certificates = decisions.certificates_of(database, found)
        shown = credentials.of_device(database, found.number)
        kept = reports.of_device(database, found.number)
    facts: dict[str, Any] = dataclasses.asdict(found)
    facts["certificates"] = [dataclasses.asdict(one) for one in certificates]
    facts["credentials"] = [dataclasses.asdict(one) for one in shown]
    facts["reports"] = [dataclasses.asdict(one) for one in kept]
    if as_json:
        print_json(facts)
        return
    for key, value in dataclasses.asdict(found).items():
        stdout.print(f"{key.replace('_', ' ')}: {_text(value)}", markup=False, soft_wrap=True)
    stdout.print()
    print_table(
        ("certificate", "subject", "until", "SHA-256"),
        [(one.use, one.subject, _text(one.not_valid_after), one.fingerprint) for one in certificates],
        none="No certificates.",
    )
    stdout.print()
    print_table(
        ("has shown", "seen", "value"),
        [(one.kind, _text(one.seen_at), one.value) for one in shown],
        none="It has shown no TLS certificate and no Entra token.",
    )
    stdout.print()
    print_table(
        ("report", "received", "signed", "characters"),
        [(one.kind, _text(one.received_at), "yes" if one.verified else "no", str(one.characters)) for one in kept],
        none="No reports.",
    )


@app.command(epilog=examples("causeway site devices report LAPTOP-17 heartbeat"))
def report(
    device: DeviceArgument,
    kind: Annotated[Kind, typer.Argument(help="Which report.")],
    config: ConfigOption = FILE,
) -> None:
    """Print the newest report of a kind, as the device sent it."""
    with opened(config) as database:
        found = _one(database, device)
        body = reports.body_of(database, found.number, kind)
    if body is None:
        raise OperatorError(
            f"{found.smsid}: no {kind} report has come yet; `causeway site devices show` lists what has"
        )
    print(body)


@app.command(epilog=examples("causeway site devices approve LAPTOP-17"))
def approve(device: DeviceArgument, config: ConfigOption = FILE) -> None:
    """Let a device in that waits."""
    with opened(config) as database:
        found = _one(database, device)
        decisions.approve(database, found)
    _say(found, "approved")


@app.command(epilog=examples("causeway site devices block LAPTOP-17 --reason stolen"))
def block(
    device: DeviceArgument,
    config: ConfigOption = FILE,
    reason: Annotated[str, typer.Option("--reason", help="Why; shown with the device.")] = "",
) -> None:
    """Refuse a device here and at every gateway, however it shows who it is."""
    with opened(config) as database:
        found = _one(database, device)
        decisions.block(database, found, reason)
    _say(found, "blocked")


@app.command(epilog=examples("causeway site devices unblock LAPTOP-17"))
def unblock(device: DeviceArgument, config: ConfigOption = FILE) -> None:
    """Take the block of a device away: it is again what it was before, approved or waiting."""
    with opened(config) as database:
        found = _one(database, device)
        approval = decisions.unblock(database, found)
        others = decisions.still_refused(database, found)
    _say(found, f"not blocked any more, and {'waits for approval' if approval is ApprovalState.PENDING else approval}")
    for other in others:
        stdout.print(f"It is still refused: {other}", markup=False, soft_wrap=True)


@app.command(epilog=examples("causeway site devices remove LAPTOP-17"))
def remove(device: DeviceArgument, config: ConfigOption = FILE) -> None:
    """Forget a device and its reports. It may register again; to keep it out, block it instead."""
    with opened(config) as database:
        found = _one(database, device)
        decisions.remove(database, found)
    _say(found, "removed")


def _one(database: Database, text: str) -> DeviceRow:
    found = devices.matching(database, text)
    if not found:
        raise OperatorError(f"no device has the number, id or name {text}; `causeway site devices list` shows them")
    if len(found) > 1:
        numbers = ", ".join(str(one.number) for one in found)
        raise OperatorError(f"several devices are called {text}: numbers {numbers}; give the number")
    return found[0]


def _say(device: DeviceRow, what: str) -> None:
    stdout.print(f"{device.smsid} ({device.netbios_name}) is {what}.", markup=False, soft_wrap=True)


def _cells(device: DeviceRow) -> tuple[str, ...]:
    return (
        str(device.number),
        device.smsid,
        device.netbios_name or device.fq_name,
        device.approval,
        *map(
            _text, (device.last_contact_at, device.last_policy_at, device.last_heartbeat_at, device.last_inventory_at)
        ),
    )


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return moment(value)
    return "-" if value is None else str(value)
