"""Documents that sign themselves: a ``<Data>`` element, signed exactly as sent, and its signature beside it."""

import re

from causeway.messaging.errors import SignatureError

_START = re.compile(r"<Data[\s>]")
_END = "</Data>"


def signed_text(text: str, what: str) -> str:
    """The ``<Data>`` element of a document as it was sent; ``what`` names the document in the error.

    Raises:
        SignatureError: there is none, or more than one.
    """
    start = _START.search(text)
    end = text.find(_END)
    # A second <Data> anywhere, in a comment or CDATA even, would make it unclear which one was signed.
    if start is None or end < start.start() or len(_START.findall(text)) != 1 or text.count(_END) != 1:
        raise SignatureError(f"{what} has exactly one <Data> element")
    return text[start.start() : end + len(_END)]
