"""Web enrolment at AD CS (the ``certsrv`` pages): a request handed in, a certificate fetched.

The pages are an old web role and a known target of relayed NTLM: only HTTPS with a verified certificate is spoken, and
Negotiate is bound to the TLS channel (RFC 5929, tls-server-end-point), so that a server with Extended Protection takes
it. The form's fields and the answer's wording are those that the pages send to a browser.
"""

import re
import ssl
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography import x509

from causeway.errors import OperatorError
from causeway.negotiate import Negotiate
from causeway.pki.bundle import parse_bundle
from causeway.pki.errors import AuthorityError
from causeway.pki.requests import request_pem
from causeway.transport.reasons import why

_MAX_PAGE_BYTES = 1024 * 1024
_ISSUED = re.compile(r"certnew\.cer\?ReqID=(\d+)&")
_PENDING = re.compile(r"Certificate Pending.*?Request Id is (\d+)", re.DOTALL)
_REASON = re.compile(r"(?:disposition message is|Denied by)[^\"<]*\"?([^\"<]*)", re.DOTALL | re.IGNORECASE)


class Pending(AuthorityError):
    """The request waits for a certificate manager; ``number`` fetches it later."""

    word = "CertificatePending"

    def __init__(self, number: int) -> None:
        super().__init__(f"request {number} waits for approval; once it is issued: --number {number}")
        self.number = number


@dataclass(frozen=True, slots=True)
class WebEnrolment:
    """The pages of one authority.

    Attributes:
        url: such as ``https://ca01.corp.example.com/certsrv``.
        user: ``DOMAIN\\user`` or ``user@domain``.
        password: theirs.
        basic: send name and password as they are (over TLS) instead of proving them.
        ca_file: roots to trust for the server, instead of this machine's.
    """

    url: str
    user: str
    password: str
    basic: bool = False
    ca_file: Path | None = None

    def __repr__(self) -> str:
        return f"WebEnrolment({self.url!r}, {self.user!r}, ***)"

    def submit(self, request: x509.CertificateSigningRequest, template: str) -> tuple[x509.Certificate, ...]:
        """The certificate and its chain.

        Raises:
            Pending: it waits for approval.
            AuthorityError: it was refused, or the server was not to be reached.
        """
        form = {
            "Mode": "newreq",
            "CertRequest": request_pem(request).decode(),
            "CertAttrib": f"CertificateTemplate:{template}\r\n",
            "TargetStoreFlags": "0",
            "SaveCert": "yes",
        }
        with self._client() as client:
            page = self._page(client, "POST", "certfnsh.asp", data=form)
            if found := _PENDING.search(page):
                raise Pending(int(found[1]))
            issued = _ISSUED.search(page)
            if issued is None:
                raise AuthorityError(f"{self.url}: the request was refused: {_reason(page)}")
            return self._fetch(client, int(issued[1]))

    def fetch(self, number: int) -> tuple[x509.Certificate, ...]:
        """The certificate of a request that waited, and its chain.

        Raises:
            AuthorityError: it is not issued, or the server was not to be reached.
        """
        with self._client() as client:
            return self._fetch(client, number)

    def _fetch(self, client: httpx.Client, number: int) -> tuple[x509.Certificate, ...]:
        page = self._page(client, "GET", f"certnew.p7b?ReqID={number}&Enc=b64")
        if "-----BEGIN" not in page:
            raise AuthorityError(f"{self.url}: request {number} is not issued: {_reason(page)}")
        # The pages label PKCS #7 as a certificate.
        text = page.replace("BEGIN CERTIFICATE", "BEGIN PKCS7").replace("END CERTIFICATE", "END PKCS7")
        return parse_bundle(text.encode(), f"{self.url}, request {number}").certificates

    def _client(self) -> httpx.Client:
        if not self.url.startswith("https://"):
            raise OperatorError(f"{self.url}: only https:// is spoken: a password would be seen, or relayed")
        context = ssl.create_default_context(cafile=self.ca_file)
        auth: httpx.Auth = (
            httpx.BasicAuth(self.user, self.password) if self.basic else Negotiate(self.user, self.password)
        )
        return httpx.Client(verify=context, auth=auth, timeout=60, headers={"User-Agent": "Mozilla/5.0 (causeway)"})

    def _page(self, client: httpx.Client, method: str, path: str, data: dict[str, str] | None = None) -> str:
        try:
            with client.stream(method, f"{self.url.rstrip('/')}/{path}", data=data) as answer:
                body = b""
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > _MAX_PAGE_BYTES:
                        raise AuthorityError(f"{self.url}: answered with more than any page of AD CS has")
        except (httpx.HTTPError, ssl.SSLError, OSError) as error:
            raise AuthorityError(f"{self.url}: cannot be reached: {why(error)}") from error
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise AuthorityError(f"{self.url}: name or password was refused")
        if answer.is_error:
            raise AuthorityError(f"{self.url}: answered {answer.status_code} {answer.reason_phrase}")
        return body.decode("utf-8", "replace")


def _reason(page: str) -> str:
    found = _REASON.search(page)
    text = re.sub(r"<[^>]*>|\s+", " ", found[0] if found else page)
    return " ".join(text.split())[:200] or "no reason given"
