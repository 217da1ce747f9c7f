"""What is blocked is refused at the management point itself, however a device shows who it is."""

import hashlib
import json
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from causeway.identity.jwt import read_token
from causeway.pki.roles import Role
from tests.system.processes import wait_until
from tests.system.site.by_token import new_bulk_token, registered
from tests.system.site.running import RunningSite
from tests.system.site.third_party import Client, self_signed

MakeClient = Callable[..., Client]
ALTAUTH = "/ccm_system_altauth/request"


def fingerprint(site: RunningSite, name: str) -> str:
    return x509.load_pem_x509_certificate(site.certificate(name)[0].read_bytes()).fingerprint(SHA256()).hex()


def listed(site: RunningSite) -> set[str]:
    return {one["fingerprint"] for one in json.loads(site.cli("certificates", "list", "--json").stdout)}


def is_let_in(client: Client) -> bool:
    answer = client.send("MP_PolicyManager", client.assignments_request())
    return answer.status_code == 200 and answer.content != b""


def refusal(client: Client) -> str:
    """The reason phrase of a refusal, or nothing: of messages, some are refused with an empty answer."""
    answer = client.send("MP_PolicyManager", client.assignments_request())
    return answer.reason if answer.status_code != 200 else "empty" if not answer.content else ""


def test_the_tls_certificate_of_a_device_is_blocked_with_it_and_so_is_one_that_it_shows_later(
    shared_site: RunningSite, client: MakeClient
) -> None:
    device = client(shared_site, tls=shared_site.certificate("tls-1"), name="SHOWN")
    assert device.register().get("Status") == "0"
    assert device.certificate is not None
    own = device.certificate.fingerprint(SHA256()).hex()

    shared_site.cli("devices", "block", device.smsid)

    assert listed(shared_site) == {own, fingerprint(shared_site, "tls-1")}
    shown = json.loads(shared_site.cli("devices", "show", device.smsid, "--json").stdout)["credentials"]
    assert [(one["kind"], one["value"]) for one in shown] == [("tls-certificate", fingerprint(shared_site, "tls-1"))]
    assert fingerprint(shared_site, "tls-1") in shared_site.cli("devices", "show", device.smsid).stdout
    wait_until(lambda: refusal(device) == "MP_CertificateBlocked")
    again = client(shared_site, tls=shared_site.certificate("tls-2"), key=device.key, certificate=device.certificate)
    again.smsid = device.smsid
    assert refusal(again) == "empty"
    wait_until(lambda: refusal(again) == "MP_CertificateBlocked")
    told = shared_site.cli("certificates", "unblock", fingerprint(shared_site, "tls-2"), check=False)
    assert (told.returncode, device.smsid in told.stderr) == (2, True)

    shared_site.cli("devices", "unblock", device.smsid)

    wait_until(lambda: is_let_in(device) and is_let_in(again))
    assert listed(shared_site) == set()


def test_a_device_is_after_its_block_what_it_was_before(shared_site: RunningSite, client: MakeClient) -> None:
    waits = client(shared_site, system=ALTAUTH, name="WAITS")
    assert waits.register().get("Status") == "1"
    shared_site.cli("devices", "block", "WAITS")
    wrong = [("approve", "WAITS"), ("remove", "WAITS")]
    assert [shared_site.cli("devices", *each, check=False).returncode for each in wrong] == [2, 2]
    assert waits.register().get("Status") == "3"
    assert "waits for approval" in shared_site.cli("devices", "unblock", "WAITS").stdout
    assert shared_site.cli("devices", "unblock", "WAITS", check=False).returncode == 2
    # A running site notices within a second that its certificate is not blocked any more.
    wait_until(lambda: waits.register("Confirmation").get("Status") == "1")
    shared_site.cli("devices", "approve", "WAITS")
    (device,) = json.loads(shared_site.cli("devices", "list", "--approval", "approved", "--json").stdout)[-1:]
    shared_site.cli("devices", "block", "WAITS")
    assert waits.certificate is not None
    registered_with = waits.certificate.fingerprint(SHA256()).hex()
    shared_site.cli("certificates", "block", registered_with)
    told = shared_site.cli("devices", "unblock", "WAITS").stdout
    assert "still refused" in told
    assert registered_with in told
    shared_site.cli("certificates", "unblock", registered_with)
    shown = json.loads(shared_site.cli("devices", "show", "WAITS", "--json").stdout)
    assert (shown["approval"], shown["approval_reason"]) == ("approved", device["approval_reason"])


