"""Configuration Manager's administration service (OData over HTTPS): read only, verified, bounded, page by page.

Source: Microsoft, "What is the administration service" and "How to use the administration service". With Windows
authentication its path is ``/AdminService``, with a token of Entra ID ``/AdminService_TokenAuth``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from causeway.errors import OperatorError
from causeway.negotiate import Negotiate
from causeway.preflight.site.asking import Answer, fetch, open_client, tls_context, within
from causeway.preflight.site.rows import Page
from causeway.preflight.text import shortened

T = TypeVar("T", bound=BaseModel)
R = TypeVar("R")

MAX_PAGES = 100
MAX_PAGE_BYTES = 8 * 1024 * 1024
MAX_ROWS = 20_000


class AdministrationServiceFailed(OperatorError):
    """The administration service did not tell what was asked; the message ends with the remedy."""

    word = "AdministrationService"


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who asks.

    Attributes:
        user: of Windows; None for whoever has the Kerberos ticket.
        password: theirs, where there is no ticket.
        token: of Entra ID, instead of Windows.
    """

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    def auth(self) -> httpx.Auth | None:
        """For httpx; None with a token, which is a header.

        Raises:
            OperatorError: Negotiate is not installed.
        """
        return None if self.token else Negotiate(self.user, self.password)

    @property
    def headers(self) -> dict[str, str]:
        """Of every question."""
        return {"Accept": "application/json"} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})


Fetch = Callable[[str], Awaitable[Answer]]
"""Asks for a URL of the service, signed in."""


@dataclass(frozen=True, slots=True)
class Service:
    """Where the service is, and how it is asked.

    Attributes:
        root: URL of its WMI route, with a slash behind.
        fetch: asks.
    """

    root: str
    fetch: Fetch

    async def rows(self, query: str, kind: type[T]) -> list[T]:
        """The rows that answer ``query``, such as ``SMS_Site``, from all pages.

        Raises:
            AdministrationServiceFailed: they could not be had, all of them.
        """
        url, found = self.root + query, list[T]()
        for _ in range(MAX_PAGES):
            answer = await self.fetch(url)
            page = _page(answer, query.partition("?")[0], kind)
            found += page.value
            if len(found) > MAX_ROWS:
                raise AdministrationServiceFailed(f"{query.partition('?')[0]}: more than {MAX_ROWS} rows; {_LOG}")
            if not page.next_page:
                return found
            if not same_place(page.next_page, self.root):
                where = shortened(page.next_page, 80)
                raise AdministrationServiceFailed(f"its next page is said to be elsewhere: {where}; {_LOG}")
            url = page.next_page
        raise AdministrationServiceFailed(f"{query.partition('?')[0]}: more than {MAX_PAGES} pages; {_LOG}")


_LOG = "see AdminService.log and SMS_REST_PROVIDER.log on that server"


def root_url(host: str, port: int, sign_in: SignIn) -> str:
    """The URL of the WMI route for who signs in so."""
    at = host if port == 443 else f"{host}:{port}"
    return f"https://{at}/AdminService{'_TokenAuth' if sign_in.token else ''}/wmi/"


def same_place(link: str, root: str) -> bool:
    """Whether ``link`` is of the service itself: HTTPS, its host, its port (which may be written out) and its path."""
    try:
        there, here = httpx.URL(link), httpx.URL(root)
    except httpx.InvalidURL:
        return False
    return (there.scheme, there.host, there.port or 443, there.userinfo) == (
        "https",
        here.host,
        here.port or 443,
        b"",
    ) and there.path.lower().startswith(here.path.lower())


async def ask_all(
    host: str,
    port: int,
    sign_in: SignIn,
    authorities: tuple[Path, ...],
    timeout_s: float,
    use: Callable[[Service], Awaitable[R]],
) -> R:
    """What ``use`` makes of the service: signed in once, on one connection.

    Args:
        host: of the SMS provider.
        port: TCP port.
        sign_in: who asks.
        authorities: files of roots of one's own.
        timeout_s: for one question.
        use: reads.

    Raises:
        OperatorError: a file cannot be used, or Negotiate is not installed.
    """
    context = await asyncio.to_thread(tls_context, authorities)
    async with open_client(context, sign_in.auth(), keep=True) as client:
        gone = Answer()

        async def asked(url: str) -> Answer:
            nonlocal gone
            if gone.trouble:  # whoever did not answer once is not waited for again
                return gone
            question = fetch(client, url, max_bytes=MAX_PAGE_BYTES, headers=sign_in.headers)
            answer = await within(timeout_s, question)
            gone = answer if answer.trouble else gone
            return answer

        return await use(Service(root_url(host, port, sign_in), asked))


def _page(answer: Answer, what: str, kind: type[T]) -> Page[T]:
    if answer.trouble:
        remedy = (
            "name the SMS Issuing certificate, or your root, with --ca"
            if answer.untrusted
            else "see whether this machine may reach it, and Windows service SMS_REST_PROVIDER there"
        )
        raise AdministrationServiceFailed(f"{answer.trouble}; {remedy}")
    if answer.status != 200:
        meaning, remedy = _MEANINGS.get(answer.status, ("does not answer this", _LOG))
        raise AdministrationServiceFailed(f"{what}: {answer.line}: {meaning}; {remedy}")
    try:
        return Page[kind].model_validate_json(answer.body)  # type: ignore[valid-type]
    except (ValidationError, RecursionError) as error:
        why = _first(error) if isinstance(error, ValidationError) else "nested too deeply"
        raise AdministrationServiceFailed(f"{what}: no answer of the administration service: {why}; {_LOG}") from None


_MEANINGS = {
    401: (
        "does not take who asks",
        "name an administrative user of Configuration Manager (`DOMAIN\\user`) and the right password, or get a ticket "
        "with `kinit`; a token must be for the server application",
    ),
    403: (
        "knows who asks, and does not let them read this",
        "give them the role Read-only Analyst: Administration > Security > Administrative Users in the console",
    ),
    404: (
        "is not there",
        "name the server with the SMS Provider role in site.administration_service; " + _LOG,
    ),
    503: ("does not run", "start it on that server: `Restart-Service SMS_EXECUTIVE`, and " + _LOG),
}


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return shortened(f"{'.'.join(str(part) for part in first['loc']) or 'all of it'}: {first['msg']}")
