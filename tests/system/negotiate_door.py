"""A door of Negotiate for fakes of ours: NTLM by the client's own library's other side, bound to the TLS channel.

It cannot check Kerberos: there is no domain. What the two sides of one library agree on, another server may not.
"""

import base64
import contextlib
import hashlib
import os
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import spnego
from spnego.channel_bindings import GssChannelBindings

USER, PASSWORD = "CORP\\alice", "Sesame-1"


class NegotiateDoor(BaseHTTPRequestHandler):
    """Lets in who has the password, and then the whole connection."""

    bindings: GssChannelBindings
    protocol_version = "HTTP/1.1"
    refusal: bytes = b""
    context: Any = None
    known = False
    last_token = b""

    def negotiated(self) -> bool:
        """Whether whoever asks is let in; where not, 401 was answered."""
        scheme, _, proof = self.headers.get("Authorization", "").partition(" ")
        if self.known:
            return True
        offer = "Negotiate"
        if scheme == "Negotiate":
            if self.context is None:
                self.context = spnego.server(
                    protocol="negotiate",
                    options=spnego.NegotiateOptions.use_ntlm | spnego.NegotiateOptions.use_negotiate,
                    channel_bindings=self.bindings,
                )
            with contextlib.suppress(spnego.exceptions.SpnegoError):
                token = self.context.step(base64.b64decode(proof))
                if self.context.complete:
                    self.known, self.last_token = True, token or b""
                    return True
                offer = f"Negotiate {base64.b64encode(token).decode()}"
        self.send_response(401)
        self.send_header("WWW-Authenticate", offer)
        self.send_header("Content-Length", str(len(self.refusal)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(self.refusal)
        return False

    def end_headers(self) -> None:
        if self.last_token:  # what ends the sign-in stands on the first answer, as Windows has it
            self.send_header("WWW-Authenticate", f"Negotiate {base64.b64encode(self.last_token).decode()}")
            self.last_token = b""
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """The test looks at what comes back."""


def bindings_of(pem: Path) -> GssChannelBindings:
    """For a server with that certificate, signed with SHA-256."""
    der = ssl.PEM_cert_to_DER_cert(pem.read_text().partition("-----END CERTIFICATE-----")[0] + _END)
    return GssChannelBindings(application_data=b"tls-server-end-point:" + hashlib.sha256(der).digest())


_END = "-----END CERTIFICATE-----\n"


@contextlib.contextmanager
def passwords(folder: Path) -> Iterator[None]:
    """The library's server side knows ``USER``'s password."""
    (folder / "users").write_text(f"{USER.replace(chr(92), ':')}:{PASSWORD}\n")
    os.environ["NTLM_USER_FILE"] = str(folder / "users")
    try:
        yield
    finally:
        del os.environ["NTLM_USER_FILE"]
