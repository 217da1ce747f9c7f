"""What is blocked is refused at the management point itself, however a device shows who it is."""

import hashlib
import json
from collections.abc import Callable

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
