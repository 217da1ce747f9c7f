"""What the site does with what nobody should send: a clear refusal, one line in the log, bounded memory."""

import contextlib
import random
import socket
import ssl
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from tests.system.processes import wait_until
from tests.system.site import raw
from tests.system.site.running import RunningSite, running
from tests.system.site.third_party import BOUNDARY, Client, Layout, utf16

MakeClient = Callable[..., Client]
MIB = 1024 * 1024
SITE_INFORMATION = '<SiteInformationRequest SchemaVersion="1.00"><SiteCode Name="PS1"/></SiteInformationRequest>'
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<SiteInformationRequest SchemaVersion="1.00"><SiteCode Name="&b;"/></SiteInformationRequest>'
)
EXTERNAL = (
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    '<SiteInformationRequest SchemaVersion="1.00"><SiteCode>&a;</SiteCode></SiteInformationRequest>'
)


@pytest.fixture
def device(shared_site: RunningSite, client: MakeClient) -> Client:
    return client(shared_site, system="/ccm_system_altauth/request")


@pytest.fixture(autouse=True)
def still_well(shared_site: RunningSite, client: MakeClient) -> Iterator[None]:
    """Whatever a test sent, the site answers afterwards."""
    yield
    assert client(shared_site).get("/SMS_MP/.sms_aut?MPLIST").status_code == 200


def resident(site: RunningSite) -> int:
    assert site.process is not None
    return int(psutil.Process(site.process.pid).memory_info().rss)


def last_word(site: RunningSite) -> str:
    return str(site.refusals()[-1]["word"])


@pytest.mark.parametrize(
    ("xml", "word"),
    [
        (BOMB, "Messaging_BadXml"),
        (EXTERNAL, "Messaging_BadXml"),
        ("<SiteInformationRequest", "Messaging_BadXml"),
        ("<a>" * 200 + "</a>" * 200, "Messaging_TooLarge"),
    ],
)
def test_xml_that_could_do_harm_is_refused(shared_site: RunningSite, device: Client, xml: str, word: str) -> None:
    counted = shared_site.metric("causeway_site_refusals_total", word=word)

    answer = device.send("MP_LocationManager", xml, signed=False)

    assert answer.status_code in {400, 413}
    assert answer.reason == word
    assert shared_site.metric("causeway_site_refusals_total", word=word) == counted + 1
    assert [one["word"] for one in shared_site.refusals() if one["request_id"] == answer.headers["X-Request-Id"]] == [
        word
    ]


def test_a_zlib_bomb_is_not_inflated(shared_site: RunningSite, device: Client) -> None:
    before = resident(shared_site)
    content_type, body = device.message("MP_LocationManager", SITE_INFORMATION, signed=False)
    bomb = zlib.compress(bytes(1024 * MIB), 9)
    start = body.index(b"octet-stream\r\n\r\n") + len(b"octet-stream\r\n\r\n")
    body = body[:start] + bomb + body[body.rindex(b"\r\n--") :]

    answer = device.post(body, content_type)

    assert (answer.status_code, answer.reason) == (413, "Messaging_TooLarge")
    assert resident(shared_site) - before < 150 * MIB


def test_a_body_above_the_limit_is_refused_before_it_is_read(shared_site: RunningSite) -> None:
    head = b"CCM_POST /ccm_system_altauth/request HTTP/1.1\r\nHost: mp\r\nContent-Length: 9000000000\r\n\r\n"
    with raw.connect(shared_site) as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_chunked_body_above_the_limit_is_refused_in_bounded_memory(shared_site: RunningSite) -> None:
    before = resident(shared_site)
    with raw.connect(shared_site) as connection:
        connection.sendall(
            b"CCM_POST /ccm_system_altauth/request HTTP/1.1\r\nHost: mp\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"100000\r\n" + bytes(MIB) + b"\r\n"
        for _ in range(10):
            connection.sendall(chunk)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 Messaging_TooLarge")
    assert resident(shared_site) - before < 100 * MIB


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
        b"CCM_POST /ccm_system_altauth/request HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /" + b"a" * 2_000_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x00\x00 not http\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_400_and_a_closed_connection(shared_site: RunningSite, request_bytes: bytes) -> None:
    answer = raw.exchange(shared_site, request_bytes)

    assert raw.status_line(answer).startswith("HTTP/1.1 400"), answer
    assert answer.count(b"HTTP/1.1 ") == 1


def test_bytes_that_are_no_request_are_counted_and_logged_with_their_sender(shared_site: RunningSite) -> None:
    counted = shared_site.metric("causeway_site_refusals_total", word="Site_RequestMalformed")

    raw.exchange(shared_site, b"nonsense\r\n\r\n", shared_site.certificate("careless"))

    assert shared_site.metric("causeway_site_refusals_total", word="Site_RequestMalformed") == counted + 1
    line = shared_site.refusals()[-1]
    assert (line["word"], line["address"], line["certificate"]) == ("Site_RequestMalformed", "127.0.0.1", "CN=careless")


@pytest.mark.parametrize(("method", "status"), [("DELETE", 405), ("BITS_POST", 405), ("X" * 40, 405), ("GET", 405)])
def test_a_method_that_an_url_does_not_have_is_refused(shared_site: RunningSite, method: str, status: int) -> None:
    answer = raw.exchange(
        shared_site,
        f"{method} /ccm_system_altauth/request HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode(),
    )

    assert raw.status_line(answer) == f"HTTP/1.1 {status} Site_MethodNotAllowed"


@pytest.mark.parametrize("path", ["/", "/ccm_system", "/SMS_MP/.sms_aut/../.sms_pol", "/SMS_MP/%2e%2e/etc", "//"])
def test_an_url_that_is_none_is_404(shared_site: RunningSite, path: str) -> None:
    answer = raw.exchange(shared_site, f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())

    assert raw.status_line(answer) == "HTTP/1.1 404 Site_NotFound"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", b"hello"),
        ("multipart/mixed", b"hello"),
        (f'multipart/mixed; boundary="{BOUNDARY}"', b""),
        (f'multipart/mixed; boundary="{BOUNDARY}"', f"--{BOUNDARY}\r\n\r\n\r\n--{BOUNDARY}--".encode()),
        (f'multipart/mixed; boundary="{BOUNDARY}"', f"--{BOUNDARY}\r\n".encode() * 50),
    ],
)
def test_a_body_that_is_no_message_is_refused(
    shared_site: RunningSite, device: Client, content_type: str, body: bytes
) -> None:
    answer = device.post(body, content_type)

    assert answer.status_code == 400
    assert answer.reason.startswith("Messaging_")


