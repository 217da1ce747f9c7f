"""A domain controller that answers wrongly is one FAIL, within bounds, and never a traceback."""

import asyncio
import time

import pytest
import sansldap

from causeway.directory.values import Transport
from causeway.observability.checks import CheckResult, Status
from causeway.plan.groups import GroupNeed
from causeway.plan.values import GroupPurpose
from causeway.preflight.directory import CONTROLLER, SIGN_IN, Access
from causeway.preflight.directory_look import Look
from causeway.preflight.directory_results import GROUP
from tests.system.certificates import certificates
from tests.system.preflight.fake_directory import Answer, fake_directory, fake_server

NEED = GroupNeed("Group", GroupPurpose.ADMINISTRATORS, ("CP01$",))
ENTRY_TYPE = [sansldap.PartialAttribute("objectClass", [b"computer"])]


async def look(port: int, transport: Transport, timeout_s: float = 20) -> list[CheckResult]:
    root = certificates("directory").root
    access = Access((("localhost", port),), transport, "somebody", "secret", None, (root,))
    ends = asyncio.get_running_loop().time() + timeout_s
    return await Look("corp.contoso.com", [NEED], access, timeout_s, ends).run()


def endless_pages(server: sansldap.LDAPServer, request: sansldap.SearchRequest) -> bytes:
    page = sansldap.PagedResultControl(critical=False, size=0, cookie=b"more")
    server.search_result_done(request.message_id, controls=[page])
    return server.data_to_send()


def endless_entries(server: sansldap.LDAPServer, request: sansldap.SearchRequest) -> bytes:
    for number in range(6000):
        server.search_result_entry(request.message_id, f"CN={number}", ENTRY_TYPE)
    return server.data_to_send()


def wrong_range(server: sansldap.LDAPServer, request: sansldap.SearchRequest) -> bytes:
    """A group, whose members begin anew with each question."""
    attributes = [sansldap.PartialAttribute("sAMAccountName", [b"Group"]), *ENTRY_TYPE]
    if request.attributes[0].startswith("member"):
        attributes = [sansldap.PartialAttribute("member;range=0-1", [b"CN=a", b"CN=b"])]
    server.search_result_entry(request.message_id, "CN=Group", attributes)
    server.search_result_done(request.message_id)
    return server.data_to_send()


def too_large(server: sansldap.LDAPServer, request: sansldap.SearchRequest) -> bytes:
    return b"\x30\x84\x7f\xff\xff\xff" + bytes(1000)


def another_kind(server: sansldap.LDAPServer, request: sansldap.SearchRequest) -> bytes:
    server.bind_response(request.message_id, sasl_creds=b"x")
    return server.data_to_send()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (endless_pages, "empty pages without end"),
        (endless_entries, "not asked for"),
        (wrong_range, "was asked for members from 2 on"),
        (too_large, "no answer to these questions is so large"),
        (another_kind, "answers with BindResponse, which was not asked for"),
    ],
)
async def test_a_wrong_answer_to_a_question_fails_and_says_what_is_wrong(answer: Answer, says: str) -> None:
    async with fake_directory(certificates("directory"), answer) as port:
        *before, last = await look(port, Transport.LDAPS)
    assert SIGN_IN in [each.name for each in before if each.status is Status.PASS]
    assert (last.name, last.status) == (GROUP, Status.FAIL)
    assert says in last.details


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not in LDAP"),
        (b"\x30\x0c\x02\x01\x01\x61\x07", "hung up"),
        (b"", "hung up"),
        (b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00", "DirectoryAnswer"),
        (bytes(range(0x30, 0x60)) * 20, "DirectoryAnswer"),
    ],
)
async def test_what_is_no_answer_to_the_first_question_fails(sent: bytes, says: str) -> None:
    async with fake_server(sent) as port:
        (only,) = await look(port, Transport.STARTTLS)
    assert (only.name, only.status) == (CONTROLLER, Status.FAIL)
    assert says in only.details


async def test_what_comes_in_the_clear_behind_the_answer_to_starttls_is_refused() -> None:
    """What somebody on the way adds there would otherwise count as said under TLS."""
    yes = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
    forged = b"\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00\x04\x00\x04\x00"
    from causeway.directory.connection import Server, connect
    from causeway.directory.errors import DirectoryAnswer
    from causeway.directory.trust import verifying

    for behind, says in ((forged[:5], "in the clear"), (forged, "cannot be read|in the clear")):
        async with fake_server(yes + behind) as port:
            with pytest.raises(DirectoryAnswer, match=says):
                async with connect(Server("localhost", port), Transport.STARTTLS, verifying([])):
                    pass


async def test_a_controller_that_falls_silent_fails_within_the_time() -> None:
    started = time.monotonic()
    async with fake_directory(certificates("directory"), lambda server, request: b"") as port:
        results = await look(port, Transport.LDAPS, timeout_s=3)
    assert (results[-1].name, results[-1].status, results[-1].details) == (GROUP, Status.FAIL, "no answer in time")
    assert time.monotonic() - started < 20
