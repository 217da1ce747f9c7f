"""A client as others write it: with ``requests``, by hand, and without a line of Causeway's own message code."""

import datetime
import re
import secrets
import uuid
import zlib
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

BOUNDARY = "aAbBcCdDv1234567890VxXyYzZ"
SHA256_OID = "1.2.840.113549.1.1.11"


class Layout(Enum):
    """How the two parts of a message are laid out."""

    ZLIB = "native: fixed boundary, compressed payload"
    PLAIN = "uncompressed, both parts text/plain, no hook for compression"
    FORM = "form-data parts, a random boundary, three NUL bytes at the end"


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


def now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def self_signed(key: rsa.RSAPrivateKey, name: str = "ConfigMgr Client", *, days: int = 365) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.datetime.now(datetime.UTC)
    start, end = sorted((today - datetime.timedelta(days=1), today + datetime.timedelta(days=days)))
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )


def sign(key: rsa.RSAPrivateKey, data: bytes) -> str:
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())[::-1].hex().upper()


def public_key_blob(key: rsa.RSAPrivateKey) -> str:
    numbers = key.public_key().public_numbers()
    header = bytes.fromhex("0602000000A40000") + b"RSA1" + (2048).to_bytes(4, "little")
    return (header + numbers.e.to_bytes(4, "little") + numbers.n.to_bytes(256, "little")).hex().upper()


