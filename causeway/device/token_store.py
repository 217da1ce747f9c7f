"""The tokens that a device keeps: a file of their own beside its keys, readable for its owner alone."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from causeway.errors import StateError
from causeway.files import read_state, write_atomically
from causeway.messaging.tokens import GivenToken, TokenKind

_FILE = "tokens.json"
_STRICT = ConfigDict(extra="forbid")


@checked_dataclass(frozen=True, slots=True, config=_STRICT)
class KeptToken:
    """A token, when it ends, and when it is to be renewed."""

    text: str = field(repr=False)
    expires: AwareDatetime
    renew_after: AwareDatetime

    def holds(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return now < self.expires


@checked_dataclass(frozen=True, slots=True, config=_STRICT)
class KeptTokens:
    """What a device has: for daily use, and for a new one of those. ``identity`` is the device that they name."""

    identity: str = ""
    ccm: KeptToken | None = None
    self_prove: KeptToken | None = None


_ADAPTER = TypeAdapter(KeptTokens)


def has_tokens(folder: Path) -> bool:
    """Whether a device's state folder holds tokens."""
    return (folder / _FILE).exists()


@dataclass(slots=True)
class TokenStore:
    """The file in a device's state folder, and what is in it."""

    folder: Path
    tokens: KeptTokens = field(default_factory=KeptTokens)

    def load(self) -> None:
        """Read the file, if there is one.

        Raises:
            StateError: it is damaged or unreadable.
        """
        file = self.folder / _FILE
        if not file.exists():
            return
        try:
            self.tokens = _ADAPTER.validate_json(read_state(file, "the device's tokens"))
        except ValidationError:
            raise StateError(
                f"{file}: the device's tokens are damaged; delete the file, and register again with a bulk "
                "registration token or inside"
            ) from None

    def keep(self, identity: str, given: tuple[GivenToken, ...]) -> None:
        """Put new tokens beside or in place of those that the device has.

        Raises:
            StateError: the folder is full or not writable.
        """
        kept = {one.kind: KeptToken(one.text, one.expires, one.renew_after) for one in given}
        before = self.tokens if self.tokens.identity == identity else KeptTokens()
        self._save(
            KeptTokens(
                identity,
                kept.get(TokenKind.CCM, before.ccm),
                kept.get(TokenKind.SELF_PROVE, before.self_prove),
            )
        )

    def drop_ccm(self) -> None:
        """Forget the token for daily use: it was refused."""
        self._save(KeptTokens(self.tokens.identity, None, self.tokens.self_prove))

    def _save(self, tokens: KeptTokens) -> None:
        write_atomically(self.folder / _FILE, _ADAPTER.dump_json(tokens, indent=2))
        self.tokens = tokens
