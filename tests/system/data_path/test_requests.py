"""What passes through gateway, tunnel and connection point, byte for byte, and what of it changes."""

import hashlib
import json
import ssl
import subprocess
import threading
from typing import Any

import httpx
import pytest
import requests

from tests.system.data_path.client import Answer
from tests.system.data_path.path import MUTUAL, ROLE_ID, SERVER, DataPath
from tests.system.origin import Exchange


def told(answer: Answer) -> dict[str, Any]:
    """What the origin says it was asked."""
    assert (answer.status, answer.reason) == (200, "OK")
    seen: dict[str, Any] = json.loads(answer.body)
    return seen


def fields_of(answer: Answer) -> dict[str, str]:
    return {name.lower(): value for name, value in told(answer)["fields"]}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_of_tls_are_spoken(path: DataPath, version: ssl.TLSVersion) -> None:
    for pair in (None, path.device):
        with path.connect(pair, version=version) as client:
            assert client.socket.version() == version.name.replace("_", ".")
            assert client.ask("GET", "/app/x").status == 200


def test_older_versions_of_tls_are_not(path: DataPath) -> None:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{path.port}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode != 0
    assert "alert protocol version" in result.stderr


def test_a_certificate_is_asked_for_and_not_demanded(path: DataPath) -> None:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{path.port}"]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 0
    assert "No client certificate CA names sent" in result.stdout  # any of the client's certificates may be tried
    assert "Requested Signature Algorithms" in result.stdout


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "CCM_POST", "BITS_POST", "PROPFIND", "OPTIONS"])
def test_every_method_of_the_field_passes(path: DataPath, method: str) -> None:
    with path.connect() as client:
        seen = told(client.ask(method, "/app/ccm_system/request", body=b"<Msg/>"))
        assert (seen["method"], seen["body"]) == (method, "<Msg/>")


@pytest.mark.parametrize(
    "target",
    [
        "/SMS_MP/.sms_pol?{1b62f1d2-9a0c-4b5e-a6f1-000000000001}.1_00",
        "/SMS_MP/.sms_aut?SITESIGNCERT",
        "/SMS_MP/.sms_aut?MPLIST2&CM1",
        "/a/%7Bguid%7D/$metadata?$filter=a%20eq%20b&&x&=&%26",
        "/a//b///c",
        '/a?"quoted"<angled>|pipe^caret`tick\\backslash',
        "/a;v=1/b,c!'()*+@:~?/?/../..",
        "/percent%2525twice?%00%0d%0a",
        "",
        "?only=a&query",
        "/?",
    ],
)
def test_what_stands_behind_the_prefix_passes_byte_for_byte(path: DataPath, target: str) -> None:
    with path.connect() as client:
        seen = told(client.ask("GET", f"/aPp{target}"))
        assert seen["target"] == (target if target.startswith("/") else f"/{target}")


def test_the_prefix_is_matched_without_regard_to_case(path: DataPath) -> None:
    with path.connect(path.device) as client:
        for prefix in (MUTUAL, MUTUAL.upper(), MUTUAL.lower()):
            assert told(client.ask("GET", f"{prefix}/sms_mp/.SMS_aut?mpLIST"))["target"] == "/SMS_MP/.SMS_aut?mpLIST"


def test_the_metadata_is_answered_by_the_gateway_itself(path: DataPath) -> None:
    asked = len(path.origin.requests)
    with path.connect() as client:
        for prefix in ("/CCM_Proxy_MutualAuth", "/ccm_proxy_serverauth"):
            answer = client.ask("GET", f"{prefix}/ServiceMetadata?x")
            assert (answer.status, answer.header("Content-Type")) == (200, "application/json")
            metadata = json.loads(answer.body)
            assert metadata == {
                "ServiceName": "localhost",
                "SiteCode": "PS1",
                "SettingsVersion": path.settings.version,
            }
        assert client.ask("HEAD", "/CCM_Proxy_MutualAuth/ServiceMetadata").body == b""
        client.ask("GET", "/CCM_Proxy_MutualAuth/ServiceMetadata")
    assert len(path.origin.requests) == asked
    path.gateway.wait_for("request", endpoint="ServiceMetadata", status=200)


# Identity and hop-by-hop headers.


