"""What was found out lately is bounded in number and size."""

from causeway.recent import Recent


def test_an_answer_is_kept_by_its_bytes() -> None:
    recent: Recent[int] = Recent(most=2, most_bytes=3)
    assert recent.get(b"a") is None
    recent.keep(b"a", 1)
    assert recent.get(b"a") == 1


def test_no_more_answers_are_kept_than_may_be() -> None:
    recent: Recent[int] = Recent(most=2, most_bytes=3)
    for number, key in enumerate((b"a", b"b", b"c")):
        recent.keep(key, number)
    assert [recent.get(key) for key in (b"a", b"b", b"c")] == [None, None, 2]


def test_a_large_key_is_not_kept() -> None:
    recent: Recent[int] = Recent(most=2, most_bytes=3)
    recent.keep(b"abcd", 1)
    assert recent.get(b"abcd") is None
