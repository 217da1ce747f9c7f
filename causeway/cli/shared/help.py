"""How a help text ends: a command's with what can be typed, a group's with where to read on."""


def examples(*commands: str) -> str:
    """The end of a command's help."""
    return "\n\n".join(f"Example: {each}" for each in commands)


def pointer(document: str) -> str:
    """The end of a group's help; ``document`` is of ``docs/``."""
    return f"More: docs/{document}"
