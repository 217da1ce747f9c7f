"""Whether revocation of the server certificate can be asked for: what it names is fetched, read and verified."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable

from cryptography import x509

from causeway.errors import CausewayError, StateError
from causeway.observability.checks import CheckResult, Status
from causeway.pki.chain import Chain
from causeway.pki.inspection import revocation_urls
from causeway.pki.ocsp import MAX_ANSWER_BYTES, REQUEST_HEADERS, OcspStatus, ocsp_request, read_ocsp_answer
from causeway.pki.revocation_list import MAX_LIST_BYTES, read_revocation_list
from causeway.pki.serials import serial_digest
from causeway.preflight.text import shortened
from causeway.transport import fetch as transport
from causeway.transport.httpx_proxy import httpx_proxy
from causeway.transport.proxy import NEEDS_LOGIN, WebProxy

LIST = "certificate revocation list"
RESPONDER = "certificate responder"
CHECKS = (LIST, RESPONDER)

_MOST_URLS = 4
_LONGEST_S = 10.0
_PUBLISH = "Publish it on the internet at that address; devices that want to know ask there."
_REVOKED = "Have a new certificate issued: devices that ask refuse this one."
_CREDENTIALS = "Where the web proxy says so: give --proxy-user and --proxy-password-file, or correct them."
_RENEW = "Have the authority publish anew; devices that ask refuse the certificate until then."

Fetch = Callable[[str, bytes | None, int], Awaitable[bytes]]
"""Gets a URL, or posts to it, and gives at most so many bytes of the answer; raises ``FetchFailed``."""


def fetching(proxy: WebProxy | None, timeout_s: float) -> Fetch:
    """By HTTP, bounded in time, through the web proxy where there is one, as its user."""

    async def fetch(url: str, content: bytes | None, most_bytes: int) -> bytes:
        fetched = await transport.fetch(
            url,
            most_bytes=most_bytes,
            timeout_s=min(_LONGEST_S, timeout_s),
            proxy=None if proxy is None else httpx_proxy(f"http://{proxy}", proxy.user, proxy.password_file),
            headers=REQUEST_HEADERS if content is not None else None,
            content=content,
        )
        return fetched.data or b""

    return fetch


async def ask(target: str, chain: Chain, fetch: Fetch, *, now: dt.datetime) -> list[CheckResult]:
    """A line for each list and each responder that the certificate names over HTTP.

    What does not answer is a warning, since this machine may see less of the internet than devices do. What answers
    wrongly is a failure, for devices get the same.
    """
    try:
        lists, responders = revocation_urls(chain.leaf)
    except ValueError:
        return []  # said by the check of what it names
    urls = [(LIST, url) for url in lists] + [(RESPONDER, url) for url in responders]
    urls = [(name, url) for name, url in dict.fromkeys(urls) if url.lower().startswith(("http://", "https://"))]
    if not urls:
        return []
    if len(chain.certificates) < 2:  # nobody to hold a signature against
        return [
            CheckResult(urls[0][0], target, Status.SKIP, "the issuer's certificate is not at hand; name it with --ca")
        ]
    leaf, issuer = chain.certificates[:2]

    async def one(name: str, url: str) -> CheckResult:
        look = _list if name == LIST else _responder
        shown = shortened(url)
        try:
            status, details, action = await look(leaf, issuer, url, fetch, now)
        except transport.FetchedTooMuch as error:
            return CheckResult(name, shown, Status.FAIL, str(error), _RENEW)
        except transport.FetchFailed as error:
            action = _CREDENTIALS if error.status in NEEDS_LOGIN else _PUBLISH
            return CheckResult(name, shown, Status.WARN, shortened(str(error)), action)
        except StateError as error:  # the file with the proxy's password
            return CheckResult(name, shown, Status.FAIL, str(error), "Correct --proxy-password-file.")
        except CausewayError as error:
            return CheckResult(name, shown, Status.FAIL, shortened(str(error)), _RENEW)
        return CheckResult(name, shown, status, details, action)

    return list(await asyncio.gather(*(one(name, url) for name, url in urls[:_MOST_URLS])))


async def _list(
    leaf: x509.Certificate, issuer: x509.Certificate, url: str, fetch: Fetch, now: dt.datetime
) -> tuple[Status, str, str]:
    data = await fetch(url, None, MAX_LIST_BYTES)
    found = await asyncio.to_thread(lambda: read_revocation_list(data, [issuer], now=now))
    until = f"fetched, {len(data)} bytes, signed by the issuer, until {found.next_update:%Y-%m-%d %H:%M}Z"
    if serial_digest(leaf.serial_number) in found.revoked:
        return Status.FAIL, f"the certificate is revoked ({until})", _REVOKED
    if found.next_update <= now:
        return Status.FAIL, f"{until}: ended", _RENEW
    return Status.PASS, f"{until}, {len(found.revoked)} revoked", ""


async def _responder(
    leaf: x509.Certificate, issuer: x509.Certificate, url: str, fetch: Fetch, now: dt.datetime
) -> tuple[Status, str, str]:
    request, nonce = ocsp_request(leaf, issuer)
    answer = read_ocsp_answer(await fetch(url, request, MAX_ANSWER_BYTES), leaf, issuer, nonce, now=now)
    until = "" if answer.next_update is None else f", until {answer.next_update:%Y-%m-%d %H:%M}Z"
    said = f"says {answer.status}, signed by the issuer or for it{until}"
    if answer.status is OcspStatus.GOOD:
        return Status.PASS, said, ""
    return Status.FAIL, said, _REVOKED
