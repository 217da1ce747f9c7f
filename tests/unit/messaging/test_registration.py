import contextlib
from dataclasses import replace
from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from causeway.messaging.errors import FieldError, MessagingError, SignatureError, UnsupportedError
from causeway.messaging.registration import (
    AgentInformation,
    ApprovalStatus,
    RegistrationRequest,
    RegistrationResponse,
    RegistrationStatus,
    RequestType,
    parse_registration_request,
    parse_registration_response,
)


@pytest.fixture
def request_to_send(certificate: x509.Certificate, when: datetime) -> RegistrationRequest:
    return RegistrationRequest(
        request_type=RequestType.REGISTRATION,
        signing_certificate=certificate,
        encryption_certificate=certificate,
        agent=AgentInformation("Causeway", "0.1", 0),
        properties={"Netbios Name": "PC1", "FQ Name": "pc1.corp & <sons>"},
        timestamp=when,
    )


@pytest.fixture
def sent(request_to_send: RegistrationRequest, key: rsa.RSAPrivateKey) -> str:
    return request_to_send.to_xml(key)


def test_a_registration_comes_back_and_verifies(request_to_send: RegistrationRequest, sent: str) -> None:
    received = parse_registration_request(sent)
    received.verify()
    assert replace(received, data_xml="", signature="") == request_to_send


def test_a_registration_in_anothers_layout_verifies_over_the_text_as_sent(
    request_to_send: RegistrationRequest, key: rsa.RSAPrivateKey, sent: str
) -> None:
    from causeway.messaging.signatures import registration_bytes, sign

    spaced = parse_registration_request(sent).data_xml.replace("><", ">\r\n <")
    text = (
        f"<ClientRegistrationRequest>{spaced}<Signature><SignatureValue>{sign(key, registration_bytes(spaced))}"
        "</SignatureValue></Signature></ClientRegistrationRequest>"
    )
    parse_registration_request(text).verify()


def test_a_confirmation_carries_its_identity(
    request_to_send: RegistrationRequest, key: rsa.RSAPrivateKey, smsid: str
) -> None:
    confirmation = replace(request_to_send, request_type=RequestType.CONFIRMATION, smsid=smsid, hint="again")
    received = parse_registration_request(confirmation.to_xml(key))
    received.verify()
    assert (received.request_type, received.smsid, received.hint) == (RequestType.CONFIRMATION, smsid, "again")


def test_a_registration_changed_on_the_way_is_refused(sent: str) -> None:
    with pytest.raises(SignatureError):
        parse_registration_request(sent.replace("PC1", "PC2")).verify()


def test_a_registration_signed_by_another_key_is_refused(
    request_to_send: RegistrationRequest, other_key: rsa.RSAPrivateKey
) -> None:
    with pytest.raises(SignatureError):
        parse_registration_request(request_to_send.to_xml(other_key)).verify()


def test_a_registration_with_sha1_is_refused(sent: str) -> None:
    with pytest.raises(UnsupportedError):
        parse_registration_request(sent.replace("1.1.11", "1.1.5")).verify()


@pytest.mark.parametrize("place", ["<!--{}-->", "{}", "<x><![CDATA[{}]]></x>"])
def test_a_second_data_element_is_refused_wherever_it_hides(sent: str, place: str) -> None:
    other = place.format(parse_registration_request(sent).data_xml.replace("PC1", "PC2"))
    for text in (sent.replace("<Signature>", other + "<Signature>"), sent.replace("<Data ", other + "<Data ")):
        with pytest.raises(SignatureError):
            parse_registration_request(text)


@pytest.mark.parametrize(
    "change",
    [
        ("Registration", "Cancellation"),
        ("2026-11-23", "2026-13-23"),
        ("<SignatureValue>", "<Other>"),
        ("Encoding=", "Encoding"),
    ],
)
def test_an_impossible_registration_is_refused(sent: str, change: tuple[str, str]) -> None:
    with pytest.raises(MessagingError):
        parse_registration_request(sent.replace(*change))


def test_a_registration_with_too_many_properties_is_refused(
    request_to_send: RegistrationRequest, key: rsa.RSAPrivateKey
) -> None:
    many = replace(request_to_send, properties={f"P{i}": "" for i in range(300)})
    with pytest.raises(FieldError):
        parse_registration_request(many.to_xml(key))


@given(st.sampled_from(RegistrationStatus), st.sampled_from(ApprovalStatus), st.sampled_from(RequestType))
def test_a_response_comes_back(status: RegistrationStatus, approval: ApprovalStatus, kind: RequestType) -> None:
    response = RegistrationResponse(
        kind,
        status,
        "GUID:2B0CC2E3-9A4D-4C53-B1B3-6E0C1C7D8A90",
        approval,
        datetime.fromisoformat("2026-11-23T05:06:08Z"),
    )
    assert parse_registration_response(response.to_xml()) == response


def test_an_approval_status_that_is_not_known_is_unknown() -> None:
    text = '<ClientRegistrationResponse Status="0" SMSID="" ApprovalStatus="77" TimeStamp="2026-11-23T05:06:08Z"/>'
    assert parse_registration_response(text).approval is ApprovalStatus.UNKNOWN


@pytest.mark.parametrize("status", ["", "9", "x"])
def test_a_registration_status_that_is_not_known_is_refused(status: str) -> None:
    with pytest.raises(FieldError):
        parse_registration_response(
            f'<ClientRegistrationResponse Status="{status}" SMSID="" TimeStamp="2026-11-23T05:06:08Z"/>'
        )


@given(st.text(), st.text())
def test_arbitrary_values_are_taken_or_refused(inside: str, attribute: str) -> None:
    for text in (
        f"<ClientRegistrationRequest><Data {attribute}>{inside}</Data></ClientRegistrationRequest>",
        f'<ClientRegistrationResponse Status="{inside}" SMSID="{attribute}" TimeStamp="{inside}"/>',
    ):
        with contextlib.suppress(MessagingError):
            parse_registration_request(text)
        with contextlib.suppress(MessagingError):
            parse_registration_response(text)