def test_a_registered_certificate_is_blocked_by_the_thumbprint_that_windows_shows(
    shared_site: RunningSite, client: MakeClient
) -> None:
    device = client(shared_site, tls=shared_site.certificate("thumbprint"), name="THUMBPRINT")
    assert device.register().get("Status") == "0"
    assert device.certificate is not None
    copied = "\u200e" + device.certificate.fingerprint(SHA1()).hex(" ").upper()
    shared_site.cli("certificates", "block", copied)
    wait_until(lambda: device.register("Confirmation").get("Status") == "3")
    shared_site.cli("certificates", "unblock", copied)
    wait_until(lambda: device.register("Confirmation").get("Status") == "0")
    unknown = shared_site.cli("certificates", "block", "ab" * 20, check=False)
    assert (unknown.returncode, "no device registered" in unknown.stderr) == (2, True)


def test_a_blocked_name_is_refused_by_whatever_it_is_known(shared_site: RunningSite, client: MakeClient) -> None:
    by_registration = client(shared_site, system=ALTAUTH, name="NAMED")
    by_registration.register()
    shared_site.cli("devices", "approve", "NAMED")
    by_certificate = client(shared_site, tls=shared_site.certificate("named"), name="ANOTHER")
    assert by_certificate.register().get("Status") == "0"
    point = client(shared_site, tls=shared_site.certificate("cp", Role.CONNECTION_POINT))
    vouched = {"X-Forwarded-Client-Cert": f'Hash={"5" * 64};Subject="CN=Named,O=Contoso"'}
    assert point.get("/SMS_MP/.sms_aut?MPLIST", headers=vouched).status_code == 200

    shared_site.cli("blocks", "add", "name", "Named")

    wait_until(lambda: refusal(by_certificate) == "MP_CertificateBlocked")
    assert point.get("/SMS_MP/.sms_aut?MPLIST", headers=vouched).reason == "MP_CertificateBlocked"
    assert point.get("/SMS_MP/.sms_aut?MPLIST").status_code == 200
    assert refusal(by_registration) == "empty"
    assert client(shared_site, system=ALTAUTH, name="NAMED").register().get("Status") == "3"
    assert by_registration.certificate is not None
    # Gateways are told of what such a device registered, too.
    assert by_registration.certificate.fingerprint(SHA256()).hex() in listed(shared_site)
    # Another name and another certificate for the same key do not make it another device.
    own = by_registration.certificate
    by_registration.name, by_registration.certificate = "RENAMED", self_signed(by_registration.key)
    assert by_registration.register().get("Status") == "3"
    assert shared_site.refusals()[-1]["word"] == "MP_DeviceBlocked"
    by_registration.certificate = own

    shared_site.cli("blocks", "remove", "name", "named")

    by_registration.smsid = json.loads(shared_site.cli("devices", "show", "NAMED", "--json").stdout)["smsid"]
    wait_until(lambda: is_let_in(by_certificate) and is_let_in(by_registration))


