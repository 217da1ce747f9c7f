"""Who puts the TXT record of a DNS-01 challenge into the zone: a person, the operator's command, or dns-lexicon."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from causeway.errors import OperatorError
from causeway.pki.errors import AuthorityError

_COMMAND_S = 300


@dataclass(frozen=True, slots=True)
class Record:
    """A TXT record that proves who holds a name (RFC 8555, 8.4).

    Attributes:
        name: the record's full name, ``_acme-challenge.<name>``.
        value: its text; no secret.
    """

    name: str
    value: str


class Responder(Protocol):
    """Puts records into a zone and takes them out."""

    def present(self, record: Record) -> None:
        """Put it there.

        Raises:
            AuthorityError: it cannot be put there.
        """

    def clean_up(self, record: Record) -> None:
        """Take it away.

        Raises:
            AuthorityError: it cannot be taken away.
        """


@dataclass(frozen=True, slots=True)
class Manual:
    """A person does it; ``ask`` shows a text and returns when the person says that it is done."""

    ask: Callable[[str], None]

    def present(self, record: Record) -> None:
        """Ask for the record."""
        self.ask(
            f'Create this record, beside any other of that name:\n\n  {record.name}.  60  IN  TXT  "{record.value}"\n'
        )

    def clean_up(self, record: Record) -> None:
        """Nobody is asked twice: what is left behind proves nothing to anyone."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A command of the operator's, called with ``present`` or ``clean-up``, the record's name and its value."""

    command: Sequence[str]

    def present(self, record: Record) -> None:
        """Run ``COMMAND present NAME VALUE``."""
        self._run("present", record)

    def clean_up(self, record: Record) -> None:
        """Run ``COMMAND clean-up NAME VALUE``."""
        self._run("clean-up", record)

    def _run(self, action: str, record: Record) -> None:
        try:
            done = subprocess.run(  # noqa: S603  # the operator's own command
                [*self.command, action, record.name, record.value],
                capture_output=True,
                text=True,
                timeout=_COMMAND_S,
                check=False,
            )
        except OSError as error:
            raise OperatorError(f"{self.command[0]}: cannot be run: {error.strerror}; correct --dns-hook") from error
        except subprocess.TimeoutExpired as error:
            raise AuthorityError(f"{self.command[0]} {action}: not done in {_COMMAND_S} s") from error
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise AuthorityError(f"{self.command[0]} {action}: exit code {done.returncode}: {said[-1] if said else ''}")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One of the DNS services that dns-lexicon knows.

    Its credentials come from the environment, as dns-lexicon documents them (``LEXICON_<PROVIDER>_…``): they are never
    on the command line.
    """

    provider: str
    zone: str = ""
    """The zone of the name; where it is empty, dns-lexicon takes it from its list of public suffixes."""

    def present(self, record: Record) -> None:
        """Create the record."""
        self._act("create", record)

    def clean_up(self, record: Record) -> None:
        """Delete the record."""
        self._act("delete", record)

    def _act(self, action: str, record: Record) -> None:
        try:
            from lexicon.client import Client  # noqa: PLC0415  # an extra
            from lexicon.config import ConfigResolver  # noqa: PLC0415
        except ImportError as error:
            raise OperatorError(
                'dns-lexicon is not installed: `pip install "causeway[dns-providers]"`, or `make extras` in a clone'
            ) from error
        settings = {"provider_name": self.provider, "domain": self.zone or record.name.partition(".")[2], "ttl": 60}
        if self.zone:
            settings["delegated"] = self.zone
        try:
            with Client(ConfigResolver().with_env().with_dict(settings)) as operations:  # type: ignore[no-untyped-call]
                if action == "create":
                    operations.create_record("TXT", record.name, record.value)
                else:
                    operations.delete_record(None, "TXT", record.name, record.value)
        except Exception as error:  # whatever any of ninety services raises
            raise AuthorityError(f"{self.provider}: cannot {action} {record.name}: {error}") from error


@contextlib.contextmanager
def presented(responder: Responder, records: Sequence[Record]) -> Iterator[None]:
    """Have the records there for as long as the block lasts; what cannot be taken away again is left.

    Raises:
        AuthorityError: one cannot be put there.
    """
    done: list[Record] = []
    try:
        for record in records:
            done.append(record)
            responder.present(record)
        yield
    finally:
        for record in done:
            # A record that stays proves nothing to anyone; the certificate, or the first error, is what counts.
            with contextlib.suppress(AuthorityError):
                responder.clean_up(record)
