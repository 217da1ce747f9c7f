import contextlib
import zlib
from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.messaging import envelope
from causeway.messaging.envelope import FIXED_BOUNDARY, Part
from causeway.messaging.errors import (
    ByteRangeError,
    CompressionError,
    EnvelopeError,
    FieldError,
    MessagingError,
    TooLargeError,
    UnsupportedError,
    XmlError,
)
from causeway.messaging.header import Attachment, ByteRange, Header, ReplyCompression, ReplyMode, parse_header
from causeway.messaging.hooks import ClientAuth, Hooks, SignedToken
from causeway.messaging.message import Message, compose, decode, encode, encode_reply
from causeway.messaging.text import decode_utf16

TYPE = f'multipart/mixed; boundary="{FIXED_BOUNDARY}"'
words = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), max_size=40).map(
    str.strip
)
hexes = st.binary(min_size=1, max_size=8).map(bytes.hex)
auths = st.builds(
    ClientAuth,
    sender_machine=words,
    public_key=hexes,
    client_id_signature=hexes,
    payload_signature=hexes,
    capabilities=words,
    hash_algorithm=words,
    token=st.none() | st.builds(SignedToken, st.just("GUID:X;2026-11-23T05:13:59Z;2"), hexes),
)
headers = st.builds(
    Header,
    body=st.builds(ByteRange, st.integers(0, 2**31), st.integers(0, 2**31)),
    target_endpoint=words,
    id=words,
    source_id=words,
    source_host=words,
    target_address=words,
    target_host=words,
    reply_to=words,
    reply_mode=st.sampled_from(ReplyMode),
    reply_compression=st.none() | st.sampled_from(ReplyCompression),
    correlation_id=words,
    sent_time=st.datetimes(timezones=st.just(UTC)).map(
        lambda moment: moment.replace(microsecond=0, year=max(moment.year, 1970))
    ),
    timeout_ms=st.integers(0, 2**31),
    priority=st.integers(-10, 10),
    hooks=st.builds(Hooks, st.booleans(), st.none() | auths),
    attachments=st.lists(
        st.builds(Attachment, words, st.builds(ByteRange, st.integers(0, 99), st.integers(0, 99))), max_size=4
    ).map(tuple),
    properties=st.lists(st.tuples(words, words), max_size=4).map(tuple),
)


def sdk_message(body: str, payload: bytes, *, length: int | None = None, hooks: str = "<Hooks />") -> bytes:
    length = 2 * len(body) + 2 if length is None else length
    header = (
        f'<Msg ReplyCompression="none" SchemaVersion="1.1"><Body Type="ByteRange" Length="{length}" Offset="0" />'
        f"{hooks}<ID>{{guid}}</ID><ReplyMode>Sync</ReplyMode><TargetEndpoint>MP_LocationManager</TargetEndpoint></Msg>"
    )
    return envelope.build(
        (
            Part("text/plain; charset=UTF-16", b"\xff\xfe" + header.encode("utf-16-le")),
            Part("application/octet-stream", payload),
        )
    )[1]


@given(headers, st.binary(max_size=64))
def test_a_message_comes_back_as_it_was_encoded(header: Header, payload: bytes) -> None:
    message = Message(header, payload)
    assert decode(*encode(message)) == message


@given(
    st.text(st.characters(exclude_categories=("Cs", "Cc"))).map(lambda text: text.strip("\ufeff\ufffe ")), st.booleans()
)
def test_a_body_comes_back_as_it_was_composed(text: str, compress: bool) -> None:
    message = compose(text, "MP_X", attachments=[("one", b"\1\2"), ("two", b"")], compress=compress)
    received = decode(*encode(message))
    assert received.body_text() == text
    assert received.attachments() == {"one": b"\1\2", "two": b""}


@given(st.binary())
def test_arbitrary_bytes_as_header_or_payload_are_taken_or_refused(data: bytes) -> None:
    with contextlib.suppress(MessagingError):
        decode(*envelope.build((Part("text/plain; charset=UTF-16", data), Part("application/octet-stream", data))))
    message = Message(Header(ByteRange(0, len(data)), "MP_X", hooks=Hooks(zlib_compress=True)), data)
    for read in (message.plaintext, message.body_text, message.attachments):
        with contextlib.suppress(MessagingError):
            read()


@given(st.text())
def test_an_arbitrary_token_is_taken_or_refused(text: str) -> None:
    with contextlib.suppress(MessagingError):
        parse_header(
            f'<Msg><Body Length="0"/><Hooks><Hook2 Name="clientauth"><Property Name="Token">{text}'
            "</Property></Hook2></Hooks></Msg>"
        )


def test_the_native_payload_layout_counts_the_nul_but_not_the_line_end() -> None:
    message = compose("<A/>", "MP_X", compress=False)
    assert message.payload == b"<\0A\0/\0>\0\0\0\r\n"
    assert message.header.body == ByteRange(0, 10)


