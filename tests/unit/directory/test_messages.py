"""LDAP's messages: what the library's own server says is read; whatever else comes is one error."""

import contextlib
import itertools

import pytest
import sansldap
from hypothesis import given
from hypothesis import strategies as st

from causeway.directory.errors import DirectoryAnswer
from causeway.directory.messages import Done, Entry, Messages, Reply

BASE = "DC=corp,DC=contoso,DC=com"


def searching() -> tuple[Messages, sansldap.LDAPServer, int]:
    """A client that has searched, the server that has heard it, and the question's number."""
    client, server = Messages(), sansldap.LDAPServer()
    asked = client.search(
        BASE, sansldap.SearchScope.SUBTREE, sansldap.FilterPresent("objectClass"), ["member"], page=(500, b"")
    )
    (request,) = server.receive(asked)
    return client, server, request.message_id


def answer() -> bytes:
    """Two entries and the end of a page."""
    _, server, number = searching()
    for name in ("a", "b"):
        values = [name.encode(), b"\xff"]
        server.search_result_entry(number, f"CN={name},{BASE}", [sansldap.PartialAttribute("sAMAccountName", values)])
    page = sansldap.PagedResultControl(critical=False, size=0, cookie=b"more")
    server.search_result_done(number, controls=[page])
    return server.data_to_send()


ANSWER = answer()
EXPECTED: list[Reply] = [
    *(Entry(f"CN={name},{BASE}", {"samaccountname": (name.encode(), b"\xff")}) for name in ("a", "b")),
    Done(0, "", b"", b"more"),
]


@given(st.lists(st.integers(1, len(ANSWER) - 1), max_size=6, unique=True))
def test_an_answer_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    client, _, _ = searching()
    edges = [0, *sorted(cuts), len(ANSWER)]
    replies: list[Reply] = []
    for start, end in itertools.pairwise(edges):
        replies += client.receive(ANSWER[start:end])
    assert replies == EXPECTED
    assert not client.holds_bytes


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_read_or_refused_with_one_error(data: bytes) -> None:
    client, _, _ = searching()
    with contextlib.suppress(DirectoryAnswer):
        client.receive(data)


@given(st.integers(0, len(ANSWER) - 1), st.integers(0, 255), st.integers(0, len(ANSWER)))
def test_an_answer_with_a_changed_byte_or_a_missing_end_is_read_or_refused(at: int, byte: int, end: int) -> None:
    client, _, _ = searching()
    try:
        replies = client.receive((ANSWER[:at] + bytes([byte]) + ANSWER[at + 1 :])[:end])
    except DirectoryAnswer:
        return
    for reply in replies:
        if isinstance(reply, Entry):
            assert isinstance(reply.text("sAMAccountName"), str)
            assert isinstance(reply.number("sAMAccountName"), int)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "not in LDAP"),
        (b"\x30\x80", "does not allow"),
        (b"\x30\x89" + b"\xff" * 9, "does not allow"),
        (b"\x30\x84\x7f\xff\xff\xff", "no answer to these questions is so large"),
    ],
)
def test_what_is_no_message_or_too_large_is_refused_by_its_first_bytes(data: bytes, says: str) -> None:
    client, _, _ = searching()
    with pytest.raises(DirectoryAnswer, match=says):
        client.receive(data)


def test_an_answer_to_a_question_that_was_not_asked_is_refused() -> None:
    with pytest.raises(DirectoryAnswer, match="cannot be read"):
        Messages().receive(ANSWER)


@pytest.mark.parametrize(("text", "number"), [(b"12", 12), (b"-2147483646", -2147483646), (b"", 0), (b"1e9", 0)])
def test_a_number_is_read_and_anything_else_is_none(text: bytes, number: int) -> None:
    assert Entry("", {"grouptype": (text,)}).number("groupType") == number
    assert Entry("").number("groupType") == 0
