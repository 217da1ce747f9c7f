"""One question of ``causeway plan new``."""

from collections.abc import Callable
from dataclasses import dataclass

from causeway.plan.answers import Answers, Check

Default = Callable[[Answers], str]


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        topic: the heading it stands under.
        key: its name, and with hyphens its flag.
        asks: what is asked.
        help: what to know in order to answer; also the flag's help.
        check: makes a value of the answer, or says why not.
        default: what stands where nothing is answered; None where something must be answered.
        when: whether it has to be asked, by what was answered before.
        joined_by: what stands between several answers; the flag may then be given several times.
        choices: what can be answered, where that is known beforehand; shells complete it.
    """

    topic: str
    key: str
    asks: str
    help: str
    check: Check
    default: Default | None
    when: Callable[[Answers], bool] = lambda _: True
    joined_by: str = ""
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """``--service-name``."""
        return f"--{self.key.replace('_', '-')}"
