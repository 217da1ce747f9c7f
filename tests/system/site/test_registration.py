import datetime
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.pki.authority import Authority
from causeway.pki.keys import new_rsa_key
from causeway.pki.roles import Role
from tests.system.processes import wait_until
from tests.system.site.running import RunningSite, running
from tests.system.site.third_party import Client, self_signed

MakeClient = Callable[..., Client]
ALTAUTH = "/ccm_system_altauth/request"


def names_of(site: RunningSite) -> list[str]:
    return [one["netbios_name"] for one in json.loads(site.cli("devices", "list", "--json").stdout)]


def test_a_known_key_keeps_its_identity_when_the_certificate_is_renewed(
    shared_site: RunningSite, client: MakeClient
) -> None:
    first = client(shared_site, system=ALTAUTH, name="RENEWED")
    first.register()
    second = client(shared_site, system=ALTAUTH, name="RENEWED", key=first.key, certificate=self_signed(first.key))

    second.register()

    assert second.smsid == first.smsid
    assert names_of(shared_site).count("RENEWED") == 1
    shown = json.loads(shared_site.cli("devices", "show", "RENEWED", "--json").stdout)
    assert second.certificate is not None
    serials = second.certificate.fingerprint(second.certificate.signature_hash_algorithm).hex()  # type: ignore[arg-type]
    assert {one["fingerprint"] for one in shown["certificates"]} == {serials}


def test_a_replayed_registration_changes_nothing(shared_site: RunningSite, client: MakeClient) -> None:
    device = client(shared_site, system=ALTAUTH, name="BEFORE")
    old = device.registration(timestamp="2026-01-01T00:00:00Z")
    first = device.ask("MP_ClientRegistration", old, signed=False)
    device.name = "AFTER"
    device.register()

    again = device.ask("MP_ClientRegistration", old, signed=False)

    assert again.get("SMSID") == first.get("SMSID") == device.smsid
    assert "BEFORE" not in names_of(shared_site)
    assert names_of(shared_site).count("AFTER") == 1


def test_a_registration_with_a_wrong_signature_is_not_accepted(shared_site: RunningSite, client: MakeClient) -> None:
    device = client(shared_site, system=ALTAUTH, name="FORGED")
    counted = shared_site.metric("causeway_site_refusals_total", word="Messaging_BadSignature")
    body = device.registration().replace('Value="FORGED"', 'Value="OTHER"')

    answer = device.send("MP_ClientRegistration", body, signed=False)

    assert (answer.status_code, answer.content) == (200, b"")
    assert {"FORGED", "OTHER"}.isdisjoint(names_of(shared_site))
    assert shared_site.metric("causeway_site_refusals_total", word="Messaging_BadSignature") == counted + 1
    (line,) = [one for one in shared_site.refusals() if one["request_id"] == answer.headers["X-Request-Id"]]
    assert line["word"] == "Messaging_BadSignature"
    assert line["address"] == "127.0.0.1"


def test_a_registration_with_an_expired_certificate_is_rejected(shared_site: RunningSite, client: MakeClient) -> None:
    device = client(shared_site, system=ALTAUTH)
    device.certificate = self_signed(device.key, days=-30)

    reply = device.register()

    assert reply.get("Status") == "3"
    assert shared_site.refusals()[-1]["word"] == "MP_CertificateUnusable"


def test_a_confirmation_of_an_unknown_device_tells_it_to_start_over(
    shared_site: RunningSite, client: MakeClient
) -> None:
    device = client(shared_site, system=ALTAUTH)
    device.smsid = "GUID:11111111-2222-3333-4444-555555555555"

    assert device.register("Confirmation").get("Status") == "2"


def test_a_client_may_register_with_another_id_than_its_own_but_does_not_get_it(
    shared_site: RunningSite, client: MakeClient
) -> None:
    victim = client(shared_site, tls=shared_site.certificate("victim"), name="VICTIM")
    victim.register()
    thief = client(shared_site, system=ALTAUTH, name="THIEF")
    thief.smsid = victim.smsid

    thief.register()

    assert thief.smsid != victim.smsid
    thief.smsid = victim.smsid
    assert thief.send("MP_PolicyManager", thief.assignments_request()).content == b""
    assert shared_site.refusals()[-1]["word"] == "Messaging_BadSignature"


