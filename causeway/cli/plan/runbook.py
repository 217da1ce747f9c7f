"""``causeway plan runbook``: the steps that are left, in order."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from causeway.cli.plan.options import READABLE, PlanArgument
from causeway.cli.shared.options import JsonOption
from causeway.cli.shared.output import print_json, stdout
from causeway.files import write_atomically
from causeway.plan.document import FILE, read_plan
from causeway.plan.findings import cannot_work
from causeway.plan.runbook import Command, Shell, Step
from causeway.plan.runbook import runbook as steps_of
from causeway.plan.runbook.text import markdown


def runbook(
    plan: PlanArgument = FILE,
    done: Annotated[
        list[str] | None, typer.Option("--done", help="A step that is done, by its word. May repeat.")
    ] = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, with boxes to tick.")] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write one page instead.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the steps that are left, in order: who does each, the exact command, and how to see that it is done."""
    document = read_plan(plan)
    steps = steps_of(document, plan, done or ())
    if as_json:
        print_json([dataclasses.asdict(step) for step in steps])
        return
    if html is not None:
        from causeway.plan.page import runbook_page  # noqa: PLC0415  # templates, which nothing else needs

        write_atomically(html, runbook_page(document, steps).encode(), mode=READABLE)
        stdout.print(f"{html} is written.", markup=False, soft_wrap=True)
        return
    if as_markdown:
        print(markdown(document, steps), end="")
        return
    if cannot_work(document):
        stdout.print(Text(f"This plan cannot work as it is: `causeway plan show {plan}` says why.", style="bold red"))
        stdout.print()
    for number, step in enumerate(steps, 1):
        _print(number, step)
    stdout.print(
        f"{len(steps)} steps." if steps else "Nothing is left to do.",
    )


def _print(number: int, step: Step) -> None:
    stdout.print(Text.assemble((f"{number}. {step.title}", "bold cyan"), "  ", (step.word, "dim")))
    stdout.print(_indented(Text.assemble((str(step.who), "magenta"), "  ", step.because)))
    _print_commands(step.commands)
    stdout.print(_indented(Text("done when", style="green")))
    _print_commands(step.done)
    stdout.print()


def _print_commands(commands: Sequence[Command]) -> None:
    for command in commands:
        if command.note:
            stdout.print(_indented(Text(f"{command.note}:", style="dim"), 4))
        mark = {Shell.SHELL: "$ ", Shell.CONSOLE: "• ", Shell.ZONE: "  "}.get(command.shell, "PS> ")
        for line in command.text.splitlines():
            # Never wrapped by us: a command is copied whole.
            stdout.print(Text(f"    {mark}{line}"), soft_wrap=True)


def _indented(text: Text, by: int = 2) -> Padding:
    return Padding(text, (0, 0, 0, by), expand=False)