def test_a_site_system_learns_who_the_client_is(path: DataPath) -> None:
    with path.connect(path.device) as client:
        fields = fields_of(client.ask("GET", f"{MUTUAL}/SMS_MP/x"))
        certificate = ssl.PEM_cert_to_DER_cert(path.device.certificate.read_text())
        assert fields["x-forwarded-for"] == "127.0.0.1"
        assert fields["x-forwarded-proto"] == "https"
        assert fields["x-forwarded-host"] == "localhost"
        assert fields["host"] == f"localhost:{path.origin.port}"
        fingerprint = hashlib.sha256(certificate).hexdigest()
        assert fields["x-forwarded-client-cert"] == f'Hash={fingerprint};Subject="CN=PC1"'


FORGED = (
    "X-Forwarded-For: 10.0.0.1",
    'X-Forwarded-Client-Cert: Hash=00;Subject="CN=administrator"',
    "x_forwarded_client_cert: Hash=00",
    "X-Forwarded_Client-Cert: Hash=00",
    "X-Causeway-Identity: administrator",
    "X-ARR-ClientCert: MIIB",
    "X-Client-Verify: SUCCESS",
    "X-SSL-Client-S-DN: CN=administrator",
    "Forwarded: for=10.0.0.1",
    "X-Real-IP: 10.0.0.1",
    "X-Request-Id: 00000000000000000000",
    "Content_Length: 5",
    "Transfer_Encoding: chunked",
)


def test_forged_identity_headers_never_arrive_and_are_logged_and_counted(path: DataPath) -> None:
    before = path.gateway.metric("causeway_gateway_forged_headers_total")
    for pair in (None, path.device):
        with path.connect(pair) as client:
            answer = client.ask("GET", "/app/x", *FORGED, "X-Honest: yes", "CCMClientID: GUID:1")
            fields = [(name.lower(), value) for name, value in told(answer)["fields"]]
            sent_names = {line.partition(":")[0].lower() for line in FORGED}
            ours = {"x-forwarded-for": "127.0.0.1", "x-request-id": answer.request_id}
            for name, value in fields:
                assert name not in sent_names or name in ours or name == "x-forwarded-client-cert"
                assert "administrator" not in value
                if name in ours:
                    assert value == ours[name]
            assert ("x-honest", "yes") in fields
            assert ("ccmclientid", "GUID:1") in fields
            assert [name for name, _ in fields].count("x-forwarded-client-cert") == (pair is not None)
    assert path.gateway.metric("causeway_gateway_forged_headers_total") == before + 2
    logged = path.gateway.wait_for("forged headers dropped", count=2)
    assert "x-arr-clientcert" in logged[-1]["headers"]


def test_hop_by_hop_headers_do_not_pass_either_way(path: DataPath) -> None:
    def handler(exchange: Exchange) -> None:
        hop = "Connection: X-Named\r\nX-Named: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\n"
        exchange.answer(b"x", head=hop + "X-Forwarded-For: 1\r\nX-Request-Id: 2\r\nTrailer: X\r\nX-Plain: 3\r\n")

    path.origin.on("/hops", handler)
    with path.connect() as client:
        answer = client.ask(
            "GET",
            "/app/hops",
            "Connection: keep-alive, X-Mine",
            "X-Mine: 1",
            "TE: trailers",
            "Keep-Alive: 5",
            "Proxy-Authorization: Basic eA==",
            "Upgrade: websocket",
            "X-Plain: 1",
        )
        names = {name.lower() for name, _ in path.origin.of("/hops")[-1].fields}
        assert not names & {"connection", "x-mine", "te", "keep-alive", "proxy-authorization", "upgrade"}
        assert "x-plain" in names
        names = {name.lower() for name, _ in answer.fields}
        assert names == {"content-length", "x-plain", "x-request-id"}
        assert answer.request_id == path.origin.of("/hops")[-1].header("X-Request-Id")


def test_one_request_id_is_in_the_logs_of_every_hop(path: DataPath) -> None:
    with path.connect() as client:
        answer = client.ask("GET", "/app/traced?secret=1")
    assert path.origin.of("/traced")[-1].header("X-Request-Id") == answer.request_id
    for part in (path.gateway, path.points["cp1"]):
        (logged,) = part.wait_for("request", request_id=answer.request_id)
        assert (logged["status"], logged["endpoint"], logged["client"]) == (200, "app", "127.0.0.1")
        assert logged["path"].endswith("/traced")
        assert "secret" not in json.dumps(logged)


