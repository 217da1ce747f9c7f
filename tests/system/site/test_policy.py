import binascii
import datetime
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.system.processes import free_ports, wait_until
from tests.system.site import raw
from tests.system.site.running import RunningSite, running
from tests.system.site.third_party import Client, locations, sign, utf16

MakeClient = Callable[..., Client]


@pytest.fixture
def device(shared_site: RunningSite, client: MakeClient) -> Client:
    """A registered and approved device."""
    device = client(shared_site, tls=shared_site.certificate("pc"))
    assert device.register().get("Status") == "0"
    return device


@pytest.fixture
def account(device: Client) -> str:
    """The query of a secret policy that the device has."""
    return locations(device.assignments())["NAAConfig"]


def cookie_of(reply: ET.Element) -> str:
    return reply.findtext("ServerCookie") or ""


def moment(offset_s: float = 0) -> str:
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=offset_s)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_with_the_last_cookie_a_device_gets_what_changed(site: RunningSite, client: MakeClient) -> None:
    device = client(site, tls=site.certificate("pc"))
    device.register()
    cookie = cookie_of(device.assignments())

    nothing = device.assignments(cookie)
    assert (nothing.get("ReplyType"), locations(nothing)) == ("Delta", {})
    assert cookie_of(nothing) == cookie

    site.configure("client_settings", heartbeat_minutes=42)
    site.reload()
    wait_until(lambda: bool(locations(device.assignments(cookie))))
    changed = device.assignments(cookie)
    assert (changed.get("ReplyType"), set(locations(changed))) == ("Delta", {"ClientSettings"})
    assert locations(changed)["ClientSettings"].endswith(".2_00")
    assert "42" in device.policy(locations(changed)["ClientSettings"]).content.decode("utf-16")
    assert locations(device.assignments(cookie_of(changed))) == {}


@pytest.mark.parametrize(("cookie", "request_type"), [("", "Always"), ("made-up", "Always"), ("real", "Full")])
def test_without_a_good_cookie_a_device_gets_everything(device: Client, cookie: str, request_type: str) -> None:
    if cookie == "real":
        cookie = cookie_of(device.assignments())

    reply = device.assignments(cookie, request_type)

    assert (reply.get("ReplyType"), set(locations(reply))) == ("Full", {"ClientSettings", "NAAConfig"})


def test_a_device_does_not_get_the_policy_of_another(
    shared_site: RunningSite, client: MakeClient, device: Client
) -> None:
    other = client(shared_site, tls=shared_site.certificate("pc"))
    other.register()

    answer = device.send("MP_PolicyManager", other.assignments_request())

    assert answer.content == b""
    assert shared_site.refusals()[-1]["word"] == "MP_IdentityMismatch"


def test_a_request_changed_on_the_way_is_not_accepted(shared_site: RunningSite, device: Client) -> None:
    answer = device.send("MP_PolicyManager", device.assignments_request(), tamper=True)

    assert (answer.status_code, answer.content) == (200, b"")
    assert shared_site.refusals()[-1]["word"] == "Messaging_BadSignature"


def test_a_token_in_the_hook_is_enough_to_ask_for_policy(device: Client) -> None:
    reply = device.ask("MP_PolicyManager", device.assignments_request(), hook=device.token_hook())

    assert reply.get("ReplyType") == "Full"
    old = device.token_hook(moment=moment(-7200))
    assert device.send("MP_PolicyManager", device.assignments_request(), hook=old).content == b""


def test_braces_in_the_query_may_be_raw_or_encoded(shared_site: RunningSite, device: Client) -> None:
    query = locations(device.assignments())["ClientSettings"]
    assert query.startswith("{")
    encoded = query.replace("{", "%7B").replace("}", "%7d")

    answers = [
        raw.exchange(
            shared_site,
            f"GET /sms_mp/.SMS_POL?{one} HTTP/1.1\r\nHost: mp\r\nConnection: close\r\n\r\n".encode(),
        )
        for one in (query, encoded)
    ]

    for answer in answers:
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK")
        assert "PolicyRule" in body.decode("utf-16")


def test_a_body_has_the_hash_that_its_assignment_names(device: Client) -> None:
    import hashlib

    location = next(device.assignments().iter("PolicyLocation"))

    body = device.policy(str(location.text).partition("?")[2]).content

    assert location.get("PolicyHashEx") == "SHA256:" + hashlib.sha256(body).hexdigest().upper()


@pytest.mark.parametrize("query", ["", "{no-such-policy}.1_00", "x", "{..}.9_99", "%00", "a" * 3000])
def test_a_policy_that_is_none_is_not_found(device: Client, query: str) -> None:
    assert device.policy(query).status_code == 404


def test_a_token_of_a_second_beside_or_without_its_nul_is_taken(device: Client, account: str) -> None:
    earlier = device.token_headers(moment=moment(), signed_moment=moment(-1))
    assert device.policy(account, headers=earlier).status_code == 200

    token = f"{device.smsid};{moment(-3)};2"
    bare = {"ClientToken": token, "ClientTokenSignature": sign(device.key, utf16(token))}
    assert device.policy(account, headers=bare).status_code == 200

    braces = "{" + device.smsid.removeprefix("GUID:") + "}"
    token = f"{braces};{moment(-5)};2"
    spelled = {"ClientToken": token, "ClientTokenSignature": sign(device.key, utf16(token) + b"\0\0")}
    assert device.policy(account, headers=spelled).status_code == 200


