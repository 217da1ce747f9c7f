import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.messaging import safe_xml
from causeway.messaging.errors import FieldError, MessagingError, TooLargeError, XmlError
from causeway.messaging.safe_xml import Markup, cdata, element, integer
from causeway.messaging.text import decode_document, decode_utf16, encode_utf16

# What XML can carry, without the padding that the protocol adds and takes away.
xml_text = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"))


@given(st.binary())
def test_arbitrary_bytes_are_text_or_refused(data: bytes) -> None:
    for decode in (decode_utf16, decode_document):
        with contextlib.suppress(MessagingError):
            decode(data)


@given(st.text())
def test_arbitrary_text_is_xml_or_refused(text: str) -> None:
    with contextlib.suppress(MessagingError):
        safe_xml.parse(text)


@given(xml_text, xml_text)
def test_what_is_written_is_read_back(attribute: str, content: str) -> None:
    root = safe_xml.parse(element("A", element("B", content), cdata(content), Name=attribute))
    assert root.get("Name") == attribute
    assert root.findtext("B", "") == content
    assert (root[0].tail or "") == content


@given(st.text(st.characters()))
def test_any_text_can_be_written(content: str) -> None:
    safe_xml.parse(element("A", content, cdata(content), Name=content))


@given(xml_text.map(lambda text: text.strip("\0\r\n\t \ufeff")), st.booleans(), st.booleans())
def test_utf16_comes_back_with_or_without_mark_and_nul(text: str, mark: bool, nul: bool) -> None:
    assert decode_utf16(encode_utf16(text, byte_order_mark=mark, terminated=nul)) == text


def test_big_endian_text_needs_its_mark() -> None:
    assert decode_utf16(b"\xfe\xff\0<\0a") == "<a"


def test_three_trailing_nul_bytes_are_padding() -> None:
    assert decode_utf16("<a/>".encode("utf-16-le") + b"\0\0\0") == "<a/>"


@pytest.mark.parametrize("data", [b"a\0b", b"\x00\xd8", b"\xff\xfe\x00\xdc"])
def test_broken_utf16_is_refused(data: bytes) -> None:
    with pytest.raises(XmlError):
        decode_utf16(data)


def test_half_a_surrogate_pair_cannot_be_encoded() -> None:
    with pytest.raises(XmlError):
        encode_utf16("\ud800")


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&d;</a>',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        '<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1/x"> %b;]><a/>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1/x"><a/>',
        "<!DOCTYPE a><a/>",
    ],
)
def test_type_declarations_and_entities_are_refused(text: str) -> None:
    with pytest.raises(XmlError):
        safe_xml.parse(text)


@pytest.mark.parametrize(
    "text", ["", "<a>", "<a></b>", "<a/><b/>", "<a>&undefined;</a>", "<a>\0</a>", "<a b='1' b='2'/>"]
)
def test_text_that_is_not_well_formed_is_refused(text: str) -> None:
    with pytest.raises(XmlError):
        safe_xml.parse(text)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(TooLargeError):
        safe_xml.parse("<a>" * 65 + "</a>" * 65)


def test_too_many_elements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_xml, "MAX_NODES", 100)
    with pytest.raises(TooLargeError):
        safe_xml.parse("<a>" + "<b/>" * 100 + "</a>")
    with pytest.raises(TooLargeError):
        safe_xml.parse("<a " + " ".join(f'b{i}=""' for i in range(100)) + "/>")


def test_text_over_the_limit_is_refused() -> None:
    with pytest.raises(TooLargeError):
        safe_xml.parse("<a/>" + " " * 100, max_characters=100)


def test_an_encoding_declaration_does_not_matter() -> None:
    assert safe_xml.parse('<?xml version="1.0" encoding="UTF-16"?><a>\u00fc</a>').text == "\u00fc"


def test_namespaces_are_dropped() -> None:
    assert safe_xml.parse('<x:a xmlns:x="urn:x"><x:b/></x:a>', root="a").find("b") is not None


def test_another_root_is_refused() -> None:
    with pytest.raises(FieldError):
        safe_xml.parse("<b/>", root="a")


@pytest.mark.parametrize("name", ["", "a b", "a>", "1a", "a:b", "\u00e4"])
def test_a_name_that_is_none_cannot_be_written(name: str) -> None:
    with pytest.raises(FieldError):
        element(name)
    with pytest.raises(FieldError):
        element("a", **{name: "x"})


def test_only_markup_stands_as_it_is() -> None:
    assert element("a", "<b/>", Markup("<c/>"), None) == "<a>&lt;b/&gt;<c/></a>"


def test_cdata_cannot_be_left_early() -> None:
    assert safe_xml.parse(element("a", cdata("x]]><b/>"))).text == "x]]><b/>"


@pytest.mark.parametrize("text", ["", "1_0", "\u0661", "0x1", "1" * 16, "1.0", "4294967297"])
def test_what_is_no_number_or_too_large_is_refused(text: str) -> None:
    with pytest.raises(FieldError):
        integer(text, "it")
