"""What follows from a plan, with the reason for it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that follows.

    Attributes:
        topic: the heading it belongs under.
        title: what it is.
        value: what it follows to be.
        because: why, in a sentence or two.
    """

    topic: str
    title: str
    value: str
    because: str
