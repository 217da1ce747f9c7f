"""The header of a message: the ``<Msg>`` element of the first part.

Element names are those that the 2007 SDK ("Configuration Manager Client Messaging") and public clients write. Their
order carries no meaning; the writer uses the SDK's, which is alphabetical.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from xml.etree.ElementTree import Element

from causeway.messaging import safe_xml
from causeway.messaging.errors import FieldError, UnsupportedError
from causeway.messaging.hooks import Hooks, hooks_to_xml, parse_hooks
from causeway.messaging.identifiers import format_timestamp, new_guid, parse_timestamp
from causeway.messaging.safe_xml import child_text, element, integer

MAX_HEADER_CHARACTERS = 256 * 1024
_MAX_FIELD_CHARACTERS = 2048
_MAX_ATTACHMENTS = 64
_NO_CORRELATION = "{00000000-0000-0000-0000-000000000000}"


class ReplyMode(StrEnum):
    """Whether the sender waits for the answer in the same exchange."""

    SYNC = "Sync"
    ASYNC = "Async"


class ReplyCompression(StrEnum):
    """What the sender said about the reply's payload; a message without the attribute has None instead."""

    ZLIB = "zlib"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Where a text lies in the decompressed payload, in bytes."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """A named range of the decompressed payload beside the body."""

    name: str
    range: ByteRange


@dataclass(frozen=True, slots=True)
class Header:
    """Everything that ``<Msg>`` says.

    ``source_id`` is what the sender claims to be, as written; a signature proves it. ``timeout_ms`` is how long the
    sender waits. ``hooks`` says how the payload was treated and how the sender proves itself. ``properties`` are the
    header's own name and value pairs, for example ``("FileType", "SMX")`` on a state message.
    """

    body: ByteRange
    target_endpoint: str
    id: str = field(default_factory=new_guid)
    source_id: str = ""
    source_host: str = ""
    target_address: str = ""
    target_host: str = ""
    reply_to: str = ""
    reply_mode: ReplyMode = ReplyMode.SYNC
    reply_compression: ReplyCompression | None = None
    correlation_id: str = _NO_CORRELATION
    sent_time: datetime | None = None
    timeout_ms: int = 60_000
    priority: int = 0
    hooks: Hooks = field(default_factory=Hooks)
    attachments: tuple[Attachment, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()

    def property(self, name: str) -> str | None:
        """Return the value of the first property called ``name``, in any case, or None."""
        return next((value for key, value in self.properties if key.lower() == name.lower()), None)


def parse_header(text: str) -> Header:
    """Parse a ``<Msg>``.

    Raises:
        MessagingError: XML that is refused, a missing ``Body``, or a value that is impossible.
    """
    root = safe_xml.parse(text, root="Msg", max_characters=MAX_HEADER_CHARACTERS)
    body = root.find("Body")
    if body is None:
        raise FieldError("<Msg> needs a <Body>")
    attachments = root.findall("Attachment")
    if len(attachments) > _MAX_ATTACHMENTS:
        raise FieldError(f"<Msg> has more than {_MAX_ATTACHMENTS} attachments")
    payload = root.find("Payload")
    if payload is not None and payload.get("Type", "inline").lower() != "inline":
        raise UnsupportedError("only inline payloads are served")
    sent_time = child_text(root, "SentTime")
    return Header(
        body=_parse_range(body),
        target_endpoint=_field(root, "TargetEndpoint"),
        id=_field(root, "ID"),
        source_id=_field(root, "SourceID"),
        source_host=_field(root, "SourceHost"),
        target_address=_field(root, "TargetAddress"),
        target_host=_field(root, "TargetHost"),
        reply_to=_field(root, "ReplyTo"),
        reply_mode=_parse_reply_mode(_field(root, "ReplyMode")),
        reply_compression=_parse_reply_compression(root.get("ReplyCompression")),
        correlation_id=_field(root, "CorrelationID"),
        sent_time=parse_timestamp(sent_time) if sent_time else None,
        timeout_ms=integer(child_text(root, "Timeout") or "0", "Timeout", minimum=0),
        priority=integer(child_text(root, "Priority") or "0", "Priority"),
        hooks=parse_hooks(root.find("Hooks")),
        attachments=tuple(Attachment(_checked(a.get("Name", ""), "Name"), _parse_range(a)) for a in attachments),
        properties=tuple(
            (_checked(p.get("Name", ""), "Name"), _checked(p.get("Value", ""), "Value"))
            for p in root.findall("Property")
        ),
    )


def header_to_xml(header: Header) -> str:
    """Return the ``<Msg>`` of ``header``.

    Raises:
        FieldError: a hook's property has a name that cannot be written.
    """
    return element(
        "Msg",
        *(
            element(
                "Attachment",
                Length=attachment.range.length,
                Name=attachment.name,
                Offset=attachment.range.offset,
                Type="ByteRange",
            )
            for attachment in header.attachments
        ),
        element("Body", Length=header.body.length, Offset=header.body.offset, Type="ByteRange"),
        element("CorrelationID", header.correlation_id),
        hooks_to_xml(header.hooks),
        element("ID", header.id),
        element("Payload", Type="inline"),
        element("Priority", str(header.priority)),
        *(element("Property", Name=name, Value=value) for name, value in header.properties),
        element("Protocol", "http"),
        element("ReplyMode", header.reply_mode.value),
        element("ReplyTo", header.reply_to),
        element("SentTime", format_timestamp(header.sent_time or datetime.now(UTC))),
        element("SourceHost", header.source_host),
        element("SourceID", header.source_id),
        element("TargetAddress", header.target_address),
        element("TargetEndpoint", header.target_endpoint),
        element("TargetHost", header.target_host),
        element("Timeout", str(header.timeout_ms)),
        ReplyCompression=header.reply_compression,
        SchemaVersion="1.1",
    )


def _checked(value: str, what: str) -> str:
    if len(value) > _MAX_FIELD_CHARACTERS:
        raise FieldError(f"{what} is longer than {_MAX_FIELD_CHARACTERS} characters")
    return value


def _field(root: Element, name: str) -> str:
    return _checked(child_text(root, name), name)


def _parse_range(node: Element) -> ByteRange:
    if node.get("Type", "ByteRange") != "ByteRange":
        raise UnsupportedError(f"a <{node.tag}> of another type than ByteRange")
    return ByteRange(
        integer(node.get("Offset", "0"), "Offset", minimum=0),
        integer(node.get("Length", ""), "Length", minimum=0),
    )


def _parse_reply_mode(text: str) -> ReplyMode:
    # The SDK also spells it "ASync".
    modes = {mode.lower(): mode for mode in ReplyMode}
    mode = modes.get(text.lower() or "sync")
    if mode is None:
        raise FieldError(f"ReplyMode is neither Sync nor Async: {text[:40]!r}")
    return mode


def _parse_reply_compression(text: str | None) -> ReplyCompression | None:
    if text is None:
        return None
    try:
        return ReplyCompression(text.strip().lower())
    except ValueError:
        raise UnsupportedError(f"ReplyCompression is neither zlib nor none: {text[:40]!r}") from None
