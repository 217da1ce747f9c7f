"""A fake of AD CS web enrolment: ours, from the wording of the pages; nothing that Microsoft ships runs here.

It proves that the client speaks the form, verifies TLS, authenticates (Basic, or NTLM by the same library's server
side, bound to the channel) and reads the answers of issue, wait and refusal. It cannot prove that a real authority
takes the request.
"""

import base64
import contextlib
import ssl
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from causeway.pki.authority import Authority
from causeway.pki.keys import new_p256_key
from causeway.pki.roles import Role
from tests.system.cert.openssl_authority import OpensslAuthority
from tests.system.negotiate_door import PASSWORD, USER, NegotiateDoor, bindings_of, passwords

_ISSUED = (
    '<html><a href="certnew.cer?ReqID={number}&amp;Enc=b64">x</a><script>certnew.cer?ReqID={number}&Enc=b64</script>'
)
_PENDING = "<html><b>Certificate Pending</b> Your certificate request has been received. Your Request Id is {number}."
_DENIED = '<html>The disposition message is "Denied by Policy Module  0x80094800, the template is not supported".'


@dataclass
class FakeWebEnrolment:
    """The pages; ``hold`` has requests wait, as for a certificate manager."""

    folder: Path
    authority: OpensslAuthority
    url: str = ""
    hold: bool = False
    templates: set[str] = field(default_factory=lambda: {"CausewayGateway"})
    requests: dict[int, Path] = field(default_factory=dict)

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca" / "ca.pem"

    def submitted(self, form: dict[str, str]) -> str:
        if form["CertAttrib"].strip().removeprefix("CertificateTemplate:") not in self.templates:
            return _DENIED
        number = len(self.requests) + 7
        self.requests[number] = self.folder / f"{number}.csr"
        self.requests[number].write_text(form["CertRequest"])
        return (_PENDING if self.hold else _ISSUED).format(number=number)

    def p7b(self, number: int) -> str:
        if self.hold:
            return _PENDING.format(number=number)
        path = self.authority.p7b(self.authority.sign(self.requests[number], f"{number}.pem"))
        # The pages label PKCS #7 as a certificate.
        return path.read_text().replace("PKCS7", "CERTIFICATE")


class _Pages(NegotiateDoor, BaseHTTPRequestHandler):
    fake: FakeWebEnrolment

    def _let_in(self) -> bool:
        scheme, _, proof = self.headers.get("Authorization", "").partition(" ")
        basic = scheme == "Basic" and base64.b64decode(proof).decode() == f"{USER}:{PASSWORD}"
        return basic or self.negotiated()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self._let_in():
            self._answer(self.fake.submitted(dict(urllib.parse.parse_qsl(body))))

    def do_GET(self) -> None:
        if self._let_in():
            query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
            self._answer(self.fake.p7b(int(query["ReqID"])))

    def _answer(self, body: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())


@contextlib.contextmanager
def web_enrolment(folder: Path, authority: OpensslAuthority) -> Iterator[FakeWebEnrolment]:
    """Serve the pages over TLS on loopback."""
    folder.mkdir(exist_ok=True)
    own = Authority.create(folder / "ca", "The server's root")
    own.issue_server(["localhost"], new_p256_key(), Role.SITE_SYSTEM).write(folder / "s.pem", folder / "s.key")
    bindings = bindings_of(folder / "s.pem")
    fake = FakeWebEnrolment(folder, authority)

    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Pages", (_Pages,), {"fake": fake, "bindings": bindings}))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "s.pem", folder / "s.key")
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    fake.url = f"https://localhost:{server.server_address[1]}/certsrv"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with passwords(folder):
            yield fake
    finally:
        server.shutdown()
        server.server_close()