def test_a_blocked_device_is_rejected_and_its_certificate_too(shared_site: RunningSite, client: MakeClient) -> None:
    device = client(shared_site, tls=shared_site.certificate("lost"), name="LOST")
    device.register()

    shared_site.cli("devices", "block", "LOST", "--reason", "stolen")

    wait_until(lambda: device.get("/SMS_MP/.sms_aut?MPLIST").reason == "MP_CertificateBlocked")
    assert json.loads(shared_site.cli("certificates", "list", "--json").stdout)
    inside = client(shared_site, system=ALTAUTH, name="LOST", key=device.key, certificate=device.certificate)
    assert inside.register().get("Status") == "3"
    inside.smsid = device.smsid
    assert inside.send("MP_PolicyManager", inside.assignments_request()).content == b""

    shared_site.cli("devices", "unblock", "LOST")

    # A running site notices within a second what a command did.
    wait_until(lambda: device.get("/SMS_MP/.sms_aut?MPLIST").status_code == 200)
    assert device.register().get("Status") == "0"
    assert json.loads(shared_site.cli("certificates", "list", "--json").stdout) == []


def test_a_removed_device_may_come_back_as_a_new_one(shared_site: RunningSite, client: MakeClient) -> None:
    device = client(shared_site, system=ALTAUTH, name="GONE")
    device.register()
    before = device.smsid

    shared_site.cli("devices", "remove", "GONE")

    assert device.send("MP_PolicyManager", device.assignments_request()).content == b""
    device.register()
    assert device.smsid != before


def test_ccm_system_wants_a_client_certificate_and_says_so(shared_site: RunningSite, client: MakeClient) -> None:
    device = client(shared_site)

    answer = device.send("MP_ClientRegistration", device.registration(), signed=False)

    assert (answer.status_code, answer.reason) == (403, "Client certificate required")


def test_a_certificate_of_another_authority_does_not_get_through_the_handshake(
    shared_site: RunningSite, client: MakeClient, tmp_path: Path
) -> None:
    stranger = Authority.create(tmp_path / "ca", "Test authority")
    stranger.issue_client("pc", new_rsa_key(), Role.DEVICE).write(tmp_path / "c.pem", tmp_path / "c.key")
    device = client(shared_site, tls=(tmp_path / "c.pem", tmp_path / "c.key"))

    counted = shared_site.metric("causeway_site_refusals_total", word="Site_HandshakeFailed")
    with pytest.raises(requests.ConnectionError):
        device.register()

    assert shared_site.metric("causeway_site_refusals_total", word="Site_HandshakeFailed") > counted
    line = shared_site.refusals()[-1]
    assert line["word"] == "Site_HandshakeFailed"
    assert line["reason"]


def test_an_expired_certificate_does_not_get_through_the_handshake(
    shared_site: RunningSite, client: MakeClient, tmp_path: Path
) -> None:
    expired = shared_site.authority.issue_client("pc", new_rsa_key(), Role.DEVICE, lifetime=datetime.timedelta(days=-1))
    expired.write(tmp_path / "c.pem", tmp_path / "c.key")
    device = client(shared_site, tls=(tmp_path / "c.pem", tmp_path / "c.key"))

    with pytest.raises(requests.ConnectionError):
        device.register()

    wait_until(lambda: shared_site.refusals()[-1]["word"] == "Site_HandshakeFailed")
    assert "expired" in shared_site.refusals()[-1]["reason"]


def test_headers_about_a_certificate_count_only_from_a_connection_point(
    shared_site: RunningSite, client: MakeClient
) -> None:
    claim = {
        "X-Forwarded-Client-Cert": f'Hash={"ab" * 32};Subject="CN=PC behind a gateway"',
        "X-Forwarded-For": "198.51.100.7",
        "X-Request-Id": "from-the-gateway",
    }
    liar = client(shared_site, system=ALTAUTH, name="LIAR")
    liar.session.headers.update(claim)
    assert liar.register().get("Status") == "1"

    point = shared_site.certificate("point", Role.CONNECTION_POINT)
    vouched = client(shared_site, tls=point, name="VOUCHED")
    vouched.session.headers.update(claim)
    assert vouched.register().get("Status") == "0"
    shown = json.loads(shared_site.cli("devices", "show", "VOUCHED", "--json").stdout)
    assert "CN=PC behind a gateway" in shown["approval_reason"]

    alone = client(shared_site, tls=point)
    answer = alone.send("MP_ClientRegistration", alone.registration(), signed=False)
    assert (answer.status_code, answer.reason) == (403, "Client certificate required")
    behind = client(shared_site, tls=point, system=ALTAUTH, name="BEHIND")
    behind.session.headers["X-Request-Id"] = "from-the-gateway"
    answer = behind.send("MP_ClientRegistration", behind.registration(), signed=False)
    assert answer.headers["X-Request-Id"] == "from-the-gateway"
    assert json.loads(shared_site.cli("devices", "show", "BEHIND", "--json").stdout)["approval"] == "pending"


