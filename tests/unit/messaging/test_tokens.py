from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from causeway.messaging import registration
from causeway.messaging.errors import FieldError, MessagingError, SignatureError, TooLargeError, UnsupportedError
from causeway.messaging.tokens import (
    GivenToken,
    TokenKind,
    TokenRequest,
    TokenResponse,
    parse_token_request,
    parse_token_response,
)

SMSID = "GUID:2B0CC2E3-9A4D-4C53-B1B3-6E0C1C7D8A90"
WHEN = datetime(2026, 11, 23, 5, 6, 8, tzinfo=UTC)
REQUEST = TokenRequest(SMSID, "PS1", (TokenKind.CCM, TokenKind.SELF_PROVE), WHEN)
RESPONSE = TokenResponse(SMSID, WHEN, (GivenToken(TokenKind.CCM, "eyJ.eyJ.sig-_", WHEN, WHEN),))


def test_a_request_comes_back_as_it_was_and_its_signature_holds(key: rsa.RSAPrivateKey) -> None:
    read = parse_token_request(REQUEST.to_xml(key))

    read.verify(key.public_key())
    assert (read.client_id, read.site_code, read.kinds, read.timestamp) == (SMSID, "PS1", REQUEST.kinds, WHEN)


def test_no_two_requests_are_the_same(key: rsa.RSAPrivateKey) -> None:
    assert parse_token_request(REQUEST.to_xml(key)).data_xml != parse_token_request(REQUEST.to_xml(key)).data_xml


@pytest.mark.parametrize("what", ["GUID:2B0CC2E3", "PS1", "2026-11-23", "SelfProve"])
def test_a_request_that_was_changed_on_the_way_does_not_verify(key: rsa.RSAPrivateKey, what: str) -> None:
    changed = {"GUID:2B0CC2E3": "GUID:2B0CC2E4", "PS1": "PS2", "2026-11-23": "2026-11-24", "SelfProve": "CCM"}[what]
    read = parse_token_request(REQUEST.to_xml(key).replace(what, changed))

    with pytest.raises(SignatureError):
        read.verify(key.public_key())


def test_another_devices_signature_does_not_verify(key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(SignatureError):
        parse_token_request(REQUEST.to_xml(other_key)).verify(key.public_key())


def test_what_was_signed_as_a_registration_is_no_token_request(
    key: rsa.RSAPrivateKey, certificate: x509.Certificate
) -> None:
    request = registration.RegistrationRequest(
        registration.RequestType.REGISTRATION,
        certificate,
        certificate,
        registration.AgentInformation("a", "1"),
        {},
        WHEN,
        SMSID,
    )
    text = request.to_xml(key).replace("ClientRegistrationRequest", "TokenRequest")

    with pytest.raises(FieldError):
        parse_token_request(text)


def test_what_was_signed_as_a_token_request_is_no_registration(key: rsa.RSAPrivateKey) -> None:
    text = REQUEST.to_xml(key).replace("TokenRequest", "ClientRegistrationRequest")

    with pytest.raises(MessagingError):
        registration.parse_registration_request(text)


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ('RequestType="Token"', 'RequestType="Registration"', FieldError),
        ('RequestType="Token"', "", FieldError),
        ("</Data>", "</Data><Data ></Data>", SignatureError),
        ("<Data", "<!-- <Data ></Data> --><Data", SignatureError),
        ('<Token Type="CCM"', '<Token Type="Other"', FieldError),
        ("<Signature>", "<Nothing>", MessagingError),
        ("2026-11-23T", "yesterday", FieldError),
        ("1.2.840.113549.1.1.11", "1.2.840.113549.1.1.5", UnsupportedError),
    ],
)
def test_a_request_that_is_not_of_the_form_is_refused(
    key: rsa.RSAPrivateKey, old: str, new: str, error: type[MessagingError]
) -> None:
    text = REQUEST.to_xml(key)
    assert old in text

    with pytest.raises(error):
        parse_token_request(text.replace(old, new)).verify(key.public_key())


def test_a_request_without_tokens_or_with_a_nonce_to_be_guessed_is_refused(key: rsa.RSAPrivateKey) -> None:
    for request in (replace(REQUEST, kinds=()), replace(REQUEST, nonce="1"), replace(REQUEST, nonce="x" * 100)):
        with pytest.raises(MessagingError):
            parse_token_request(request.to_xml(key))


def test_a_request_that_is_too_long_is_not_read(key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(TooLargeError):
        parse_token_request(REQUEST.to_xml(key) + " " * 20_000)


def test_a_response_comes_back_as_it_was_and_does_not_show_its_tokens() -> None:
    assert parse_token_response(RESPONSE.to_xml()) == RESPONSE
    assert "eyJ" not in repr(RESPONSE)


@pytest.mark.parametrize("token", ["a b", "a&#13;&#10;X: y", "a\u00e9"])
def test_a_token_that_could_not_stand_in_a_header_is_refused(token: str) -> None:
    text = RESPONSE.to_xml().replace("eyJ.eyJ.sig-_", token)

    with pytest.raises(FieldError):
        parse_token_response(text)


READERS: list[tuple[Callable[[str], object], str]] = [
    (
        parse_token_request,
        '<TokenRequest><Data RequestType="Token" Nonce="{n}"><Token Type="CCM"/></Data></TokenRequest>',
    ),
    (parse_token_response, RESPONSE.to_xml()),
]


@pytest.mark.parametrize(("reader", "seed"), READERS)
@given(data=st.data())
def test_any_text_is_read_or_refused(reader: Callable[[str], object], seed: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(seed)))
    length = data.draw(st.integers(0, 20))
    text = seed[:place] + data.draw(st.text(max_size=20)) + seed[place + length :]
    try:
        reader(text)
    except MessagingError:
        return
