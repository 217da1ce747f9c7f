"""What was found out lately, so that the same bytes need not be read twice."""

from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Answers by the bytes that they were worked out from; old ones are forgotten all at once.

    The data path sees the same bytes again and again: a fleet of devices sends the same headers and asks for the same
    paths. What is kept must follow from the key alone, and must be no secret.

    Attributes:
        get: the answer for these bytes, or None: the look-up of a dictionary itself, since it stands on the data path.
    """

    __slots__ = ("_answers", "_most", "_most_bytes", "get")

    def __init__(self, *, most: int, most_bytes: int) -> None:
        """Keep at most ``most`` answers, to keys of at most ``most_bytes``."""
        self._answers: dict[bytes, T] = {}
        self._most = most
        self._most_bytes = most_bytes
        self.get = self._answers.get

    def keep(self, key: bytes, answer: T) -> None:
        """Remember ``answer``, if its key is not too large."""
        if len(key) <= self._most_bytes:
            if len(self._answers) >= self._most:
                self.clear()
            self._answers[key] = answer

    def clear(self) -> None:
        """Forget everything."""
        self._answers.clear()