@dataclass
class Client:
    """One client. ``tls`` is its TLS certificate and key."""

    url: str
    ca: Path
    name: str = "PC1"
    tls: tuple[Path, Path] | None = None
    system: str = "/ccm_system/request"
    policies: str = "/SMS_MP/.sms_pol"
    layout: Layout = Layout.ZLIB
    reply_compression: str | None = "zlib"
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    certificate: x509.Certificate | None = None
    smsid: str = ""

    def __post_init__(self) -> None:
        self.certificate = self.certificate or self_signed(self.key)
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(self.ca)
        if self.tls is not None:
            self.session.cert = (str(self.tls[0]), str(self.tls[1]))

    def close(self) -> None:
        self.session.close()

    # Requests

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        return self.session.get(self.url + path, timeout=30, **kwargs)

    def post(self, body: bytes, content_type: str) -> requests.Response:
        headers = {"Content-Type": content_type, "User-Agent": "ConfigMgr Messaging HTTP Sender"}
        return self.session.request("CCM_POST", self.url + self.system, data=body, headers=headers, timeout=30)

    def send(
        self,
        endpoint: str,
        xml: str,
        *,
        signed: bool = True,
        mode: str = "Sync",
        properties: str = "",
        tamper: bool = False,
        hook: str | None = None,
    ) -> requests.Response:
        content_type, body = self.message(
            endpoint, xml, signed=signed, mode=mode, properties=properties, tamper=tamper, hook=hook
        )
        return self.post(body, content_type)

    def ask(self, endpoint: str, xml: str, **kwargs: Any) -> ET.Element:
        response = self.send(endpoint, xml, **kwargs)
        assert response.status_code == 200, (response.status_code, response.reason)
        return ET.fromstring(read_reply(response))

    # Messages

    def message(
        self,
        endpoint: str,
        xml: str,
        *,
        signed: bool = True,
        mode: str = "Sync",
        properties: str = "",
        tamper: bool = False,
        hook: str | None = None,
    ) -> tuple[str, bytes]:
        plaintext = utf16(xml) + b"\0\0"
        length = len(plaintext)
        plaintext += b"\0" if self.layout is Layout.FORM else b"\r\n"
        compressed = self.layout is Layout.ZLIB
        payload = zlib.compress(plaintext) if compressed else plaintext
        hooks = '<Hook3 Name="zlib-compress" />' if compressed else ""
        if hook is not None:
            hooks += hook
        elif signed:
            hooks += self._client_auth(payload)
        if tamper:
            payload = payload[:-1] + bytes([payload[-1] ^ 1])
        compression = f' ReplyCompression="{self.reply_compression}"' if self.reply_compression else ""
        header = (
            f'<Msg{compression} SchemaVersion="1.1"><Body Type="ByteRange" Length="{length}" Offset="0" />'
            f"<CorrelationID>{{00000000-0000-0000-0000-000000000000}}</CorrelationID><Hooks>{hooks}</Hooks>"
            f"<ID>{{{uuid.uuid4()}}}</ID>"
            f'<Payload Type="inline" /><Priority>0</Priority>{properties}<Protocol>http</Protocol>'
            f"<ReplyMode>{mode}</ReplyMode><ReplyTo>direct:{self.name}:SccmMessaging</ReplyTo>"
            f"<SentTime>{now()}</SentTime><SourceID>{self.smsid}</SourceID><SourceHost>{self.name}</SourceHost>"
            f"<TargetAddress>mp:{endpoint}</TargetAddress><TargetEndpoint>{endpoint}</TargetEndpoint>"
            f"<TargetHost>mp1</TargetHost><Timeout>60000</Timeout></Msg>"
        )
        return self._multipart(b"\xff\xfe" + utf16(header), payload)

    def _multipart(self, header: bytes, payload: bytes) -> tuple[str, bytes]:
        boundary, ending = BOUNDARY, b""
        first = b"content-type: text/plain; charset=UTF-16"
        second = b"content-type: application/octet-stream"
        if self.layout is Layout.PLAIN:
            second, ending = first, b"\r\n"
        elif self.layout is Layout.FORM:
            boundary = secrets.token_hex(16)
            first = b'Content-Disposition: form-data; name="Msg"\r\nContent-Type: text/plain; charset=UTF-16'
            second = b'Content-Disposition: form-data; name="RequestMsg"\r\nContent-Type: application/octet-stream'
        mark = b"--" + boundary.encode()
        body = mark + b"\r\n" + first + b"\r\n\r\n" + header + b"\r\n"
        body += mark + b"\r\n" + second + b"\r\n\r\n" + payload + b"\r\n" + mark + b"--" + ending
        return f'multipart/mixed; boundary="{boundary}"', body

    def _client_auth(self, payload: bytes) -> str:
        properties = {
            "AuthSenderMachine": self.name,
            "PublicKey": public_key_blob(self.key),
            "ClientIDSignature": sign(self.key, utf16(self.smsid.upper()) + b"\0\0"),
            "PayloadSignature": sign(self.key, payload),
            "ClientCapabilities": "NonSSL",
            "HashAlgorithm": SHA256_OID,
        }
        inner = "".join(f'<Property Name="{name}">{value}</Property>' for name, value in properties.items())
        return f'<Hook2 Name="clientauth">{inner}</Hook2>'

    def token_hook(self, *, moment: str | None = None) -> str:
        headers = self.token_headers(moment=moment)
        lines = "".join(f"{name}:{value}\r\n" for name, value in headers.items())
        return f'<Hook2 Name="clientauth"><Property Name="Token"><![CDATA[{lines}]]></Property></Hook2>'

    # Registration

    def registration(self, request_type: str = "Registration", *, timestamp: str | None = None) -> str:
        assert self.certificate is not None
        der = self.certificate.public_bytes(Encoding.DER).hex().upper()
        data = (
            f'<Data HashAlgorithm="{SHA256_OID}" SMSID="{self.smsid}" RequestType="{request_type}" '
            f'TimeStamp="{timestamp or now()}">'
            '<AgentInformation AgentIdentity="CCMSetup.exe" AgentVersion="5.00.8325.0000" AgentType="0" />'
            f'<Certificates><Encryption Encoding="HexBinary" KeyType="1">{der}</Encryption>'
            f'<Signing Encoding="HexBinary" KeyType="1">{der}</Signing></Certificates>'
            f'<DiscoveryProperties><Property Name="Netbios Name" Value="{self.name}" />'
            f'<Property Name="FQ Name" Value="{self.name.lower()}.corp.example" /></DiscoveryProperties></Data>'
        )
        signature = sign(self.key, utf16(data))
        return (
            f"<ClientRegistrationRequest>{data}<Signature><SignatureValue>{signature}</SignatureValue></Signature>"
            "</ClientRegistrationRequest>"
        )

    def register(self, request_type: str = "Registration") -> ET.Element:
        reply = self.ask("MP_ClientRegistration", self.registration(request_type), signed=False)
        self.smsid = reply.get("SMSID", "")
        return reply

    # Policy

    def assignments_request(self, cookie: str = "", request_type: str = "Always") -> str:
        return (
            f'<RequestAssignments SchemaVersion="1.00" ACK="false" RequestType="{request_type}"><Identification>'
            f"<Machine><ClientID>{self.smsid}</ClientID><FQDN></FQDN><NetBIOSName>{self.name}</NetBIOSName><SID />"
            "</Machine><User /></Identification><PolicySource>SMS:PS1</PolicySource>"
            f'<Resource ResourceType="Machine" /><ServerCookie>{cookie}</ServerCookie></RequestAssignments>'
        )

    def assignments(self, cookie: str = "", request_type: str = "Always") -> ET.Element:
        return self.ask("MP_PolicyManager", self.assignments_request(cookie, request_type))

    def token_headers(self, *, moment: str | None = None, signed_moment: str | None = None) -> dict[str, str]:
        moment = moment or now()
        token = f"{self.smsid};{moment};2"
        signed = f"{self.smsid};{signed_moment or moment};2"
        return {"ClientToken": token, "ClientTokenSignature": sign(self.key, utf16(signed) + b"\0\0")}

    def policy(self, query: str, *, headers: dict[str, str] | None = None) -> requests.Response:
        return self.get(f"{self.policies}?{query}", headers=self.token_headers() if headers is None else headers)

    # Reports

    def report(self, content: str = "Inventory Data", action: str = "3", body: str = "") -> str:
        moment = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d%H%M%S.%f+000")
        return (
            "<Report><ReportHeader><Identification><Machine><ClientInstalled>1</ClientInstalled>"
            f"<ClientType>1</ClientType><ClientID>{self.smsid}</ClientID><ClientVersion>5.00.8325.0000</ClientVersion>"
            f"<NetBIOSName>{self.name}</NetBIOSName><CodePage>437</CodePage></Machine></Identification>"
            f"<ReportDetails><ReportContent>{content}</ReportContent><ReportType>Full</ReportType><Date>{moment}</Date>"
            "<Version>1.0</Version><Format>1.1</Format></ReportDetails>"
            '<InventoryAction ActionType="Predefined"><InventoryActionID>'
            f"{{00000000-0000-0000-0000-00000000000{action}}}</InventoryActionID></InventoryAction></ReportHeader>"
            f"<ReportBody>{body}</ReportBody></Report>"
        )


