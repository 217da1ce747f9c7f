"""Why a client is not taken for whom it says it is: the word for the client, the rest for the operator."""

from dataclasses import dataclass

from causeway.refusals import Refused

INVALID = "CMGService_Invalid_Token"
EXPIRED = "CMGService_TokenExpired"
NOT_YET_VALID = "CMGService_TokenNotYetValid"


@dataclass(frozen=True, slots=True)
class Denial:
    """A decision against a client.

    Attributes:
        word: of ``REFUSALS``; all that the client is told.
        details: what is wrong, for the log and for ``identity explain``. Never the token or a part of its signature.
        remedy: what the operator can do.
        retry_after: seconds since 1970 from which the same token may be good; 0 for never.
    """

    word: str
    details: str
    remedy: str
    retry_after: float = 0.0

    @property
    def guessed(self) -> bool:
        """Whether the client may be guessing: nothing that it showed was ever good."""
        return self.word == INVALID


class Denied(Refused):
    """Raised where a check fails; caught where the decision is made."""

    def __init__(self, word: str, details: str, remedy: str, *, retry_after: float = 0.0) -> None:
        super().__init__(word, details)
        self.denial = Denial(word, details, remedy, retry_after)

    @classmethod
    def of(cls, denial: Denial) -> "Denied":
        """To raise a decision that has been made."""
        return cls(denial.word, denial.details, denial.remedy, retry_after=denial.retry_after)
