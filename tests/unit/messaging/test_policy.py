import contextlib
import hashlib
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.messaging.assignments import (
    AssignmentAction,
    AssignmentsReply,
    AssignmentsRequest,
    AssignmentsRequestType,
    PolicyAssignment,
    PolicyFlags,
    ReplyType,
    ResourceType,
    body_location,
    body_target,
    parse_assignments_reply,
    parse_assignments_request,
)
from causeway.messaging.conditions import Condition, Expression, ExpressionType, Operator, OperatorType
from causeway.messaging.errors import (
    CompressionError,
    FieldError,
    MessagingError,
    SignatureError,
    TooLargeError,
)
from causeway.messaging.policy import (
    ClientSettings,
    PolicyBody,
    PolicyInstance,
    check_hash,
    hash_body,
    parse_policy_body,
)

SMSID = "GUID:2B0CC2E3-9A4D-4C53-B1B3-6E0C1C7D8A90"
words = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), max_size=40).map(
    str.strip
)
names = words.filter(bool)
expressions = st.builds(Expression, words, words, st.sampled_from(ExpressionType))
operands = st.recursive(
    expressions,
    lambda inner: st.builds(Operator, st.sampled_from(OperatorType), st.lists(inner, max_size=3).map(tuple)),
    max_leaves=5,
)
assignments = st.builds(
    PolicyAssignment,
    assignment_id=names,
    policy_id=names,
    version=names,
    location=words,
    policy_type=words,
    category=words,
    flags=st.integers(0, 127).map(PolicyFlags),
    hash_ex=words,
    action=st.sampled_from(AssignmentAction),
    condition=st.none() | st.builds(Condition, st.lists(operands, max_size=3).map(tuple)),
)
bodies = st.builds(
    PolicyBody,
    policy_id=names,
    version=names,
    instances=st.lists(
        st.builds(PolicyInstance, names, st.lists(st.tuples(names, words), max_size=4).map(tuple)), max_size=4
    ).map(tuple),
    policy_type=words,
)


@given(
    st.builds(
        AssignmentsRequest,
        client_id=st.just(SMSID),
        site_code=words.map(lambda text: text.removeprefix("SMS:")),
        request_type=st.sampled_from(AssignmentsRequestType),
        resource_type=st.sampled_from(ResourceType),
        server_cookie=words,
        fqdn=words,
        netbios_name=words,
    )
)
def test_a_request_for_assignments_comes_back(request: AssignmentsRequest) -> None:
    assert parse_assignments_request(request.to_xml()) == request


@given(
    st.builds(
        AssignmentsReply,
        reply_type=st.sampled_from(ReplyType),
        client_id=st.just(SMSID),
        site_code=st.just("PS1"),
        server_cookie=words,
        assignments=st.lists(assignments, max_size=4).map(tuple),
        resource_type=st.sampled_from(ResourceType),
    )
)
def test_a_reply_with_assignments_comes_back(reply: AssignmentsReply) -> None:
    assert parse_assignments_reply(reply.to_xml()) == reply


def test_a_media_clients_request_is_taken() -> None:
    request = parse_assignments_request(
        '<RequestAssignments SchemaVersion="1.00" RequestType="Always" Ack="False" ValidationRequested="CRC">'
        '<PolicySource>SMS:PS1</PolicySource><ServerCookie/><Resource ResourceType="Machine"/><Identification><Machine>'
        "<ClientID>2b0cc2e3-9a4d-4c53-b1b3-6e0c1c7d8a90</ClientID><NetBIOSName></NetBIOSName><FQDN></FQDN><SID/>"
        "</Machine></Identification></RequestAssignments>"
    )
    assert request == AssignmentsRequest(SMSID, "PS1")


def test_the_location_is_the_first_child_of_the_policy_and_in_cdata() -> None:
    location = body_location("{guid}", "1.00")
    assert location == "https://<mp>/SMS_MP/.sms_pol?{guid}.1_00"
    written = PolicyAssignment("{a}", "{guid}", "1.00", location, hash_ex="SHA256:AB").to_xml()
    assert written == (
        '<PolicyAssignment PolicyAssignmentID="{a}"><Policy PolicyID="{guid}" PolicyVersion="1.00" PolicyType="Machine"'
        ' PolicyFlags="0"><PolicyLocation PolicyHashEx="SHA256:AB"><![CDATA[https://<mp>/SMS_MP/.sms_pol?{guid}.1_00]]>'
        "</PolicyLocation></Policy></PolicyAssignment>"
    )
    assert body_target(location) == "/SMS_MP/.sms_pol?{guid}.1_00"


@pytest.mark.parametrize(
    "location",
    [
        "",
        "/SMS_MP/x",
        "https://elsewhere/SMS_MP/x",
        "ftp://<mp>/x",
        "https://<mp>",
        "https://<mp>/a\r\nb",
        "http://<mp>/a b",
    ],
)
def test_a_location_elsewhere_is_not_followed(location: str) -> None:
    with pytest.raises(FieldError):
        body_target(location)


