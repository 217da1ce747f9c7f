"""Who asks down a tunnel and gets the answer."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.gateway.exchange import Exchange


class Asker:
    """A client's connection, or a question of the gateway's own.

    Attributes:
        http_1_1: the request under way is HTTP/1.1, so its answer may come in chunks.
        close_after: nothing is asked any more when the answer under way is written.
        writable: what is written is read.
    """

    __slots__ = ("close_after", "http_1_1", "writable")

    def __init__(self, *, http_1_1: bool) -> None:
        self.http_1_1 = http_1_1
        self.close_after = False
        self.writable = True

    def write(self, data: bytes) -> None:
        """Take an interim answer, or a piece of the answer."""
        raise NotImplementedError

    def writelines(self, pieces: list[bytes]) -> None:
        """Take what came of the answer together."""
        raise NotImplementedError

    def exchange_done(self, exchange: "Exchange", rest: list[bytes]) -> None:
        """The answer is whole, and this is the rest of it."""
        raise NotImplementedError

    def exchange_failed(self, exchange: "Exchange", word: str) -> None:
        """No answer will come, or no more of it."""
        raise NotImplementedError

    def pause_body(self) -> None:
        """The other side does not keep up with the request's body."""
        raise NotImplementedError

    def resume_body(self) -> None:
        """It keeps up again."""
        raise NotImplementedError
