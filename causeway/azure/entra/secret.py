"""The secret of the server application: made once, written once, and never shown.

Graph tells a secret only in the answer that makes it. So that one whose answer was lost does not stay behind, what it
will be called is written down before it is asked for (``<file>.pending``), and removed by the next run.
"""

import calendar
import contextlib
import datetime as dt
import secrets
from dataclasses import dataclass
from pathlib import Path

from causeway.azure.entra.answers import NewSecret, Registration, Secret
from causeway.azure.errors import AzureNotFound
from causeway.azure.graph import Graph
from causeway.errors import OperatorError
from causeway.files import read_state, write_atomically

EARLY_DAYS = 30
"""Before its end, a secret is to be renewed."""
_PENDING_BYTES = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """A secret in a file.

    Attributes:
        file: where it is.
        ends: when it ends.
        key_id: by which Entra ID knows it.
        made: by this run.
    """

    file: Path
    ends: dt.datetime | None
    key_id: str
    made: bool


def valid_secrets(registration: Registration, now: dt.datetime) -> tuple[Secret, ...]:
    """The passwords and certificates that have not ended; the one that lasts longest comes first."""
    everything = (*registration.password_credentials, *registration.key_credentials)
    alive = [each for each in everything if each.end_date_time is None or each.end_date_time > now]
    return tuple(
        sorted(alive, key=lambda each: each.end_date_time or dt.datetime.max.replace(tzinfo=dt.UTC), reverse=True)
    )


def alive_secrets(registration: Registration) -> tuple[Secret, ...]:
    """Those that are valid now."""
    return valid_secrets(registration, dt.datetime.now(dt.UTC))


def months_later(now: dt.datetime, months: int) -> dt.datetime:
    """The same day of the month, or the last one that there is."""
    year, month = divmod(now.year * 12 + now.month - 1 + months, 12)
    return now.replace(year=year, month=month + 1, day=min(now.day, calendar.monthrange(year, month + 1)[1]))


def in_file(file: Path, registration: Registration) -> Secret | None:
    """The secret that the file holds, as far as Entra ID's hint (its first characters) can tell; None for no file.

    Raises:
        OperatorError: the file holds something else.
        StateError: it cannot be read.
    """
    if not file.exists():
        return None
    text = read_state(file, "the secret").decode(errors="replace").strip()
    for each in registration.password_credentials:
        if each.hint and text.startswith(each.hint):
            return each
    raise OperatorError(f"{file}: holds no secret of this application; name a file that is not there yet")


async def keep_secret(graph: Graph, registration: Registration, file: Path, months: int) -> Kept:
    """A secret in ``file``: the one that is there already, or a new one.

    Args:
        graph: asked for it.
        registration: whose it is, as Graph answered it last.
        file: mode 0600.
        months: that a new one lives.

    Raises:
        AzureFailed: it cannot be made.
        OperatorError: the file holds something else, or cannot be written.
    """
    now = dt.datetime.now(dt.UTC)
    pending = file.with_name(f"{file.name}.pending")
    lost = _pending_name(pending)
    if lost is not None and file.exists():  # noqa: ASYNC240  # a look at a small local file
        # An earlier run was cut off behind its last step; Graph may not show yet what it made.
        pending.unlink(missing_ok=True)
        return Kept(file, None, "", made=False)
    if (there := in_file(file, registration)) is not None:
        return Kept(file, there.end_date_time, there.key_id, made=False)
    if lost is not None:
        await _remove_lost(graph, registration, lost)
    name = f"causeway {now:%Y-%m-%d} {secrets.token_hex(4)}"
    write_atomically(pending, name.encode())
    wanted = {"displayName": name, "endDateTime": f"{months_later(now, months):%Y-%m-%dT%H:%M:%SZ}"}
    answer = await graph.send(
        "POST",
        f"/applications/{registration.id}/addPassword",
        {"passwordCredential": wanted},
        repeatable=False,
        appearing=True,
    )
    new = graph.read(answer, NewSecret)
    write_atomically(file, f"{new.secret_text}\n".encode())
    pending.unlink(missing_ok=True)
    return Kept(file, new.end_date_time, new.key_id, made=True)


def _pending_name(pending: Path) -> str | None:
    if not pending.exists():
        return None
    return read_state(pending, "the name of a secret")[:_PENDING_BYTES].decode(errors="replace").strip()


async def _remove_lost(graph: Graph, registration: Registration, name: str) -> None:
    """Remove the secret that an earlier run asked for and did not get to keep."""
    path = f"/applications/{registration.id}"
    there = await graph.get(path, Registration, appearing=True)
    for each in there.password_credentials:
        if name and each.display_name == name:
            with contextlib.suppress(AzureNotFound):
                await graph.send("POST", f"{path}/removePassword", {"keyId": each.key_id})
