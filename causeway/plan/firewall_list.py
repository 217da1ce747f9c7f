"""The firewall list as CSV, Markdown or a value for machines, for those who keep the firewalls."""

import csv
import dataclasses
import io
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from causeway.plan.document import Plan
from causeway.plan.firewall import Flow, flows, notes

COLUMNS = ("source", "destination", "protocol", "ports", "through", "needed", "purpose")


class ListFormat(StrEnum):
    """How the list is written."""

    CSV = "csv"
    MARKDOWN = "markdown"


def rows(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """The list under ``COLUMNS``."""
    return tuple(_row(plan, flow) for flow in flows(plan))


def _row(plan: Plan, flow: Flow) -> tuple[str, ...]:
    through = "internet" if flow.internet else "internal"
    if flow.through_proxy and plan.proxy.url:
        through = f"proxy {plan.proxy.url}"
    needed = "optional" if flow.optional else "yes"
    return (flow.source, flow.destination, f"TCP/{flow.protocol}", flow.ports, through, needed, flow.purpose)


def firewall_list(plan: Plan, form: ListFormat) -> str:
    """The whole list as text, ending with a line end."""
    match form:
        case ListFormat.CSV:
            return _csv(rows(plan))
        case ListFormat.MARKDOWN:
            lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
            lines += ["| " + " | ".join(row) + " |" for row in rows(plan)]
            lines += ["", *(f"- {note}" for note in notes(plan))]
            return "\n".join(lines) + "\n"


def firewall_value(plan: Plan) -> dict[str, Any]:
    """The whole list for machines, with what its rows leave out."""
    listed = [
        {**dataclasses.asdict(flow), "through_proxy": plan.proxy.url if flow.through_proxy else None}
        for flow in flows(plan)
    ]
    return {"rules": listed, "notes": notes(plan)}


def _csv(listed: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(listed)
    return out.getvalue()