@pytest.mark.parametrize(
    "inner",
    [
        "<PolicyAssignment PolicyAssignmentID='a'/>",
        "<PolicyAssignment PolicyAssignmentID='a'><Policy PolicyID='b' PolicyVersion='1'/></PolicyAssignment>",
        "<PolicyAssignment><Policy PolicyID='b' PolicyVersion='1'><PolicyLocation/></Policy></PolicyAssignment>",
        "<PolicyAssignment PolicyAssignmentID='a'><Condition><Wish/></Condition>"
        "<Policy PolicyID='b' PolicyVersion='1'><PolicyLocation/></Policy></PolicyAssignment>",
        f"<ServerCookie>{'x' * 5000}</ServerCookie>",
    ],
)
def test_an_impossible_reply_is_refused(inner: str) -> None:
    with pytest.raises(FieldError):
        parse_assignments_reply(f"<ReplyAssignments>{inner}</ReplyAssignments>")


@pytest.mark.parametrize("identification", ["", "<Identification><Machine/></Identification>"])
def test_a_request_without_identity_is_refused(identification: str) -> None:
    with pytest.raises(FieldError):
        parse_assignments_request(f"<RequestAssignments>{identification}</RequestAssignments>")


@given(bodies)
def test_a_body_comes_back(body: PolicyBody) -> None:
    assert parse_policy_body(body.to_bytes()) == body


def test_a_compressed_body_is_unfolded() -> None:
    body = PolicyBody("{p}", "1.00", ())
    packed = zlib.compress(body.to_bytes()).hex().upper()
    assert parse_policy_body(f'<PolicyXML Compression="zlib">{packed}</PolicyXML>'.encode("utf-16")) == body


@pytest.mark.parametrize("inner", ['Compression="lzx">00', 'Compression="zlib">0', 'Compression="zlib">00'])
def test_a_body_that_is_not_compressed_as_it_says_is_refused(inner: str) -> None:
    with pytest.raises(CompressionError):
        parse_policy_body(f"<PolicyXML {inner}</PolicyXML>".encode())


def test_a_compressed_body_that_unfolds_without_end_is_refused() -> None:
    packed = zlib.compress(b"<" * 3_000_000).hex()
    with pytest.raises(TooLargeError):
        parse_policy_body(f'<PolicyXML Compression="zlib">{packed}</PolicyXML>'.encode(), max_bytes=1_000_000)


def test_a_document_that_is_no_policy_is_refused() -> None:
    with pytest.raises(FieldError):
        parse_policy_body(b"<HTML/>")


def test_a_body_is_checked_against_its_hash_with_or_without_mark() -> None:
    data = PolicyBody("{p}", "1.00", ()).to_bytes()
    check_hash(data, hash_body(data))
    check_hash(data, "SHA256:" + hashlib.sha256(data[2:]).hexdigest())
    for wrong in ("", "SHA1:00", "SHA256:00", hash_body(data + b" "), "SHA256:\u00e4"):
        with pytest.raises(SignatureError):
            check_hash(data, wrong)


@given(st.builds(ClientSettings, *[st.integers(1, 527040)] * 3))
def test_client_settings_come_back(settings: ClientSettings) -> None:
    body = PolicyBody("{p}", "1.00", (PolicyInstance("Other", ()), settings.to_instance()))
    assert ClientSettings.from_body(parse_policy_body(body.to_bytes())) == settings


def test_settings_left_out_have_their_defaults() -> None:
    body = PolicyBody("{p}", "1.00", (PolicyInstance("CCM_ClientAgentConfig", (("PollingIntervalMinutes", "5"),)),))
    assert ClientSettings.from_body(body) == ClientSettings(polling_interval_minutes=5)
    assert ClientSettings.from_body(PolicyBody("{p}", "1.00", ())) is None


@pytest.mark.parametrize("minutes", ["0", "-1", "527041", "soon"])
def test_an_impossible_interval_is_refused(minutes: str) -> None:
    instance = PolicyInstance("CCM_ClientAgentConfig", (("PollingIntervalMinutes", minutes),))
    with pytest.raises(FieldError):
        ClientSettings.from_body(PolicyBody("{p}", "1.00", (instance,)))


@pytest.mark.parametrize(
    "parse", [parse_assignments_reply, parse_assignments_request, lambda text: parse_policy_body(text.encode())]
)
def test_arbitrary_values_are_taken_or_refused(parse: Callable[[str], object]) -> None:
    @given(st.sampled_from(["RequestAssignments", "ReplyAssignments", "Policy", "PolicyXML"]), st.text(), words)
    def arbitrary(root: str, text: str, word: str) -> None:
        for document in (text, f"<{root} ReplyType='{word}'>{text}</{root}>"):
            with contextlib.suppress(MessagingError):
                parse(document.encode("utf-8", "replace").decode())

    arbitrary()