def test_one_token_is_blocked_by_its_id_or_by_its_hash_and_a_key_is_withdrawn_and_restored(
    shared_site: RunningSite, client: MakeClient
) -> None:
    bulk_id, bulk = new_bulk_token(shared_site)
    device = registered(shared_site, bulk, name="BYTOKEN")
    text = str(device.session.headers["Authorization"]).removeprefix("Bearer ")
    for value in (str(read_token(text.encode()).claims["UniqueId"]), hashlib.sha256(text.encode()).hexdigest()):
        assert is_let_in(device)
        shared_site.cli("blocks", "add", "token", value.upper())
        wait_until(lambda: not is_let_in(device))
        shared_site.cli("blocks", "remove", "token", value)
        wait_until(lambda: is_let_in(device))
    wrong = [("token", bulk_id), ("token", "x"), ("device", device.smsid), ("device", "ä")]
    assert [shared_site.cli("blocks", "add", *each, check=False).returncode for each in wrong] == [2, 2, 2, 2]

    key = read_token(text.encode()).key_id
    shared_site.causeway("token", "keys", "withdraw", key)
    wait_until(lambda: refusal(device) == "MP_SiteTokenWrong")
    shared_site.causeway("token", "keys", "restore", key[:8])
    wait_until(lambda: is_let_in(device))
    device.close()


def test_one_list_has_all_that_is_blocked_and_its_commands_take_every_block_away(
    site: RunningSite, client: MakeClient
) -> None:
    device = client(site, tls=site.certificate("listed"), name="LISTED")
    assert device.register().get("Status") == "0"
    bulk, _ = new_bulk_token(site, "--note", "summer")
    keys = json.loads(site.causeway("token", "keys", "list", "--json").stdout)
    tenant, other = "aaaaaaaa-0000-0000-0000-000000000001", "bbbbbbbb-0000-0000-0000-000000000002"
    site.cli("devices", "block", device.smsid, "--reason", "stolen")
    site.cli("certificates", "block", "ab" * 32, "--reason", "lost key")
    for kind, value in (("name", "my laptop"), ("device", other), ("token", "cd" * 32), ("tenant", tenant)):
        site.cli("blocks", "add", kind, value, "--reason", f"why {kind}")
    site.causeway("token", "block", bulk, "--reason", "leaked")
    site.causeway("token", "keys", "withdraw", keys[0]["id"], "--reason", "copied")

    found = json.loads(site.cli("blocks", "list", "--json").stdout)

    assert [(one["kind"], one["value"], one["called"], one["reason"]) for one in found] == [
        ("registered-device", device.smsid, "LISTED", "stolen"),
        ("device", other, "", "why device"),
        ("certificate", "ab" * 32, "", "lost key"),
        ("name", "my laptop", "", "why name"),
        ("bulk-token", bulk, "summer", "leaked"),
        ("token", "cd" * 32, "", "why token"),
        ("tenant", tenant, "", "why tenant"),
        ("key", keys[0]["id"], "", "copied"),
    ]
    now = datetime.now(UTC)
    assert all(now - timedelta(minutes=5) < datetime.fromisoformat(one["blocked_at"]) <= now for one in found)
    table = site.cli("blocks", "list").stdout
    assert all(one["kind"] in table for one in found)
    for one in found:
        program, *arguments = shlex.split(one["unblock"])
        assert program == "causeway"
        site.causeway(*arguments)
    assert json.loads(site.cli("blocks", "list", "--json").stdout) == []
    assert site.cli("blocks", "list").stdout == "Nothing is blocked.\n"


def test_a_removed_device_is_in_the_list_until_its_tokens_have_ended(site: RunningSite, client: MakeClient) -> None:
    device = client(site, tls=site.certificate("removed"), name="REMOVED")
    assert device.register().get("Status") == "0"
    site.cli("devices", "remove", device.smsid)
    (one,) = json.loads(site.cli("blocks", "list", "--json").stdout)
    assert (one["kind"], one["value"], one["unblock"]) == ("removed-device", device.smsid, "")
    assert datetime.fromisoformat(one["ends_at"]) > datetime.now(UTC)
    assert "ends by itself" in " ".join(site.cli("blocks", "list").stdout.split())