def test_messages_changed_at_random_never_make_the_site_fail(shared_site: RunningSite, device: Client) -> None:
    chance = random.Random(2026)
    device.layout = Layout.PLAIN
    device.smsid = "GUID:11111111-2222-3333-4444-555555555555"
    originals = [
        device.message("MP_ClientRegistration", device.registration(), signed=False),
        device.message("MP_PolicyManager", device.assignments_request()),
        device.message("MP_LocationManager", SITE_INFORMATION, signed=False),
        device.message("MP_DdrEndpoint", device.report()),
    ]
    for number in range(400):
        content_type, body = originals[number % len(originals)]
        changed = bytearray(body)
        for _ in range(chance.randint(1, 4)):
            position = chance.randrange(len(changed))
            match chance.randrange(3):
                case 0:
                    changed[position] = chance.randrange(256)
                case 1:
                    del changed[position : position + chance.randint(1, 40)]
                case _:
                    changed[position:position] = changed[: chance.randint(1, 40)]

        answer = device.post(bytes(changed), content_type)

        assert answer.status_code in {200, 400, 413}, answer.status_code
    assert "Traceback" not in shared_site.log.read_text()


def test_many_large_messages_at_once_stay_in_bounded_memory(shared_site: RunningSite) -> None:
    before = resident(shared_site)
    size = 7 * MIB
    head = f"CCM_POST /ccm_system_altauth/request HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode()

    def send(_: int) -> bytes:
        with raw.connect(shared_site) as connection:
            connection.sendall(head + bytes(size))
            return connection.recv(65536)

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(send, range(100)))

    lines = {raw.status_line(answer) for answer in answers}
    assert "HTTP/1.1 400 Messaging_BadMultipart" in lines
    assert lines <= {"HTTP/1.1 400 Messaging_BadMultipart", "HTTP/1.1 503 Site_Busy"}
    assert resident(shared_site) - before < 500 * MIB


def test_a_range_outside_the_payload_is_refused(shared_site: RunningSite, device: Client) -> None:
    content_type, body = device.message("MP_LocationManager", SITE_INFORMATION, signed=False)
    body = body.replace(utf16('Offset="0"'), utf16('Offset="9"'))

    assert device.post(body, content_type).reason == "Messaging_BadByteRange"


@pytest.mark.parametrize("endpoint", ["MP_NoSuchEndpoint", "", "x" * 1500, "../../etc"])
def test_a_message_for_an_endpoint_that_is_none_gets_an_empty_answer(
    shared_site: RunningSite, device: Client, endpoint: str
) -> None:
    answer = device.send(endpoint, "<x/>", signed=False)

    assert (answer.status_code, answer.content) == (200, b"")
    assert last_word(shared_site) == "MP_EndpointUnknown"


def test_a_request_that_never_ends_is_cut_off(new_site: RunningSite) -> None:
    new_site.configure("server", request_timeout_s=0.5)
    with running(new_site):
        for start in (
            b"",
            b"GET /SMS_MP",
            b"CCM_POST /ccm_system_altauth/request HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx",
        ):
            with raw.connect(new_site) as connection:
                connection.sendall(start)
                with contextlib.suppress(ConnectionResetError, ssl.SSLError):
                    assert connection.recv(65536) == b""
        assert new_site.metric("causeway_site_refusals_total", word="Site_RequestTooSlow") == 2


def test_more_connections_than_allowed_are_answered_503(new_site: RunningSite) -> None:
    new_site.configure("server", max_connections=10)
    with running(new_site):
        idle = [raw.connect(new_site) for _ in range(12)]
        try:
            answer = raw.exchange(new_site, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert raw.status_line(answer).startswith("HTTP/1.1 503")
        finally:
            for connection in idle:
                connection.close()

        def served() -> bool:
            request = b"GET /SMS_MP/.sms_aut?MPLIST HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            return raw.status_line(raw.exchange(new_site, request)) == "HTTP/1.1 200 OK"

        wait_until(served)


def test_plain_bytes_on_the_tls_port_do_no_harm(shared_site: RunningSite) -> None:
    with socket.create_connection(("127.0.0.1", shared_site.port), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 10)
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(65536):
                pass