def test_the_older_headers_of_media_are_taken(device: Client, account: str) -> None:
    at = moment()
    headers = {
        "CCMClientID": device.smsid,
        "CCMClientIDSignature": sign(device.key, utf16(device.smsid) + b"\0\0"),
        "CCMClientTimestamp": at,
        "CCMClientTimestampSignature": sign(device.key, utf16(at) + b"\0\0"),
    }

    assert device.policy(account, headers=headers).status_code == 200
    assert device.policy(account, headers={**headers, "CCMClientTimestamp": moment(60)}).status_code == 403


@pytest.mark.parametrize(
    ("offset_s", "signed_offset_s", "word"),
    [(-3600, -3600, "MP_TokenExpired"), (3600, 3600, "MP_TokenExpired"), (0, -30, "MP_TokenWrong")],
)
def test_a_token_that_does_not_hold_is_refused(
    shared_site: RunningSite, device: Client, account: str, offset_s: int, signed_offset_s: int, word: str
) -> None:
    headers = device.token_headers(moment=moment(offset_s), signed_moment=moment(signed_offset_s))

    answer = device.policy(account, headers=headers)

    assert (answer.status_code, answer.reason) == (403, word)
    assert shared_site.refusals()[-1]["word"] == word


def test_a_protected_policy_without_a_token_is_refused(shared_site: RunningSite, device: Client, account: str) -> None:
    assert device.policy(account, headers={}).status_code == 403
    assert shared_site.refusals()[-1]["word"] == "MP_TokenMissing"


@pytest.mark.parametrize("token", ["", ";;", "GUID:x;now;2", "x" * 5000, "\u00e9;2026-11-23T00:00:00Z;2"])
def test_a_malformed_token_is_refused(device: Client, account: str, token: str) -> None:
    headers = {"ClientToken": token.encode("latin-1"), "ClientTokenSignature": b"AB"}

    assert device.policy(account, headers=headers).status_code == 403  # type: ignore[arg-type]


def test_another_devices_token_does_not_open_a_policy(
    shared_site: RunningSite, client: MakeClient, device: Client, account: str
) -> None:
    pending = client(shared_site, system="/ccm_system_altauth/request")
    pending.register()
    assert device.policy(account, headers=pending.token_headers()).status_code == 403
    assert shared_site.refusals()[-1]["word"] == "MP_DevicePending"

    pending.smsid = device.smsid
    assert device.policy(account, headers=pending.token_headers()).status_code == 403


def test_a_replayed_token_is_refused(new_site: RunningSite, client: MakeClient) -> None:
    new_site.configure("management_point", token_reuse_s=0)
    with running(new_site):
        device = client(new_site, tls=new_site.certificate("pc"))
        device.register()
        account = locations(device.assignments())["NAAConfig"]
        headers = device.token_headers()
        assert device.policy(account, headers=headers).status_code == 200

        again = device.policy(account, headers=headers)
        beside = device.token_headers(moment=moment(1), signed_moment=headers["ClientToken"].split(";")[1])

        assert (again.status_code, again.reason) == (403, "MP_TokenReplayed")
        assert device.policy(account, headers=beside).reason in {"MP_TokenReplayed", "MP_TokenWrong"}


@pytest.mark.parametrize("cipher", ["aes256-cbc", "des-ede3-cbc"])
def test_over_plain_http_a_secret_policy_is_encrypted_to_the_device(
    new_site: RunningSite, client: MakeClient, tmp_path: Path, cipher: str
) -> None:
    http_port = free_ports()
    new_site.configure("server", http_port=http_port)
    new_site.configure("management_point", approval="all", policy_body_encryption=cipher)
    with running(new_site):
        device = client(new_site, url=f"http://127.0.0.1:{http_port}")
        device.register()
        where = locations(device.assignments())
        assert device.policy(where["ClientSettings"], headers={}).content.decode("utf-16").startswith("<Policy")
        sealed = device.policy(where["NAAConfig"]).content

    assert device.certificate is not None
    key = device.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "both.pem").write_bytes(key + device.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "sealed").write_bytes(sealed)
    opened = subprocess.run(
        ["openssl", "cms", "-decrypt", "-inform", "DER", "-in", "sealed", "-inkey", "both.pem", "-recip", "both.pem"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert "CCM_NetworkAccessAccount" in opened.stdout.decode("utf-16")


def test_policies_can_be_sent_compressed(new_site: RunningSite, client: MakeClient) -> None:
    new_site.configure("management_point", compress_policies=True)
    with running(new_site):
        device = client(new_site, tls=new_site.certificate("pc"))
        device.register()
        reply = device.assignments()
        where = locations(reply)
        body = ET.fromstring(device.policy(where["ClientSettings"]).content.decode("utf-16"))

    assert {policy.get("PolicyFlags") for policy in reply.iter("Policy")} == {"64", "70"}
    assert body.get("Compression") == "zlib"
    assert zlib.decompress(binascii.unhexlify(str(body.text))).decode("utf-16").startswith("<Policy ")
