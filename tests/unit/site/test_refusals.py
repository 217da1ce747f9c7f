import re
from pathlib import Path

import h11
import pytest

from causeway.messaging.errors import EnvelopeError, MessagingError, SignatureError, TooLargeError, UnsupportedError
from causeway.site import errors
from causeway.site.app import refusal
from causeway.site.errors import NotAccepted, Refused
from causeway.site.http_server import REASON_HEADER, SiteConnection


def tree(root: type[Refused]) -> list[type[Refused]]:
    return [root, *(below for one in root.__subclasses__() for below in tree(one))]


REFUSALS = tree(Refused)


def test_each_refusal_has_a_word_of_its_own() -> None:
    words = [one.word for one in REFUSALS]

    assert len(set(words)) == len(words)
    assert all(re.fullmatch(r"(MP|STS|Site)_[A-Z][A-Za-z]+", word) for word in words)


def test_each_word_is_explained_in_the_documentation() -> None:
    page = Path(__file__).parents[3].joinpath("docs/management-point.md").read_text()

    leaves = [one for one in REFUSALS if not one.__subclasses__()]
    assert [one.word for one in leaves if f"`{one.word}`" not in page] == []


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_message_that_is_not_accepted_gets_an_empty_answer_and_nothing_else_does(kind: type[Refused]) -> None:
    answer = refusal(kind("why"), to_message=True)

    if issubclass(kind, NotAccepted):
        assert (answer.status_code, answer.body) == (200, b"")
    else:
        assert answer.status_code == kind.status >= 400


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_tells_its_word_and_keeps_its_reason_to_itself(kind: type[Refused]) -> None:
    answer = refusal(kind("the secret reason"), to_message=False)

    assert answer.status_code >= 400
    assert bytes(answer.body).startswith(b"<HTML>")
    assert kind.word.encode() in bytes(answer.body)
    assert b"secret reason" not in bytes(answer.body)


@pytest.mark.parametrize(
    ("error", "to_message", "to_others"),
    [
        (SignatureError("x"), 200, 400),
        (UnsupportedError("x"), 200, 404),
        (TooLargeError("x"), 413, 413),
        (EnvelopeError("x"), 400, 400),
    ],
)
def test_what_cannot_be_read_has_a_status_of_its_own(error: MessagingError, to_message: int, to_others: int) -> None:
    assert refusal(error, to_message=True).status_code == to_message
    assert refusal(error, to_message=False).status_code == to_others


def test_the_reason_phrase_is_written_and_its_header_is_not() -> None:
    connection = SiteConnection(h11.SERVER)
    connection.receive_data(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    connection.next_event()

    answer = refusal(errors.ClientCertificateRequired("x"), to_message=True)
    sent = connection.send(h11.Response(status_code=answer.status_code, headers=answer.raw_headers))

    assert sent is not None
    assert sent.startswith(b"HTTP/1.1 403 Client certificate required\r\n")
    assert REASON_HEADER not in sent