@pytest.mark.parametrize(("approval", "with_certificate", "without"), [("manual", "1", "1"), ("all", "0", "0")])
def test_the_site_decides_who_is_approved_at_once(
    new_site: RunningSite, client: MakeClient, approval: str, with_certificate: str, without: str
) -> None:
    new_site.configure("management_point", approval=approval)
    with running(new_site):
        assert client(new_site, tls=new_site.certificate("pc")).register().get("Status") == with_certificate
        assert client(new_site, system=ALTAUTH).register().get("Status") == without


def test_a_registered_certificate_of_a_trusted_root_approves_without_tls_certificate(
    shared_site: RunningSite, client: MakeClient
) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    certificate, key = shared_site.certificate("pki")
    private = load_pem_private_key(key.read_bytes(), None)
    device = client(
        shared_site,
        system=ALTAUTH,
        key=private,
        certificate=x509.load_pem_x509_certificate(certificate.read_bytes()),
    )

    assert device.register().get("Status") == "0"


def test_newcomers_are_refused_while_too_many_wait(new_site: RunningSite, client: MakeClient) -> None:
    new_site.configure("management_point", max_pending_devices=2)
    with running(new_site):
        first, second, third = (client(new_site, system=ALTAUTH) for _ in range(3))
        assert first.register().get("Status") == "1"
        assert second.register().get("Status") == "1"

        assert third.register().get("Status") == "3"
        assert new_site.refusals()[-1]["word"] == "MP_TooManyPending"

        assert first.register().get("Status") == "1"
        new_site.cli("devices", "approve", first.smsid)
        assert third.register().get("Status") == "1"


def test_altauth_can_be_turned_off(new_site: RunningSite, client: MakeClient) -> None:
    new_site.configure("management_point", altauth=False)
    with running(new_site):
        answer = client(new_site, system=ALTAUTH).send("MP_ClientRegistration", "<x/>", signed=False)
        assert answer.status_code == 404


def test_the_same_registration_by_two_clients_at_once_makes_one_device(site: RunningSite, client: MakeClient) -> None:
    from concurrent.futures import ThreadPoolExecutor

    first = client(site, system=ALTAUTH, name="TWICE")
    clients = [first, *(client(site, system=ALTAUTH, name="TWICE", key=first.key) for _ in range(7))]

    with ThreadPoolExecutor(len(clients)) as pool:
        identities = set(pool.map(lambda one: one.register().get("SMSID"), clients))

    assert len(identities) == 1
    assert len(json.loads(site.cli("devices", "list", "--json").stdout)) == 1
    assert re.fullmatch(r"GUID:[0-9A-F-]{36}", identities.pop() or "")


def test_a_name_meant_to_harm_the_operators_screen_is_only_a_name(shared_site: RunningSite, client: MakeClient) -> None:
    device = client(shared_site, system=ALTAUTH, name="[/red]\x9b2J\u202e")
    device.register()

    listed = shared_site.cli("devices", "list").stdout
    shown = shared_site.cli("devices", "show", device.smsid).stdout

    for text in (listed, shown):
        assert "[/red]" in text
        assert {"\x9b", "\u202e"}.isdisjoint(text)


def test_the_certificates_in_a_registration_are_kept_as_sent(shared_site: RunningSite, client: MakeClient) -> None:
    device = client(shared_site, system=ALTAUTH, name="KEPT")
    device.register()

    shown = json.loads(shared_site.cli("devices", "show", "KEPT", "--json").stdout)

    assert device.certificate is not None
    assert device.certificate.public_bytes(Encoding.DER)
    assert {one["use"] for one in shown["certificates"]} == {"signing", "encryption"}
    assert {one["subject"] for one in shown["certificates"]} == {"CN=ConfigMgr Client"}
