import json
from collections.abc import Callable

import pytest

from tests.system.site.running import RunningSite, running
from tests.system.site.third_party import Client

MakeClient = Callable[..., Client]
INSTANCE = (
    '<Instance Content="New" Namespace="\\\\PC1\\root\\ccm" Class="CCM_Client" ParentClass="CCM_Client">'
    "<CCM_Client><Comment>{text}</Comment></CCM_Client></Instance>"
)
STATE = '<Property Name="FileType" Value="SMX" />'
STATUS = (
    '<Status SchemaVersion="1.00" LocaleID="1033" CodePage="437"><Type>Milestone</Type>'
    '<Properties><Property Name="MessageID">10020</Property></Properties><Qualifiers/></Status>'
)


@pytest.fixture
def device(shared_site: RunningSite, client: MakeClient) -> Client:
    device = client(shared_site, tls=shared_site.certificate("pc"))
    assert device.register().get("Status") == "0"
    return device


def shown(site: RunningSite, device: Client) -> dict[str, object]:
    facts: dict[str, object] = json.loads(site.cli("devices", "show", device.smsid, "--json").stdout)
    return facts


def kinds(site: RunningSite, device: Client) -> list[tuple[str, bool]]:
    reports = shown(site, device)["reports"]
    assert isinstance(reports, list)
    return [(one["kind"], one["verified"]) for one in reports]


def test_every_kind_of_report_is_kept_whole(site: RunningSite, client: MakeClient) -> None:
    device = client(site, tls=site.certificate("pc"))
    device.register()
    sent = {
        "heartbeat": (
            "MP_DdrEndpoint",
            device.report(action="3", body=INSTANCE.format(text="hb \u00e9\U0001f600")),
            "",
        ),
        "hardware-inventory": ("MP_HinvEndpoint", device.report(action="1", body=INSTANCE.format(text="hw")), ""),
        "software-inventory": ("MP_SinvEndpoint", device.report(action="2", body=INSTANCE.format(text="sw")), ""),
        "state": ("MP_RelayEndpoint", device.report("State Message Data", body=""), STATE),
        "status": ("StatusReceiver", STATUS, ""),
    }
    for endpoint, xml, properties in sent.values():
        answer = device.send(endpoint, xml, mode="Async", properties=properties)
        assert (answer.status_code, answer.content) == (200, b"")

    assert kinds(site, device) == [(kind, True) for kind in reversed(sent)]
    for kind, (_, xml, _) in sent.items():
        assert site.cli("devices", "report", device.smsid, kind).stdout == xml + "\n"
    facts = shown(site, device)
    assert facts["last_heartbeat_at"]
    assert facts["last_inventory_at"]


def test_a_heartbeat_in_an_attachment_is_kept_and_printed(shared_site: RunningSite, device: Client) -> None:
    import zlib

    from tests.system.site.third_party import utf16

    whole = device.report(body=INSTANCE.format(text="in the attachment"))
    body = utf16(device.report()) + b"\0\0"
    attachment = utf16(whole) + b"\0\0"
    payload = zlib.compress(body + attachment + b"\r\n")
    content_type, message = device.message("MP_DdrEndpoint", "<x/>", hook='<Hook3 Name="zlib-compress" />')
    header_start = message.index(b"\xff\xfe") + 2
    header_end = message.index(b"\r\n--", header_start)
    header = message[header_start:header_end].decode("utf-16-le")
    start = header.index('<Hook3 Name="zlib-compress" /><Hook3')
    header = header[:start] + header[start + len('<Hook3 Name="zlib-compress" />') :]
    header = header.replace("</Hooks>", device._client_auth(payload) + "</Hooks>")
    length_end = header.index('" Offset')
    header = header[: header.index('Length="') + 8] + str(len(body)) + header[length_end:]
    mark = f'<Attachment Type="ByteRange" Name="full" Length="{len(attachment)}" Offset="{len(body)}" />'
    header = header.replace("<Body ", mark + "<Body ", 1)
    second = message.index(b"octet-stream\r\n\r\n") + len(b"octet-stream\r\n\r\n")
    message = (
        message[:header_start]
        + utf16(header)
        + message[header_end:second]
        + payload
        + message[message.rindex(b"\r\n--") :]
    )

    answer = device.post(message, content_type)

    assert (answer.status_code, answer.reason, answer.content) == (200, "OK", b"")
    printed = shared_site.cli("devices", "report", device.smsid, "heartbeat").stdout
    assert printed == whole + "\n"


