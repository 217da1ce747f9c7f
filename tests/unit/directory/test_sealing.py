"""Sealed messages, and the choice of a layer; what seals is a fake that only turns bytes around."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.directory.errors import DirectoryAnswer
from causeway.directory.sealing import MAX_SEALED_BYTES, NO_LAYER, SEALED, Offer, Sealing, choice, read_offer


def fake(most_bytes: int = 10) -> Sealing:
    def turn(data: bytes) -> bytes:
        return data[::-1]

    return Sealing(turn, turn, most_bytes)


@given(st.binary(max_size=100), st.integers(1, 30), st.integers(1, 7))
def test_what_is_sealed_comes_back_however_it_is_cut(data: bytes, most_bytes: int, step: int) -> None:
    sealed = fake(most_bytes).send(data)
    opening = fake()
    assert b"".join(opening.receive(sealed[at : at + step]) for at in range(0, len(sealed), step)) == data


@given(st.binary(max_size=50))
def test_any_bytes_are_opened_or_refused(data: bytes) -> None:
    try:
        fake().receive(data)
    except DirectoryAnswer:
        assert len(data) >= 4


@pytest.mark.parametrize("length", [0, MAX_SEALED_BYTES + 1, 0xFFFFFFFF])
def test_a_length_beyond_what_was_agreed_is_refused_at_once(length: int) -> None:
    with pytest.raises(DirectoryAnswer, match="were agreed on"):
        fake().receive(length.to_bytes(4, "big"))


def test_an_offer_is_four_bytes_and_the_answer_names_one_layer() -> None:
    assert read_offer(b"\x07\x00\xff\xff") == Offer(7, 65535)
    assert choice(SEALED) == b"\x04" + MAX_SEALED_BYTES.to_bytes(3, "big")
    assert choice(NO_LAYER) == b"\x01\x00\x00\x00"
    for wrong in (b"", b"\x07\x00\xff", b"\x07\x00\xff\xff\xff"):
        with pytest.raises(DirectoryAnswer):
            read_offer(wrong)
