"""Bodies in chunks: however they are cut they hold the same content, and cost no more memory than they must."""

import contextlib
from collections.abc import Iterable
from typing import NamedTuple

from causeway.http import BadRequest, ChunkedDecoder, encode_chunk, last_chunk
from causeway.http.body import MAX_TRAILER_BYTES
from fuzz.harnesses.splits import WHOLE, pieces

_MOST_KEPT = MAX_TRAILER_BYTES + 2


class _Outcome(NamedTuple):
    refused: bool
    finished: bool
    content: bytes
    trailers: bytes
    rest: bytes


def check(data: bytes) -> bool:
    """The first byte says how the rest is cut."""
    cut, body = (data[0], data[1:]) if data else (WHOLE, b"")
    whole = _decode([body])
    cut_up = _decode(pieces(body, cut))
    assert whole.refused == cut_up.refused
    if whole.refused:
        # What came before the fault may have been handed on in one way of cutting and not in the other.
        assert cut_up.content.startswith(whole.content) or whole.content.startswith(cut_up.content)
        return False
    assert whole == cut_up
    if whole.finished:
        again = encode_chunk(whole.content) if whole.content else b""
        assert _decode([again + last_chunk(whole.trailers)])._replace(rest=whole.rest) == whole
    return whole.finished


def _decode(parts: Iterable[bytes]) -> _Outcome:
    decoder = ChunkedDecoder()
    content = rest = b""
    refused = False
    with contextlib.suppress(BadRequest):
        refused = True
        for part in parts:
            if decoder.finished:
                rest += part
                continue
            handed_on = b"".join(decoder.feed(part))
            assert len(handed_on) <= len(part)
            content += handed_on
            rest += decoder.rest
            assert _kept(decoder) <= _MOST_KEPT
        refused = False
    return _Outcome(refused, decoder.finished, content, decoder.trailers, rest)


def _kept(decoder: ChunkedDecoder) -> int:
    return len(decoder._buffer)  # noqa: SLF001  # what it costs while it waits is the promise
