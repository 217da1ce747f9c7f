"""The one XML parser for what comes from outside, and the one writer.

The parser refuses document type declarations, entities and external references, and bounds size, depth and the number
of elements. The writer escapes everything that it is not told to be markup already.
"""

import re
from enum import StrEnum
from typing import Any, TypeVar
from xml.etree.ElementTree import Element, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from causeway.messaging.errors import FieldError, TooLargeError, XmlError

_Kind = TypeVar("_Kind", bound=StrEnum)

MAX_CHARACTERS = 16 * 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 500_000

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
)


class _BoundedTree(TreeBuilder):
    """Builds the tree without namespaces, and stops where a tree would grow without bound."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._nodes = 0

    def start(self, tag: str, attrs: dict[Any, Any], /) -> Element:
        self._depth += 1
        self._nodes += 1 + len(attrs)
        if self._depth > MAX_DEPTH:
            raise TooLargeError(f"XML is nested deeper than {MAX_DEPTH} elements")
        if self._nodes > MAX_NODES:
            raise TooLargeError(f"XML has more than {MAX_NODES} elements and attributes")
        return super().start(tag.rpartition("}")[2], attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag.rpartition("}")[2])


def parse(text: str, *, root: str | None = None, max_characters: int = MAX_CHARACTERS) -> Element:
    """Parse one document and return its root element; names come without their namespaces.

    Args:
        text: the document; an encoding declaration in it is ignored, since it is text already.
        root: the name that the root element must have, when only one is acceptable.
        max_characters: the longest text accepted.

    Raises:
        TooLargeError: the text, its depth or the number of its elements passes the limit.
        XmlError: not well-formed, or contains a document type declaration.
        FieldError: the root element has another name.
    """
    if len(text) > max_characters:
        raise TooLargeError(f"XML of {len(text)} characters, and at most {max_characters} are accepted")
    parser = DefusedXMLParser(target=_BoundedTree(), forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(text)
        element = parser.close()
    except DefusedXmlException as error:
        raise XmlError(f"XML uses what is refused here: {type(error).__name__}") from None
    except (ParseError, ValueError) as error:
        raise XmlError(f"text is not well-formed XML: {error}") from None
    if not isinstance(element, Element):
        raise XmlError("the document has no root element")
    if root is not None and element.tag != root:
        raise FieldError(f"expected <{root}>, got <{element.tag[:80]}>")
    return element


class Markup(str):
    """Text that is XML already and is written as it stands."""

    __slots__ = ()


def _clean(value: str) -> str:
    # Facts of a machine (firmware strings above all) may hold characters that XML cannot carry in any form.
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", value)


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise FieldError(f"{name[:80]!r} cannot be the name of an element or attribute")
    return name


def element(name: str, /, *content: str | None, **attributes: str | int | None) -> Markup:
    """Return one element. Content that is :class:`Markup` stands as it is, other text is escaped, None is left out.

    Raises:
        FieldError: the name of the element or of an attribute is not one.
    """
    written = "".join(
        f' {_checked_name(key)}="{_clean(str(value)).translate(_ATTRIBUTE_ESCAPES)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(
        part if isinstance(part, Markup) else _clean(part).translate(_TEXT_ESCAPES) for part in content if part
    )
    _checked_name(name)
    return Markup(f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>")


def cdata(text: str) -> Markup:
    """Return ``text`` as CDATA sections, which some clients look for literally."""
    return Markup("<![CDATA[" + _clean(text).replace("]]>", "]]]]><![CDATA[>") + "]]>")


def child_text(parent: Element, path: str, default: str = "") -> str:
    """Return the text of the first element at ``path``, trimmed, or ``default`` when there is none."""
    text = parent.findtext(path)
    return default if text is None else text.strip()


def required_text(parent: Element, path: str) -> str:
    """Return the text of the first element at ``path``.

    Raises:
        FieldError: there is none, or it is empty.
    """
    text = child_text(parent, path)
    if not text:
        raise FieldError(f"<{parent.tag}> needs a <{path}>")
    return text


def required_attribute(parent: Element, name: str) -> str:
    """Return an attribute.

    Raises:
        FieldError: there is none, or it is empty.
    """
    value = parent.get(name, "").strip()
    if not value:
        raise FieldError(f"<{parent.tag}> needs the attribute {name}")
    return value


def integer(text: str, what: str, *, minimum: int = -(2**31), maximum: int = 2**32) -> int:
    """Return ``text`` as a whole number between the limits; ``what`` names it in the error.

    Raises:
        FieldError: not a number, or outside the limits.
    """
    # int() would take underscores, other scripts' digits, and millions of digits.
    digits = text.strip()
    if not re.fullmatch(r"[+-]?[0-9]{1,15}", digits):
        raise FieldError(f"{what} is not a whole number: {text[:40]!r}")
    value = int(digits)
    if not minimum <= value <= maximum:
        raise FieldError(f"{what} is {value}, outside {minimum}..{maximum}")
    return value


def member(kind: type[_Kind], text: str, what: str) -> _Kind:
    """Return the member of a closed set of words that ``text`` names, in any case; ``what`` names it in the error.

    Raises:
        FieldError: none of them.
    """
    for candidate in kind:
        if candidate.value.lower() == text.strip().lower():
            return candidate
    raise FieldError(f"{what} is none of {', '.join(repr(one.value) for one in kind)}: {text[:40]!r}")
