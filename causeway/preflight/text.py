"""Text from outside, for a line that people read."""

_LONGEST = 160


def shortened(text: str, most: int = _LONGEST) -> str:
    """``text`` on one line of at most ``most`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
