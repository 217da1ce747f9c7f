"""Where in a head a token comes."""

from collections.abc import Iterable
from typing import NamedTuple

from causeway.gateway_settings import TokenHeader
from causeway.identity.denial import INVALID, Denied

_SPACE = b" \t"


class FoundToken(NamedTuple):
    """A token in a head.

    Attributes:
        token: as sent.
        without: the header lines without those that carry it.
    """

    token: bytes
    without: bytes


class TokenHeaders:
    """Looks for tokens in the headers that the settings name."""

    def __init__(self, headers: Iterable[TokenHeader]) -> None:
        schemes: dict[bytes, list[bytes]] = {}
        for header in headers:
            schemes.setdefault(b"\n%b:" % header.name.lower().encode(), []).append(header.scheme.lower().encode())
        # The longest scheme first, so that an empty one takes only what is no other's.
        self._headers = [(name, sorted(those, key=len, reverse=True)) for name, those in schemes.items()]

    def find(self, fields: bytes) -> FoundToken | None:
        """The token among the header lines ``fields``, each of which ends with CRLF; None where there is none.

        Raises:
            Denied: there are two that differ: the site system might read the other one.
        """
        token = b""
        lines: list[tuple[int, int]] = []
        lower = b"\n" + fields.lower()  # positions are one higher than in ``fields``
        for name, schemes in self._headers:
            at = lower.find(name)
            while at >= 0:
                begin = at + len(name) - 1
                end = fields.index(b"\r\n", begin)
                found = _token(fields[begin:end].strip(_SPACE), schemes)
                if found:
                    if token and token != found:
                        raise Denied(
                            INVALID,
                            "there are two tokens",
                            "A client sends one token; something on the way adds another.",
                        )
                    token = found
                    lines.append((at, end + 2))
                at = lower.find(name, end)
        if not token:
            return None
        without = fields
        for begin, end in sorted(lines, reverse=True):
            without = without[:begin] + without[end:]
        return FoundToken(token, without)


def _token(value: bytes, schemes: list[bytes]) -> bytes:
    for scheme in schemes:
        if not scheme:
            return value
        size = len(scheme)
        if value[:size].lower() == scheme and value[size : size + 1] in (b" ", b"\t"):
            return value[size:].strip(_SPACE)
    return b""