def test_the_sdk_message_is_taken() -> None:
    text = '<SiteInformationRequest SchemaVersion="1.00"><SiteCode Name="PS1"/></SiteInformationRequest>'
    message = decode(TYPE, sdk_message(text, text.encode("utf-16-le") + b"\0\0\r\n"))
    assert message.body_text() == text
    assert message.header.reply_compression is ReplyCompression.NONE


def test_a_compressed_message_is_one_zlib_stream_with_its_line_end() -> None:
    message = compose("<A/>", "MP_X")
    assert zlib.decompress(message.payload) == b"<\0A\0/\0>\0\0\0\r\n"
    assert message.header.hooks.zlib_compress


def test_an_uncompressed_text_part_with_empty_hooks_is_taken() -> None:
    text = "<A/>"
    header = '<Msg SchemaVersion="1.1"><ID>1</ID><Body Type="ByteRange" Offset="0" Length="10"/><Hooks/></Msg>'
    body = (
        f"--{FIXED_BOUNDARY}\r\ncontent-type: text/plain; charset=UTF-16\r\n\r\n".encode()
        + header.encode("utf-16")
        + f"\r\n--{FIXED_BOUNDARY}\r\ncontent-type: text/plain; charset=UTF-16\r\n\r\n".encode()
        + text.encode("utf-16-le")
        + b"\0\0\0\0\r\n"
        + f"--{FIXED_BOUNDARY}--\r\n".encode()
    )
    message = decode(TYPE, body)
    assert message.body_text() == text
    assert message.header.reply_compression is None


def test_a_media_message_with_form_data_parts_and_three_nul_bytes_is_taken() -> None:
    request = "<RequestAssignments/>\r\n"
    header = (
        "<Msg><ID/><SourceID>5E1A7E0C-0000-0000-0000-000000000001</SourceID><ReplyTo>direct:OSD</ReplyTo>"
        f'<Body Type="ByteRange" Offset="0" Length="{2 * len(request) + 2}"/><Hooks><Hook2 Name="clientauth">'
        '<Property Name="Token"><![CDATA[ClientToken:GUID:X;2026-11-23T05:13:59Z\r\nClientTokenSignature:AB12\r\n]]>'
        '</Property></Hook2></Hooks><Payload Type="inline"/><TargetEndpoint>MP_PolicyManager</TargetEndpoint>'
        "<ReplyMode>Sync</ReplyMode></Msg>"
    )
    body = (
        b'--5f1e\r\nContent-Disposition: form-data; name="Msg"\r\nContent-Type: text/plain; charset=UTF-16\r\n\r\n'
        + b"\xff\xfe"
        + header.encode("utf-16-le")
        + b'\r\n--5f1e\r\nContent-Disposition: form-data; name="RequestAssignments"\r\n\r\n'
        + request.encode("utf-16-le")
        + b"\0\0\0\r\n--5f1e--\r\n"
    )
    message = decode("multipart/mixed; boundary=5f1e", body)
    assert message.body_text() == "<RequestAssignments/>"
    auth = message.header.hooks.client_auth
    assert auth is not None
    assert auth.token == SignedToken("GUID:X;2026-11-23T05:13:59Z", "AB12")


def test_a_token_with_literal_character_references_is_taken() -> None:
    header = parse_header(
        '<Msg><Body Length="0"/><Hooks><Hook2 Name="clientauth"><Property Name="Token"><![CDATA['
        "ClientToken:a;b&#xD;&#xA;ClientTokenSignature:CD&#xD;&#xA;]]></Property></Hook2></Hooks></Msg>"
    )
    assert header.hooks.client_auth == ClientAuth(token=SignedToken("a;b", "CD"))


@pytest.mark.parametrize(("spelling", "mode"), [("ASync", ReplyMode.ASYNC), ("", ReplyMode.SYNC)])
def test_reply_mode_is_taken_in_every_spelling(spelling: str, mode: ReplyMode) -> None:
    assert parse_header(f'<Msg><Body Length="0"/><ReplyMode>{spelling}</ReplyMode></Msg>').reply_mode is mode


def test_a_header_property_is_found_in_any_case() -> None:
    header = parse_header('<Msg><Body Length="0"/><Property Name="FileType" Value="SMX"/></Msg>')
    assert header.property("filetype") == "SMX"
    assert header.property("other") is None


@pytest.mark.parametrize(("offset", "length"), [(0, 11), (10, 1), (4294967296, 1), (0, 4294967296)])
def test_a_range_outside_the_payload_is_refused(offset: int, length: int) -> None:
    message = compose("<A/>", "MP_X", compress=False)
    message = replace(message, payload=message.payload[:10])
    body = replace(message, header=replace(message.header, body=ByteRange(offset, length)))
    with pytest.raises(ByteRangeError):
        body.body_text()
    attachment = replace(message.header, attachments=(Attachment("a", ByteRange(offset, length)),))
    with pytest.raises(ByteRangeError):
        replace(message, header=attachment).attachments()


@pytest.mark.parametrize("length", ["-1", "99999999999999999999", "", "ten"])
def test_a_length_that_is_no_length_is_refused(length: str) -> None:
    with pytest.raises(FieldError):
        parse_header(f'<Msg><Body Type="ByteRange" Offset="0" Length="{length}"/></Msg>')


