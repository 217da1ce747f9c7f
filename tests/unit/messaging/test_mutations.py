"""Valid documents, changed a little: every decoder takes them or refuses them with an error of the package."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from causeway.messaging import content_location, keyinfo, location, registration, reports
from causeway.messaging.assignments import (
    AssignmentsReply,
    AssignmentsRequest,
    PolicyAssignment,
    ReplyType,
    body_location,
    parse_assignments_reply,
    parse_assignments_request,
)
from causeway.messaging.client_auth import sign_message
from causeway.messaging.conditions import Condition, Expression, Operator, OperatorType
from causeway.messaging.errors import MessagingError
from causeway.messaging.message import compose, decode, encode
from causeway.messaging.policy import ClientSettings, PolicyBody, parse_policy_body
from causeway.messaging.site_description import SecurityConfiguration, Site
from causeway.messaging.state_messages import StateMessage

SMSID = "GUID:2B0CC2E3-9A4D-4C53-B1B3-6E0C1C7D8A90"
WHEN = datetime(2026, 11, 23, 5, 6, 8, tzinfo=UTC)
FRAGMENTS = [
    "",
    '"',
    "'",
    "<",
    ">",
    "</a>",
    "<b/>",
    "&",
    "&amp;",
    "-1",
    "99999999999999",
    "1.5",
    "x",
    "\0",
    "\u00e9",
    " ",
]
SIGNED = keyinfo.SignedHex("3082AB", "CD")
ASSIGNMENT = PolicyAssignment(
    "{a}",
    "{p}",
    "1.00",
    body_location("{p}", "1.00"),
    condition=Condition((Operator(OperatorType.NOT, (Expression("SELECT 1"),)),)),
)
REPORT = reports.Report(
    reports.ReportKind.HEARTBEAT,
    SMSID,
    WHEN,
    instances=(reports.Instance("CCM_Client", (("ClientVersion", "5"),)),),
    state_messages=(StateMessage("{t}", 500, 2, WHEN, parameters=("102",)),),
)


def settings_of(data: bytes) -> None:
    ClientSettings.from_body(parse_policy_body(data))


def in_bytes(parse: Callable[[bytes], object]) -> Callable[[str], object]:
    return lambda text: parse(text.encode())


DOCUMENTS: dict[str, tuple[Callable[[str], object], str]] = {
    "registration response": (
        registration.parse_registration_response,
        registration.RegistrationResponse(
            registration.RequestType.REGISTRATION,
            registration.RegistrationStatus.REGISTERED,
            SMSID,
            registration.ApprovalStatus.APPROVED,
            WHEN,
        ).to_xml(),
    ),
    "assignments request": (parse_assignments_request, AssignmentsRequest(SMSID, "PS1").to_xml()),
    "assignments reply": (
        parse_assignments_reply,
        AssignmentsReply(ReplyType.FULL, SMSID, "PS1", "cookie", (ASSIGNMENT,)).to_xml(),
    ),
    "policy body": (in_bytes(settings_of), PolicyBody("{p}", "1.00", (ClientSettings().to_instance(),)).to_xml()),
    "report": (reports.parse_report, REPORT.to_xml()),
    "location request": (
        content_location.parse_location_request,
        content_location.ContentLocationRequest("PS1", "PS100001", "1").to_xml(),
    ),
    "site information": (
        location.parse_site_information_reply,
        location.SiteInformationReply((Site("PS1", security=SecurityConfiguration()),)).to_xml(),
    ),
    "management points": (
        location.parse_mp_location_reply,
        location.MPLocationReply("PS1", (location.MPRecord("a", "b", "1", (("SSLState", "63"),)),)).to_xml(),
    ),
    "content places": (
        content_location.parse_content_location_reply,
        content_location.ContentLocationReply("PS1", (content_location.ContentRecord("https://dp"),)).to_xml(),
    ),
    "key information": (
        in_bytes(keyinfo.parse_mp_key_information),
        keyinfo.MPKeyInformation("MP1", "mp1.corp", "PS1", SIGNED, SIGNED).to_xml(),
    ),
}


def changed(document: str) -> st.SearchStrategy[str]:
    """The document with one to three cuts, each filled with a fragment."""
    cut = st.tuples(st.integers(0, len(document)), st.integers(0, 12), st.sampled_from(FRAGMENTS))

    def apply(cuts: list[tuple[int, int, str]]) -> str:
        text = document
        for start, length, fragment in cuts:
            text = text[:start] + fragment + text[start + length :]
        return text

    return st.lists(cut, min_size=1, max_size=3).map(apply)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_changed_document_is_taken_or_refused(name: str) -> None:
    parse, document = DOCUMENTS[name]
    parse(document)

    @given(changed(document))
    def mutated(text: str) -> None:
        with contextlib.suppress(MessagingError):
            parse(text)

    mutated()


def test_a_changed_registration_never_verifies(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> None:
    document = registration.RegistrationRequest(
        registration.RequestType.REGISTRATION,
        certificate,
        certificate,
        registration.AgentInformation("Causeway", "1"),
        {"Netbios Name": "PC1"},
        WHEN,
    ).to_xml(key)
    original = registration.parse_registration_request(document)

    @given(changed(document))
    def mutated(text: str) -> None:
        with contextlib.suppress(MessagingError):
            request = registration.parse_registration_request(text)
            request.verify()
            assert request.data_xml == original.data_xml

    mutated()


def test_a_changed_message_is_taken_or_refused(key: rsa.RSAPrivateKey) -> None:
    message = sign_message(compose("<A/>", "MP_X", attachments=[("a", b"\1\2")], compress=False), key, SMSID)
    content_type, body = encode(message)

    @given(st.lists(st.tuples(st.integers(0, len(body) - 1), st.integers(0, 255)), min_size=1, max_size=3))
    def mutated(changes: list[tuple[int, int]]) -> None:
        data = bytearray(body)
        for position, byte in changes:
            data[position] = byte
        with contextlib.suppress(MessagingError):
            received = decode(content_type, bytes(data))
            received.attachments()
            received.body_text()

    mutated()
