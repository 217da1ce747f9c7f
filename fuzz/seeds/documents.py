"""The documents within messages, and enveloped policies."""

from collections.abc import Iterator

from causeway.messaging.assignments import (
    AssignmentAction,
    AssignmentsReply,
    AssignmentsRequest,
    PolicyAssignment,
    PolicyFlags,
    ReplyType,
    body_location,
)
from causeway.messaging.client_auth import ClientToken
from causeway.messaging.conditions import Condition, Expression, Operator, OperatorType
from causeway.messaging.content_location import (
    ContentLocationReply,
    ContentLocationRequest,
    ContentRecord,
    UpdateLocationReply,
    UpdateLocationRequest,
    UpdateServer,
)
from causeway.messaging.header import header_to_xml
from causeway.messaging.keyinfo import (
    ManagementPoint,
    MPCertificates,
    MPKeyInformation,
    MPList,
    SignedHex,
    SiteSigningCertificate,
    TrustedRootKey,
)
from causeway.messaging.location import (
    AssignedSiteReply,
    AssignedSiteRequest,
    MPLocationReply,
    MPLocationRequest,
    MPRecord,
    SiteInformationReply,
    SiteInformationRequest,
)
from causeway.messaging.message import compose
from causeway.messaging.policy import ClientSettings, PolicyBody
from causeway.messaging.registration import (
    ApprovalStatus,
    RegistrationResponse,
    RegistrationStatus,
    RequestType,
)
from causeway.messaging.reports import Report, ReportKind
from causeway.messaging.signatures import encode_certificate, encode_public_key
from causeway.messaging.site_description import SecurityConfiguration, Site
from causeway.messaging.state_messages import StateMessage
from fuzz.seeds.messages import CLIENT, WHEN, certificate, heartbeat, key, registration

_POLICY = "{1b62f1d2-9a0c-4b5e-a6f1-000000000001}"
_SITE = Site("PS1", "5.00", "9128", "mp.corp.example", SecurityConfiguration(site_signing_certificate="3082"))
_HEX = SignedHex("3082AB", "0602")
_CONDITION = Condition((Operator(OperatorType.NOT, (Expression("SELECT * FROM A"), Expression("B"))),))


def _assignments() -> AssignmentsReply:
    taken = PolicyAssignment(
        "{a}", _POLICY, "1.00", body_location(_POLICY, "1.00"), flags=PolicyFlags.SECRET, condition=_CONDITION
    )
    ended = PolicyAssignment("{b}", _POLICY, "1.00", "", action=AssignmentAction.DELETE)
    return AssignmentsReply(ReplyType.DELTA, CLIENT, "PS1", "cookie", (taken, ended))


def _documents() -> Iterator[tuple[str, str]]:
    yield "registration", registration()
    yield (
        "registration-response",
        RegistrationResponse(
            RequestType.REGISTRATION, RegistrationStatus.PENDING, CLIENT, ApprovalStatus.PENDING, WHEN
        ).to_xml(),
    )
    yield "assignments-request", AssignmentsRequest(CLIENT, "PS1", server_cookie="c", fqdn="pc1.corp").to_xml()
    yield "assignments-reply", _assignments().to_xml()
    yield "location-request", SiteInformationRequest("PS1").to_xml()
    yield "location-request", AssignedSiteRequest().to_xml()
    yield "location-request", MPLocationRequest("PS1").to_xml()
    yield "location-request", ContentLocationRequest("PS1", "PS100001", "1").to_xml()
    yield "location-request", UpdateLocationRequest("PS1", "{0}", "1").to_xml()
    yield "report", heartbeat().to_xml()
    state = StateMessage("{topic}", 401, 1, WHEN, parameters=("a", "b"))
    yield "report", Report(ReportKind.STATE_MESSAGES, CLIENT, WHEN, state_messages=(state,)).to_xml()
    yield "header", header_to_xml(compose("<A/>", "MP_A", attachments=[("b", b"c")], properties=(("d", "e"),)).header)
    yield "policy", PolicyBody(_POLICY, "1.00", (ClientSettings().to_instance(),)).to_xml()
    yield (
        "content-location-reply",
        ContentLocationReply("PS1", (ContentRecord("https://dp/a", "dp", "1", (("a", "b"),)),)).to_xml(),
    )
    yield "update-location-reply", UpdateLocationReply("PS1", (UpdateServer("https://sup:8531", "sup", "1"),)).to_xml()
    yield "site-information-reply", SiteInformationReply((_SITE,)).to_xml()
    yield "assigned-site-reply", AssignedSiteReply(_SITE).to_xml()
    yield "mp-location-reply", MPLocationReply("PS1", (MPRecord("a", "b", "1", (("SSLState", "63"),)),)).to_xml()
    yield "mp-list", MPList((ManagementPoint("MP1", "mp1.corp", "PS1", "1", (("SSLState", "63"),)),)).to_xml()
    yield "mp-certificates", MPCertificates(_HEX).to_xml()
    yield "mp-certificates", MPCertificates(_HEX, _HEX).to_xml()
    yield "mp-key-information", MPKeyInformation("MP1", "mp1.corp", "PS1", _HEX, _HEX, "{64}", "{86}").to_xml()
    yield "site-signing-certificate", SiteSigningCertificate("3082AB").to_xml()
    yield "trusted-root-key", TrustedRootKey("0602").to_xml()
    yield "key-info-query", "MPLIST1&PS1"
    yield "client-token", str(ClientToken(CLIENT, WHEN))
    yield "policy-location", body_location(_POLICY, "1.00")
    yield "public-key", encode_public_key(key().public_key())
    yield "certificate", encode_certificate(certificate())


def seeds() -> Iterator[tuple[str, str, bytes]]:
    """For the harnesses of documents and of sealed policies."""
    for number, (reader, text) in enumerate(_documents()):
        yield "message_documents", f"{reader}-{number}", reader.encode() + b"\n" + text.encode()
    for kind in range(1, 5):
        # The patch is what stands there already: a CMS body begins with a SEQUENCE of a two-byte length.
        yield "sealed_policy", f"kind-{kind}", bytes((kind, 0, 0)) + b"\x30\x82"
