"""A runbook as Markdown, to be kept beside the plan and ticked off."""

from collections.abc import Sequence

from causeway.plan.document import Plan
from causeway.plan.runbook.step import Command, Shell, Step

_LANGUAGES = {Shell.SHELL: "sh", Shell.POWERSHELL: "powershell", Shell.CONFIGMGR: "powershell", Shell.ZONE: "dns"}


def markdown(plan: Plan, steps: Sequence[Step]) -> str:
    """The steps with a box to tick each."""
    lines = [f"# {plan.organisation}: runbook of {plan.names.service_name}", ""]
    for number, step in enumerate(steps, 1):
        lines += [f"## {number}. {step.title}", "", f"- [ ] {step.word}, {step.who}", "", step.because, ""]
        for command in step.commands:
            lines += _command(command)
        lines += ["Done when:", ""]
        for command in step.done:
            lines += _command(command)
    return "\n".join(lines).rstrip() + "\n"


def _command(command: Command) -> list[str]:
    note = [f"{command.note[:1].upper()}{command.note[1:]}:", ""] if command.note else []
    if command.shell is Shell.CONSOLE:
        return [*note, *(f"- {line}" for line in command.text.splitlines()), ""]
    where = ["(On the site's drive.)", ""] if command.shell is Shell.CONFIGMGR else []
    return [*note, *where, f"```{_LANGUAGES[command.shell]}", command.text, "```", ""]
