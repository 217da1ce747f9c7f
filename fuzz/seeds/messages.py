"""Whole messages, and the keys that sign them."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from causeway.messaging.client_auth import sign_message
from causeway.messaging.header import ReplyCompression
from causeway.messaging.hooks import ClientAuth, Hooks, SignedToken
from causeway.messaging.message import Message, compose, encode, encode_reply
from causeway.messaging.registration import AgentInformation, RegistrationRequest, RequestType
from causeway.messaging.reports import Instance, Report, ReportKind

CLIENT = "GUID:2B0CC2E3-9A4D-4C53-B1B3-6E0C1C7D8A90"
WHEN = dt.datetime(2026, 11, 23, 5, 6, 8, tzinfo=dt.UTC)


@cache
def key() -> rsa.RSAPrivateKey:
    """A new client's key."""
    return rsa.generate_private_key(65537, 2048)


@cache
def certificate() -> x509.Certificate:
    """Its certificate, signed by itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "PC1")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key().public_key())
    builder = builder.serial_number(1).not_valid_before(WHEN).not_valid_after(WHEN + dt.timedelta(days=3650))
    return builder.sign(key(), hashes.SHA256())


def registration() -> str:
    """A registration signed by that client."""
    return RegistrationRequest(
        request_type=RequestType.REGISTRATION,
        signing_certificate=certificate(),
        encryption_certificate=certificate(),
        agent=AgentInformation("Causeway", "0.1", 0),
        properties={"Netbios Name": "PC1", "FQ Name": "pc1.corp & <sons>"},
        timestamp=WHEN,
    ).to_xml(key())


def heartbeat() -> Report:
    """A report with one instance."""
    instance = Instance("CCM_Client", (("ClientVersion", "5.00"), ("Name", "é")), "\\\\PC1\\root\\ccm")
    return Report(ReportKind.HEARTBEAT, CLIENT, WHEN, instances=(instance,), netbios_name="PC1")


def _messages() -> dict[str, Message]:
    report = heartbeat()
    plain = compose("<SiteInformationRequest/>", "MP_LocationManager", source_host="PC1", compress=False)
    signed = compose(
        report.to_xml(body=False),
        "MP_DdrEndpoint",
        source_host="PC1",
        attachments=[report.to_attachment("{report}")],
        properties=(("FileType", "DDR"),),
    )
    token = ClientAuth(token=SignedToken(f"{CLIENT};2026-11-23T05:13:59Z;2", "AB" * 256))
    media = replace(plain.header, hooks=Hooks(client_auth=token), reply_compression=ReplyCompression.NONE)
    return {
        "plain": plain,
        "registration": compose(registration(), "MP_ClientRegistration"),
        "signed": sign_message(signed, key(), CLIENT),
        "media": replace(plain, header=media),
    }


def seeds() -> Iterator[tuple[str, str, bytes]]:
    """For the harness of whole messages."""
    for name, message in _messages().items():
        fixed = replace(message, header=replace(message.header, sent_time=WHEN, id="{0}"))
        content_type, body = encode(fixed)
        yield "message", name, content_type.encode() + b"\n" + body
        content_type, body = encode_reply(fixed, "<Reply/>", source_id=CLIENT)
        yield "message", f"{name}-reply", content_type.encode() + b"\n" + body