def read_reply(response: requests.Response) -> str:
    """The text of a reply, read in the crude way that such clients do."""
    content_type = response.headers["Content-Type"]
    boundary = re.search(r'boundary="([^"]+)"', content_type)
    assert boundary is not None, content_type
    parts = response.content.split(b"--" + boundary[1].encode())
    assert len(parts) == 4, len(parts)
    first_head, _, first = parts[1].strip(b"\r\n").partition(b"\r\n\r\n")
    assert b"text/plain; charset=UTF-16" in first_head
    header = ET.fromstring(first.decode("utf-16"))
    second_head, _, second = parts[2][2:-2].partition(b"\r\n\r\n")
    assert second_head == b"content-type: application/octet-stream"
    length = int(header.find("Body").get("Length"))  # type: ignore[union-attr, arg-type]
    if any(hook.get("Name") == "zlib-compress" for hook in header.iter("Hook3")):
        second = zlib.decompress(second)
    assert second[length - 2 : length] == b"\0\0"
    return second[: length - 2].decode("utf-16-le")


def locations(reply: ET.Element) -> dict[str, str]:
    """Policy category → the query of its location."""
    found = {}
    for policy in reply.iter("Policy"):
        location = policy[0]
        assert location.tag == "PolicyLocation"
        assert "://<mp>/SMS_MP/.sms_pol?" in str(location.text)
        found[policy.get("PolicyCategory", "")] = str(location.text).partition("?")[2]
    return found
