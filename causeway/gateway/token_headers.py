"""Where in a head a token comes."""

from collections.abc import Iterable

from causeway.gateway_settings import TokenHeader
from causeway.identity.denial import INVALID, Denied

_SPACE = b" \t"


class TokenHeaders:
    """Looks for tokens in the headers that the settings name."""

    def __init__(self, headers: Iterable[TokenHeader]) -> None:
        schemes: dict[bytes, list[bytes]] = {}
        for header in headers:
            schemes.setdefault(header.name.lower().encode(), []).append(header.scheme.lower().encode())
        # The longest scheme first, so that an empty one takes only what is no other's.
        self._schemes = {name: sorted(those, key=len, reverse=True) for name, those in schemes.items()}

    def find(self, fields: bytes) -> bytes:
        """The token among the header lines ``fields``, each of which ends with CRLF; empty where there is none.

        Raises:
            Denied: there are two that differ: the site system might read the other one.
        """
        token = b""
        schemes_of = self._schemes.get
        for line in fields.split(b"\r\n"):
            name, _, value = line.partition(b":")
            schemes = schemes_of(name.lower())
            if schemes is not None and (found := _token(value.strip(_SPACE), schemes)):
                if token and token != found:
                    raise Denied(
                        INVALID, "there are two tokens", "A client sends one token; something on the way adds another."
                    )
                token = found
        return token

    def without(self, fields: bytes) -> bytes:
        """The header lines ``fields`` but those that carry a token."""
        kept = []
        for line in fields.split(b"\r\n"):
            name, _, value = line.partition(b":")
            schemes = self._schemes.get(name.lower())
            if schemes is None or not _token(value.strip(_SPACE), schemes):
                kept.append(line)
        return b"\r\n".join(kept)


def _token(value: bytes, schemes: list[bytes]) -> bytes:
    for scheme in schemes:
        if not scheme:
            return value
        size = len(scheme)
        if value[:size].lower() == scheme and value[size : size + 1] in (b" ", b"\t"):
            return value[size:].strip(_SPACE)
    return b""
