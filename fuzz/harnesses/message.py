"""Whole messages: multipart, header, ranges, compression and reports; nothing but a MessagingError escapes."""

import contextlib
import dataclasses
from datetime import timedelta

from causeway.messaging.client_auth import verify_message, verify_token
from causeway.messaging.errors import MessagingError
from causeway.messaging.message import Message, decode, encode, encode_reply
from causeway.messaging.reports import report_of
from causeway.messaging.signatures import decode_public_key
from fuzz.harnesses.message_documents import TEXT_READERS, reads

MAX_BYTES = 256 * 1024
_FOREVER = timedelta.max


def check(data: bytes) -> bool:
    """The first line is the Content-Type, the rest the body."""
    content_type, _, body = data.partition(b"\n")
    try:
        message = decode(content_type.decode("latin-1"), body, max_bytes=MAX_BYTES)
    except MessagingError:
        return False
    _is_written_as_it_was_read(message)
    with contextlib.suppress(MessagingError):
        assert len(message.plaintext(max_bytes=MAX_BYTES)) <= MAX_BYTES
    with contextlib.suppress(MessagingError):
        held = message.attachments(max_bytes=MAX_BYTES)
        assert sum(map(len, held.values())) <= MAX_BYTES
    with contextlib.suppress(MessagingError):
        report_of(message, max_bytes=MAX_BYTES)
    with contextlib.suppress(MessagingError):
        text = message.body_text(max_bytes=MAX_BYTES)
        for reader in TEXT_READERS.values():
            reads(reader, text)
    _signatures_hold_or_are_refused(message)
    return True


def _is_written_as_it_was_read(message: Message) -> None:
    with contextlib.suppress(MessagingError):
        again = decode(*encode(message), max_bytes=4 * MAX_BYTES)
        if message.header.sent_time is None:  # the writer fills it in
            again = dataclasses.replace(again, header=dataclasses.replace(again.header, sent_time=None))
        elif message.header.sent_time.microsecond:  # and writes whole seconds
            second = message.header.sent_time.replace(microsecond=0)
            message = dataclasses.replace(message, header=dataclasses.replace(message.header, sent_time=second))
        assert again == message, (again, message)
    with contextlib.suppress(MessagingError):
        reply = decode(*encode_reply(message, "<Reply/>"), max_bytes=4 * MAX_BYTES)
        assert reply.body_text() == "<Reply/>"


def _signatures_hold_or_are_refused(message: Message) -> None:
    auth = message.header.hooks.client_auth
    if auth is None:
        return
    with contextlib.suppress(MessagingError):
        key = decode_public_key(auth.public_key)
        with contextlib.suppress(MessagingError):
            verify_message(message, key)
        if auth.token is not None:
            verify_token(key, auth.token.token, auth.token.signature, max_age=_FOREVER)