# Answers.


@pytest.mark.parametrize(
    "status",
    [
        "200 Fine Indeed",
        "201 ",
        "403 CMGConnector_Unauthorized",
        "418 I'm a teapot",
        "500 Erreur interne \xe9",
        "599 x",
    ],
)
def test_status_and_reason_phrase_pass_as_they_are(path: DataPath, status: str) -> None:
    path.origin.on("/status", lambda exchange: exchange.answer(b"body", status=status))
    with path.connect() as client:
        answer = client.ask("GET", "/app/status")
        assert (f"{answer.status} {answer.reason}", answer.body) == (status, b"body")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_without_a_body_leaves_the_connection_usable(path: DataPath, status: str) -> None:
    def handler(exchange: Exchange) -> None:
        exchange.send(f'HTTP/1.1 {status}\r\nETag: "1"\r\n\r\n'.encode())

    path.origin.on("/nobody", handler)
    with path.connect() as client:
        for _ in range(2):
            answer = client.ask("GET", "/app/nobody")
            assert (f"{answer.status} {answer.reason}", answer.header("ETag")) == (status, '"1"')
            assert answer.header("Transfer-Encoding") is None
        assert client.ask("GET", "/app/x").status == 200


def test_a_head_request_has_a_length_and_no_body(path: DataPath) -> None:
    path.origin.on("/head", lambda exchange: exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"))
    path.origin.on("/chunks", lambda exchange: exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
    with path.connect() as client:
        answer = client.ask("HEAD", "/app/head")
        assert (answer.header("Content-Length"), answer.body) == ("1234", b"")
        assert client.ask("HEAD", "/app/chunks").status == 200
        assert client.ask("GET", "/app/x").status == 200


def test_an_answer_in_chunks_passes_with_its_trailers(path: DataPath) -> None:
    def handler(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n")
        exchange.send(b"5;ext=1\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Sum: 11\r\nX-Request-Id: forged\r\n\r\n")

    path.origin.on("/chunked", handler)
    with path.connect() as client:
        answer = client.ask("GET", "/app/chunked")
        assert (answer.body, answer.trailers) == (b"hello world", [("X-Sum", "11")])
        assert client.ask("GET", "/app/x").status == 200


def test_an_answer_that_ends_with_the_connection_is_whole(path: DataPath) -> None:
    def handler(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\ntill ")
        exchange.send(b"close")
        exchange.close()

    path.origin.on("/close", handler)
    with path.connect() as client:
        for _ in range(2):
            assert client.ask("GET", "/app/close").body == b"till close"


def test_an_answer_broken_off_is_seen_to_be_broken_off(path: DataPath) -> None:
    seen = threading.Event()

    def handler(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
        assert seen.wait(20)
        exchange.close()

    path.origin.on("/short", handler)
    with path.connect() as client:
        client.start("GET", "/app/short")
        assert client.head().header("Content-Length") == "1000"
        assert client.read(9) == b"only this"
        seen.set()
        assert client.wait_for_end() == b""
    path.gateway.wait_for("request", word="CMGConnector_SiteSystemClosed", status=200)


def test_events_arrive_before_the_answer_ends(path: DataPath) -> None:
    more = threading.Event()

    def handler(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        exchange.send(b"9\r\ndata: 1\n\n\r\n")
        assert more.wait(20)
        exchange.send(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    path.origin.on("/events", handler)
    with path.connect() as client:
        client.start("GET", "/app/events")
        assert client.head().header("Content-Type") == "text/event-stream"
        assert client.chunk() == b"data: 1\n\n"
        more.set()
        assert client.chunk() == b"data: 2\n\n"
        assert client.chunk() == b""


def test_a_client_of_http_1_0_gets_what_it_understands(path: DataPath) -> None:
    path.origin.on(
        "/ten",
        lambda exchange: exchange.send(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"
        ),
    )
    with path.connect() as client:
        answer = client.ask("GET", "/app/ten", version="1.0")
        assert (answer.header("Transfer-Encoding"), answer.header("Connection")) == (None, "close")
        assert answer.body == b"hello"
    with path.connect() as client:
        for _ in range(2):
            answer = client.ask("GET", "/app/x", "Connection: keep-alive", version="1.0")
            assert answer.header("Connection") == "keep-alive"
    with path.connect() as client:
        client.send(b"GET /app/x HTTP/1.0\r\n\r\n")
        assert client.answer().status == 200
        assert client.wait_for_end() == b""


def test_interim_answers_pass_and_the_final_one_follows(path: DataPath) -> None:
    def handler(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>\r\n\r\n")
        exchange.answer(b"x")

    path.origin.on("/hints", handler)
    with path.connect() as client:
        answer = client.ask("GET", "/app/hints")
        assert [(hint.status, hint.header("Link")) for hint in answer.interim] == [(103, "</x.css>")]
        assert answer.body == b"x"


# Bodies of requests.


def test_a_body_in_chunks_arrives_with_its_trailers(path: DataPath) -> None:
    with path.connect() as client:
        client.start("POST", "/app/x", "Transfer-Encoding: chunked", "Trailer: X-Sum")
        client.send(b"5;a=b\r\nhello\r\n")
        client.send(b"6\r\n world\r\n0\r\nX-Sum: 11\r\nX-Forwarded-For: 1\r\n\r\n")
        seen = told(client.answer())
        assert (seen["body"], seen["trailers"]) == ("hello world", [["X-Sum", "11"]])
        assert client.ask("GET", "/app/x").status == 200


def test_a_body_is_passed_on_as_it_comes(path: DataPath) -> None:
    arrived, rest = threading.Event(), threading.Event()

    def handler(exchange: Exchange) -> None:
        assert exchange.read(100) == b"first"
        arrived.set()
        assert rest.wait(20)
        assert exchange.read(100) == b"second"
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    path.origin.on("/stream", handler)
    with path.connect() as client:
        client.start("POST", "/app/stream", "Content-Length: 11")
        client.send(b"first")
        assert arrived.wait(20)
        client.send(b"second")
        rest.set()
        assert client.answer().status == 200


@pytest.mark.parametrize("framing", ["Content-Length: 5", "Transfer-Encoding: chunked"])
def test_a_client_that_expects_100_is_told_by_the_site_system(path: DataPath, framing: str) -> None:
    def handler(exchange: Exchange) -> None:
        assert exchange.request.header("Expect") == "100-continue"
        exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        exchange.answer(exchange.body())

    path.origin.on("/expect", handler)
    with path.connect() as client:
        client.start("POST", "/app/expect", framing, "Expect: 100-continue")
        line = client.read(len(b"HTTP/1.1 100 Continue\r\n\r\n"))
        assert line == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"hello" if "Length" in framing else b"5\r\nhello\r\n0\r\n\r\n")
        assert client.answer().body == b"hello"


def test_a_client_that_expects_100_may_be_told_no_at_once(path: DataPath) -> None:
    def handler(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 2\r\n\r\nno")

    path.origin.on("/refuses", handler)
    with path.connect() as client:
        client.start("POST", "/app/refuses", "Content-Length: 500000", "Expect: 100-continue")
        answer = client.answer()
        assert (answer.status, answer.interim, answer.body) == (401, [], b"no")
        assert answer.header("WWW-Authenticate") == "Negotiate"
        assert answer.header("Connection") == "close"
        assert client.wait_for_end() == b""


def test_an_early_answer_reaches_a_client_that_is_still_sending(path: DataPath) -> None:
    body = b"enough" * 50_000

    def handler(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 403 Enough\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    path.origin.on("/enough", handler)
    with path.connect() as client:
        client.start("POST", "/app/enough", "Content-Length: 100000000")
        client.send(bytes(200_000))
        answer = client.answer()
        assert (answer.status, answer.body, answer.header("Connection")) == (403, body, "close")


# Connections.


def test_a_pipeline_is_answered_in_order(path: DataPath) -> None:
    with path.connect() as client:
        lines = b"Host: localhost\r\n"
        client.send(
            b"".join(b"GET /app/%d HTTP/1.1\r\n%b\r\n" % (number, lines) for number in range(50))
            + b"GET /unpublished HTTP/1.1\r\n%b\r\n" % lines
            + b"POST /app/50 HTTP/1.1\r\n%bContent-Length: 5\r\n\r\nhello\r\n" % lines
            + b"GET /app/51 HTTP/1.1\r\n%bConnection: close\r\n\r\n" % lines
            + b"GET /app/52 HTTP/1.1\r\n%b\r\n" % lines
        )
        for number in range(50):
            assert told(client.answer())["target"] == f"/{number}"
        assert client.answer().reason == "CMGService_NotPublished"
        assert told(client.answer())["body"] == "hello"
        assert told(client.answer())["target"] == "/51"
        assert client.wait_for_end() == b""
    assert path.origin.of("/52") == []


def test_what_looks_like_a_request_in_a_body_is_a_body(path: DataPath) -> None:
    smuggled = b"GET /app/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with path.connect() as client:
        assert told(client.ask("POST", "/app/x", body=smuggled))["body"] == smuggled.decode()
        client.start("POST", "/unpublished", f"Content-Length: {len(smuggled)}")
        client.send(smuggled)
        assert client.answer().status == 404
        assert client.wait_for_end() == b""
    with path.connect() as client:
        client.start("POST", "/app/x", "Transfer-Encoding: chunked")
        client.send(b"zz\r\n" + smuggled)
        assert client.answer().status == 400
        assert client.wait_for_end() == b""
    assert path.origin.of("/smuggled") == []


def test_kept_connections_to_the_site_system_are_used_again(path: DataPath) -> None:
    with path.connect() as client:
        numbers = {told(client.ask("GET", "/app/x"))["connection"] for _ in range(20)}
    assert len(numbers) == 1


def test_a_request_that_may_be_repeated_survives_a_kept_connection_that_has_gone(path: DataPath) -> None:
    with path.connect() as client:
        first = told(client.ask("GET", "/app/x"))["connection"]
        path.origin.close_connections()
        second = told(client.ask("GET", "/app/x"))["connection"]
        assert second != first


def test_requests_of_many_clients_do_not_mix(path: DataPath) -> None:
    failures: list[str] = []

    def one(name: int) -> None:
        with path.connect() as client:
            for number in range(25):
                body = f"{name}-{number}".encode() * 100
                seen = told(client.ask("POST", f"/app/{name}/{number}", body=body))
                if (seen["target"], seen["body"]) != (f"/{name}/{number}", body.decode()):
                    failures.append(seen["target"])

    threads = [threading.Thread(target=one, args=(name,)) for name in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


# Other people's clients.


def test_requests_httpx_and_curl_are_served(path: DataPath) -> None:
    root = str(path.certificates.root)
    url = f"https://localhost:{path.port}{MUTUAL}/SMS_MP/.sms_aut?MPLIST"
    answer = requests.request("CCM_POST", url, data=b"<Msg/>", cert=path.device.both, verify=root, timeout=30)
    assert (answer.status_code, answer.json()["body"]) == (200, "<Msg/>")
    context = ssl.create_default_context(cafile=root)
    context.load_cert_chain(*path.device.both)
    with httpx.Client(verify=context, trust_env=False) as client:
        assert client.get(url).json()["target"] == "/SMS_MP/.sms_aut?MPLIST"
    command = [
        "curl",
        "-sS",
        "--globoff",
        "--cacert",
        root,
        "--cert",
        path.device.both[0],
        "--key",
        path.device.both[1],
    ]
    policy = url.replace(".sms_aut?MPLIST", ".sms_pol?{guid}.1_00")
    result = subprocess.run(
        [*command, "-X", "BITS_POST", "-d", "x", policy], capture_output=True, timeout=30, check=True
    )
    seen = json.loads(result.stdout)
    assert (seen["method"], seen["target"], seen["body"]) == ("BITS_POST", "/SMS_MP/.sms_pol?{guid}.1_00", "x")


def test_the_anonymous_prefix_serves_what_is_published_there_and_nothing_else(path: DataPath) -> None:
    with path.connect() as client:
        assert told(client.ask("GET", f"{SERVER}/SMS_MP/.sms_aut?MPLIST"))["target"] == "/SMS_MP/.sms_aut?MPLIST"
        assert client.ask("CCM_POST", f"{SERVER}/ccm_system_altauth/request", body=b"x").status == 404
    assert ROLE_ID in SERVER
