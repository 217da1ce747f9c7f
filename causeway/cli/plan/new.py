"""``causeway plan new``: ask, or take flags, and write the plan."""

import dataclasses
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from causeway.cli.plan.options import READABLE, print_findings
from causeway.cli.plan.printing import print_facts
from causeway.cli.shared.options import JsonOption
from causeway.cli.shared.output import OK, PROBLEMS, print_json, stderr, stdout
from causeway.errors import OperatorError
from causeway.files import write_atomically
from causeway.plan.document import FILE, plan_text
from causeway.plan.facts import all_facts
from causeway.plan.findings import cannot_work, contradictions
from causeway.plan.interview import interview
from causeway.plan.question import Question
from causeway.plan.questions import QUESTIONS


def with_a_flag_for_each_question(command: Callable[..., None]) -> Callable[..., None]:
    """Give ``command``, which takes them as ``**given``, an option for every question."""
    own = [each for each in inspect.signature(command).parameters.values() if each.kind is not each.VAR_KEYWORD]
    flags = []
    for question in QUESTIONS:
        option = typer.Option(
            question.flag,
            help=f"{question.asks}: {question.help}",
            rich_help_panel=question.topic,
            autocompletion=_completion(question.choices),
        )
        kind: Any = list[str] if question.joined_by else str
        flags.append(
            inspect.Parameter(
                question.key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
            )
        )
    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own] + flags
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command


def _completion(choices: Sequence[str]) -> Callable[[str], list[str]] | None:
    return (lambda incomplete: [each for each in choices if each.startswith(incomplete)]) if choices else None


@with_a_flag_for_each_question
def new(
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")] = FILE,
    force: Annotated[bool, typer.Option("--force", help="Replace a plan that exists.")] = False,
    no_input: Annotated[bool, typer.Option("--no-input", help="Ask nothing: flags and defaults only.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say what follows, and why.")] = False,
    as_json: JsonOption = False,
    **given: Any,
) -> None:
    """Make a plan: asks at a terminal, else takes flags. Exit code 1 where the plan cannot work as it is."""
    if out.exists() and not force:
        raise OperatorError(f"{out}: exists already; --force replaces it, --out names another")
    answers = {
        question.key: question.joined_by.join(given[question.key]) if question.joined_by else given[question.key]
        for question in QUESTIONS
        if given.get(question.key) or (given.get(question.key) is not None and not question.joined_by)
    }
    ask = _Terminal() if sys.stdin.isatty() and not no_input and not as_json else None
    plan = interview(answers, ask)
    write_atomically(out, plan_text(plan).encode(), mode=READABLE)
    findings = contradictions(plan)
    if as_json:
        print_json({"plan": str(out), "findings": [dataclasses.asdict(finding) for finding in findings]})
        raise typer.Exit(PROBLEMS if cannot_work(plan) else OK)
    if explain:
        print_facts(all_facts(plan), explain=True)
        stdout.print()
    stdout.print(f"{out} is written.", markup=False, soft_wrap=True)
    code = print_findings(findings)
    stdout.print(f"Next: `causeway plan show {out}`, `causeway plan runbook {out}`.", markup=False, soft_wrap=True)
    raise typer.Exit(code)


class _Terminal:
    """Asks at the terminal, under a heading for each topic. On standard error, so that output can be redirected."""

    def __init__(self) -> None:
        self._topic = ""

    def __call__(self, question: Question, default: str | None, wrong: str | None) -> str:
        if question.topic != self._topic:
            self._topic = question.topic
            stderr.print()
            stderr.print(Text(question.topic, style="bold cyan"))
        if wrong is not None:
            stderr.print(Text(f"  {wrong}", style="red"), soft_wrap=True)
        else:
            stderr.print(Text(f"  {question.help}", style="dim"))
        shown = f" [{default}]" if default else ""
        stderr.print(Text.assemble("  ", (question.asks, "bold"), (shown, "green"), ": "), end="", soft_wrap=True)
        try:
            answer = input()
        except EOFError as error:
            raise OperatorError("the answers ended before the questions; nothing was written") from error
        return answer.strip() or default or ""