def test_the_same_report_twice_is_kept_once(shared_site: RunningSite, device: Client) -> None:
    content_type, body = device.message("MP_HinvEndpoint", device.report(action="1"))

    for _ in range(3):
        assert device.post(body, content_type).status_code == 200

    assert kinds(shared_site, device) == [("hardware-inventory", True)]


def test_state_may_come_unsigned_but_is_marked_and_proves_no_contact(shared_site: RunningSite, device: Client) -> None:
    before = shown(shared_site, device)["last_contact_at"]

    device.send("MP_RelayEndpoint", device.report("State Message Data"), signed=False, properties=STATE)

    assert kinds(shared_site, device) == [("state", False)]
    assert shown(shared_site, device)["last_contact_at"] == before


@pytest.mark.parametrize("endpoint", ["MP_DdrEndpoint", "MP_HinvEndpoint", "MP_SinvEndpoint", "StatusReceiver"])
@pytest.mark.parametrize("how", ["unsigned", "changed on the way"])
def test_other_reports_must_be_signed(shared_site: RunningSite, device: Client, endpoint: str, how: str) -> None:
    xml = STATUS if endpoint == "StatusReceiver" else device.report()

    answer = device.send(endpoint, xml, signed=how != "unsigned", tamper=how != "unsigned")

    assert (answer.status_code, answer.content) == (200, b"")
    assert kinds(shared_site, device) == []
    assert shared_site.refusals()[-1]["word"] == "Messaging_BadSignature"


def test_a_report_about_another_device_is_not_kept(
    shared_site: RunningSite, client: MakeClient, device: Client
) -> None:
    other = client(shared_site, tls=shared_site.certificate("pc"))
    other.register()

    device.send("MP_DdrEndpoint", other.report())

    assert shared_site.refusals()[-1]["word"] == "MP_IdentityMismatch"
    assert kinds(shared_site, device) == kinds(shared_site, other) == []


def test_a_device_that_waits_reports_nothing(shared_site: RunningSite, client: MakeClient) -> None:
    pending = client(shared_site, system="/ccm_system_altauth/request")
    pending.register()

    for endpoint, signed in (("MP_DdrEndpoint", True), ("MP_RelayEndpoint", False)):
        pending.send(endpoint, pending.report(), signed=signed)
        assert shared_site.refusals()[-1]["word"] == "MP_DevicePending"

    assert kinds(shared_site, pending) == []


def test_only_the_newest_reports_of_a_kind_are_kept(new_site: RunningSite, client: MakeClient) -> None:
    new_site.configure("management_point", reports_kept=2)
    with running(new_site):
        device = client(new_site, tls=new_site.certificate("pc"))
        device.register()
        device.send("MP_HinvEndpoint", device.report(action="1"))
        for number in range(4):
            device.send("MP_DdrEndpoint", device.report(body=INSTANCE.format(text=number)))
        for _ in range(5):
            device.send("MP_RelayEndpoint", device.report(), signed=False)

        found = kinds(new_site, device)
        assert found.count(("heartbeat", True)) == 2
        assert found.count(("hardware-inventory", True)) == 1
        assert found.count(("other", False)) == 2
        assert "<Comment>3</Comment>" in new_site.cli("devices", "report", device.smsid, "heartbeat").stdout
