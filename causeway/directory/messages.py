"""LDAP messages (RFC 4511): bytes in, values out, and back. No sockets.

The library reads and writes messages; here each message is cut out of the stream first, so that its size is bounded
before it is kept, and whatever the reader stumbles over is the answer's fault and one error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sansldap

from causeway.directory.errors import DirectoryAnswer

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Above any entry of a page; Active Directory's own limit for what it takes is 10 MB."""

_SEQUENCE = 0x30
_LONG_FORM = 0x80
_LONGEST_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a search: its name, and its attributes by their names in lower case, options included."""

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)

    def texts(self, name: str) -> tuple[str, ...]:
        """The values of an attribute as text; what is not UTF-8 is replaced, since it is only compared and shown."""
        return tuple(value.decode("utf-8", "replace") for value in self.attributes.get(name.lower(), ()))

    def text(self, name: str) -> str:
        """The first value; empty where there is none."""
        return next(iter(self.texts(name)), "")

    def number(self, name: str) -> int:
        """The first value as a number; 0 where there is none or it is something else."""
        text = self.text(name)
        return int(text) if text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 20 else 0


@dataclass(frozen=True, slots=True)
class Done:
    """The end of an operation.

    Attributes:
        code: LDAP's result code; 0 is success.
        says: the directory's own words.
        token: of a sign-in by SASL, what the server sends.
        cookie: of a page, where the next one begins; empty after the last.
    """

    code: int
    says: str = ""
    token: bytes = b""
    cookie: bytes = b""


Reply = Entry | Done


class Messages:
    """One connection's messages. One operation at a time: the next begins when ``Done`` has come."""

    def __init__(self) -> None:
        self._client = sansldap.LDAPClient()
        self._held = bytearray()
        self._awaited: type[sansldap.LDAPMessage] = sansldap.BindResponse

    @property
    def holds_bytes(self) -> bool:
        """Whether the beginning of a message has come and its end has not."""
        return bool(self._held)

    def bind_simple(self, user: str, password: str) -> bytes:
        """Sign in with a password."""
        self._awaited = sansldap.BindResponse
        self._client.bind_simple(user, password)
        return self._client.data_to_send()

    def bind_sasl(self, mechanism: str, token: bytes) -> bytes:
        """A step of signing in by SASL."""
        self._awaited = sansldap.BindResponse
        self._client.bind_sasl(mechanism, None, token)
        return self._client.data_to_send()

    def start_tls(self) -> bytes:
        """Ask for TLS (RFC 4511, 4.14)."""
        self._awaited = sansldap.ExtendedResponse
        self._client.extended_request(sansldap.ExtendedOperations.LDAP_START_TLS.value)
        return self._client.data_to_send()

    def search(
        self,
        base: str,
        scope: sansldap.SearchScope,
        wanted: sansldap.LDAPFilter,
        attributes: Sequence[str],
        *,
        page: tuple[int, bytes] | None = None,
    ) -> bytes:
        """Search; ``page`` is the size of a page and the last page's cookie (RFC 2696)."""
        controls: list[sansldap.LDAPControl] = []
        if page is not None:
            controls.append(sansldap.PagedResultControl(critical=True, size=page[0], cookie=page[1]))
        self._awaited = sansldap.SearchResultDone
        self._client.search_request(
            base_object=base, scope=scope, filter=wanted, attributes=list(attributes), controls=controls
        )
        return self._client.data_to_send()

    def receive(self, data: bytes) -> list[Reply]:
        """What came with ``data``.

        Raises:
            DirectoryAnswer: it is not LDAP, too large, or no answer to what was asked.
        """
        self._held += data
        replies: list[Reply] = []
        while (size := _message_size(self._held)) is not None and size <= len(self._held):
            message = bytes(self._held[:size])
            del self._held[:size]
            replies += self._read(message)
        return replies

    def _read(self, message: bytes) -> list[Reply]:
        try:
            received = self._client.receive(message)
            return [reply for each in received if (reply := self._reply(each)) is not None]
        except DirectoryAnswer:
            raise
        except (
            Exception
        ) as error:  # of whatever kind: the bytes are the server's, and reading them changes nothing here
            first = (str(error) or type(error).__name__).splitlines()[0][:200]
            raise DirectoryAnswer(f"its answer cannot be read: {first}") from error

    def _reply(self, message: sansldap.LDAPMessage) -> Reply | None:
        # The library tells answers apart by their numbers; of which kind they must be is looked at here.
        if self._awaited is sansldap.SearchResultDone:
            if isinstance(message, sansldap.SearchResultReference):
                return None  # other directories' entries are not asked for
            if isinstance(message, sansldap.SearchResultEntry):
                found = {each.name.lower(): tuple(each.values) for each in message.attributes}
                return Entry(message.object_name, found)
        if not isinstance(message, self._awaited):
            raise DirectoryAnswer(f"it answers with {type(message).__name__}, which was not asked for")
        return _done(message)


def _message_size(held: bytearray) -> int | None:
    """The size of the message that begins ``held`` (X.690, 8.1; RFC 4511, 5.1); None where that is not known yet."""
    if not held:
        return None
    if held[0] != _SEQUENCE:
        raise DirectoryAnswer("it answers, but not in LDAP")
    if len(held) < 2:  # tag, and the first byte of the length
        return None
    first = held[1]
    if first < _LONG_FORM:
        return 2 + first
    count = first - _LONG_FORM
    if not 0 < count <= _LONGEST_LENGTH:
        raise DirectoryAnswer("its answer has a length that LDAP does not allow")
    if len(held) < 2 + count:
        return None
    size = 2 + count + int.from_bytes(held[2 : 2 + count], "big")
    if size > MAX_MESSAGE_BYTES:
        raise DirectoryAnswer(f"its answer has {size} bytes, and no answer to these questions is so large")
    return size


def _done(message: sansldap.LDAPMessage) -> Done:
    assert isinstance(message, sansldap.BindResponse | sansldap.ExtendedResponse | sansldap.SearchResultDone)
    result = message.result
    token = message.server_sasl_creds if isinstance(message, sansldap.BindResponse) else None
    pages = [each.cookie for each in message.controls if isinstance(each, sansldap.PagedResultControl)]
    return Done(int(result.result_code), result.diagnostics_message, token or b"", pages[0] if pages else b"")