def test_a_zlib_bomb_is_refused_before_it_unfolds() -> None:
    bomb = zlib.compress(b"\0" * (20 * 1024 * 1024), 9)
    assert len(bomb) < 32 * 1024
    message = Message(Header(ByteRange(0, 10), "MP_X", hooks=Hooks(zlib_compress=True)), bomb)
    with pytest.raises(TooLargeError):
        message.body_text()


def test_an_uncompressed_payload_over_the_limit_is_refused() -> None:
    with pytest.raises(TooLargeError):
        compose("<A/>", "MP_X", compress=False).plaintext(max_bytes=11)


def test_attachments_over_the_same_bytes_cannot_multiply() -> None:
    message = compose("<A/>", "MP_X", attachments=[("a", b"x" * 50)])
    span = message.header.attachments[0].range
    header = replace(message.header, attachments=tuple(Attachment(str(i), span) for i in range(10)))
    with pytest.raises(TooLargeError):
        replace(message, header=header).attachments(max_bytes=200)


def test_two_attachments_of_one_name_are_refused() -> None:
    with pytest.raises(FieldError):
        compose("<A/>", "MP_X", attachments=[("a", b""), ("a", b"")]).attachments()


@pytest.mark.parametrize("payload", [b"", b"not zlib", zlib.compress(b"x" * 100)[:-1], zlib.compress(b"x") + b"more"])
def test_a_broken_zlib_stream_is_refused(payload: bytes) -> None:
    message = Message(Header(ByteRange(0, 0), "MP_X", hooks=Hooks(zlib_compress=True)), payload)
    with pytest.raises(CompressionError):
        message.plaintext()


@pytest.mark.parametrize("count", [1, 3])
def test_a_message_of_another_number_of_parts_is_refused(count: int) -> None:
    part = Part("text/plain; charset=UTF-16", '<Msg><Body Length="0"/></Msg>'.encode("utf-16"))
    with pytest.raises(EnvelopeError):
        decode(*envelope.build([part] * count))


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ("<Msg/>", FieldError),
        ("<Other/>", FieldError),
        ('<Msg><Body Type="File" Length="0"/></Msg>', UnsupportedError),
        ('<Msg><Body Length="0"/><Payload Type="bits"/></Msg>', UnsupportedError),
        ('<Msg ReplyCompression="lzma"><Body Length="0"/></Msg>', UnsupportedError),
        ('<Msg><Body Length="0"/><ReplyMode>Maybe</ReplyMode></Msg>', FieldError),
        ('<Msg><Body Length="0"/><SentTime>yesterday</SentTime></Msg>', FieldError),
        ('<Msg><Body Length="0"/><Timeout>-1</Timeout></Msg>', FieldError),
        ('<Msg><Body Length="0"/>' + '<Attachment Length="0"/>' * 65 + "</Msg>", FieldError),
        (f'<Msg><Body Length="0"/><SourceID>{"x" * 3000}</SourceID></Msg>', FieldError),
        ('<Msg><Body Length="0"/>' + " " * 300_000 + "</Msg>", TooLargeError),
        ('<!DOCTYPE Msg><Msg><Body Length="0"/></Msg>', XmlError),
        ('<Msg><Body Length="0"/><Hooks><Hook Name="clientauth"/><Hook Name="clientauth"/></Hooks></Msg>', FieldError),
        (
            '<Msg><Body Length="0"/><Hooks><Hook Name="clientauth"><Property Name="PublicKey">A</Property>'
            '<Property Name="PublicKey">B</Property></Hook></Hooks></Msg>',
            FieldError,
        ),
    ],
)
def test_an_impossible_header_is_refused(header: str, error: type[MessagingError]) -> None:
    with pytest.raises(error):
        parse_header(header)


@pytest.mark.parametrize(
    ("asked", "compressed"), [(ReplyCompression.ZLIB, True), (ReplyCompression.NONE, False), (None, True)]
)
def test_a_reply_is_compressed_unless_the_request_said_none(asked: ReplyCompression | None, compressed: bool) -> None:
    request = compose("<A/>", "MP_X", source_host="PC1", reply_compression=asked)
    header, payload = envelope.parse(*encode_reply(request, "<B/>", source_host="MP1"))
    assert (header.content_type, payload.content_type) == ("text/plain; charset=UTF-16", "application/octet-stream")
    assert header.body.startswith(b"\xff\xfe")
    plaintext = zlib.decompress(payload.body) if compressed else payload.body
    assert plaintext == b"<\0B\0/\0>\0\0\0"
    assert parse_header(decode_utf16(header.body)).hooks.zlib_compress is compressed


def test_a_reply_names_the_request_that_it_answers() -> None:
    request = compose("<A/>", "MP_X", source_host="PC1")
    reply = decode(*encode_reply(request, "<B/>"))
    assert reply.header.correlation_id == request.header.id
    assert reply.header.target_address == request.header.reply_to
    assert reply.body_text() == "<B/>"
