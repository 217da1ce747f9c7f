"""A management point behind a gateway, in memory, built with the same message format as the device."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from causeway.messaging.assignments import (
    AssignmentsReply,
    PolicyAssignment,
    ReplyType,
    parse_assignments_request,
)
from causeway.messaging.client_auth import parse_client_token, verify_message, verify_token
from causeway.messaging.identifiers import new_smsid
from causeway.messaging.keyinfo import ManagementPoint, MPList, SiteSigningCertificate
from causeway.messaging.message import Message, decode, encode_reply
from causeway.messaging.registration import (
    ApprovalStatus,
    RegistrationRequest,
    RegistrationResponse,
    RegistrationStatus,
    parse_registration_request,
)
from causeway.messaging.reports import Report, report_of
from causeway.messaging.signatures import encode_certificate, rsa_key_of
from causeway.messaging.tokens import GivenToken, TokenKind, TokenRequest, TokenResponse, parse_token_request

ROLE = "/72057594037927937"
PREFIX = b"/CCM_Proxy_ServerAuth" + ROLE.encode()
URL = "https://gateway.example" + PREFIX.decode()


@dataclass
class FakeManagementPoint:
    site_certificate: x509.Certificate
    statuses: list[RegistrationStatus] = field(default_factory=list)
    assignments: list[PolicyAssignment] = field(default_factory=list)
    reply_type: ReplyType = ReplyType.FULL
    bodies: dict[str, bytes] = field(default_factory=dict)
    devices: dict[bytes, str] = field(default_factory=dict)
    keys: dict[str, rsa.RSAPublicKey] = field(default_factory=dict)
    registrations: list[RegistrationRequest] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    targets: list[bytes] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    overrides: dict[str, Callable[[], httpx.Response]] = field(default_factory=dict)
    protected: set[str] = field(default_factory=set)
    token_requests: list[TokenRequest] = field(default_factory=list)
    withdrawn: set[str] = field(default_factory=set)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = self._answer(request)
        # A stream, as from a socket: what is made from content counts as read already.
        stream = httpx.ByteStream(answer.content)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=stream, extensions=answer.extensions)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        target: bytes = request.extensions["target"]
        self.requests.append(request)
        self.targets.append(target)
        path = target.decode().partition(ROLE)[2]
        for part, answer in self.overrides.items():
            if part in path:
                return answer()
        if bearer(request) in self.withdrawn:
            return httpx.Response(401, extensions={"reason_phrase": b"CMGService_Invalid_Token"})
        if path == "/CCM_STS":
            return self._tokens(request)
        if request.method == "CCM_POST":
            return self._message(request, path)
        name = path.rpartition("?")[2]
        if name == "MPLIST":
            points = MPList((ManagementPoint("MP1", "mp1.corp", "PS1"),))
            return httpx.Response(200, content=points.to_xml().encode("utf-16"))
        if name == "SITESIGNCERT":
            certificate = SiteSigningCertificate(encode_certificate(self.site_certificate))
            return httpx.Response(200, content=certificate.to_xml().encode())
        return self._policy(request, name)

    def _tokens(self, request: httpx.Request) -> httpx.Response:
        wanted = parse_token_request(request.content.decode())
        wanted.verify(self.keys[wanted.client_id])
        self.token_requests.append(wanted)
        now = self.now()
        lasts = {TokenKind.CCM: timedelta(hours=8), TokenKind.SELF_PROVE: timedelta(days=90)}
        renewed = {TokenKind.CCM: timedelta(hours=6), TokenKind.SELF_PROVE: timedelta(days=30)}
        tokens = tuple(
            GivenToken(kind, f"{kind}.{len(self.token_requests)}.s", now + lasts[kind], now + renewed[kind])
            for kind in wanted.kinds
        )
        return httpx.Response(200, content=TokenResponse(wanted.client_id, now, tokens).to_xml().encode())

    def _policy(self, request: httpx.Request, name: str) -> httpx.Response:
        if name not in self.bodies:
            return httpx.Response(404, extensions={"reason_phrase": b"MP_PolicyUnknown"})
        if name in self.protected:
            token = request.headers["ClientToken"]
            key = self.keys[parse_client_token(token).client_id]
            verify_token(key, token, request.headers["ClientTokenSignature"], max_age=timedelta(minutes=5))
        return httpx.Response(200, content=self.bodies[name])

    def _message(self, request: httpx.Request, path: str) -> httpx.Response:
        message = decode(request.headers["Content-Type"], request.content)
        endpoint = message.header.target_endpoint
        if endpoint in self.overrides:
            return self.overrides[endpoint]()
        if endpoint == "MP_ClientRegistration":
            return reply(message, self._register(message))
        sender = verify_message(message, self.keys[message.header.source_id])
        if endpoint == "MP_PolicyManager":
            wanted = parse_assignments_request(message.body_text())
            self.cookies.append(wanted.server_cookie)
            cookie = f"cookie-{len(self.cookies)}"
            answer = AssignmentsReply(self.reply_type, sender, "PS1", cookie, tuple(self.assignments))
            return reply(message, answer.to_xml())
        self.reports.append(report_of(message))
        return httpx.Response(200)

    def _register(self, message: Message) -> str:
        request = parse_registration_request(message.body_text())
        request.verify()
        self.registrations.append(request)
        status = self.statuses.pop(0) if self.statuses else RegistrationStatus.REGISTERED
        der = encode_certificate(request.signing_certificate).encode()
        smsid = self.devices.setdefault(der, new_smsid())
        self.keys[smsid] = rsa_key_of(request.signing_certificate)
        approval = ApprovalStatus.APPROVED if status is RegistrationStatus.REGISTERED else ApprovalStatus.PENDING
        return RegistrationResponse(request.request_type, status, smsid, approval, datetime.now(UTC)).to_xml()


def bearer(request: httpx.Request) -> str:
    """The token of a request, or nothing."""
    return str(request.headers.get("Authorization", "")).removeprefix("Bearer ")


def reply(message: Message, body_xml: str) -> httpx.Response:
    content_type, body = encode_reply(message, body_xml)
    return httpx.Response(200, headers={"Content-Type": content_type}, content=body)
