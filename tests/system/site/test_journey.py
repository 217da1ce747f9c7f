"""The main job: a device registers, is approved, gets its policy, reports."""

import json
from collections.abc import Callable

import pytest

from tests.system.site.running import RunningSite
from tests.system.site.third_party import Client, Layout, locations

MakeClient = Callable[..., Client]
ALTAUTH = {"system": "/ccm_system_altauth/request", "policies": "/SMS_MP_AltAuth/.sms_pol"}


def devices(site: RunningSite) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(site.cli("devices", "list", "--json").stdout)
    return found


def test_a_device_waits_for_approval_and_then_gets_policy_and_reports(site: RunningSite, client: MakeClient) -> None:
    device = client(site, **ALTAUTH)

    reply = device.register()
    assert (reply.get("Status"), reply.get("ApprovalStatus")) == ("1", "0")
    assert reply.get("SMSID", "").startswith("GUID:")
    assert device.send("MP_PolicyManager", device.assignments_request()).content == b""
    assert device.register("Confirmation").get("Status") == "1"

    site.cli("devices", "approve", device.smsid)
    assert device.register("Confirmation").attrib["Status"] == "0"

    assignments = device.assignments()
    assert assignments.get("ReplyType") == "Full"
    where = locations(assignments)
    assert set(where) == {"ClientSettings", "NAAConfig"}

    settings = device.policy(where["ClientSettings"], headers={})
    assert settings.content.decode("utf-16").startswith("<Policy ")
    assert device.policy(where["NAAConfig"], headers={}).text.startswith("<HTML>")
    account = device.policy(where["NAAConfig"])
    assert "CCM_NetworkAccessAccount" in account.content.decode("utf-16")

    assert device.send("MP_DdrEndpoint", device.report(), mode="Async").content == b""
    shown = json.loads(site.cli("devices", "show", device.smsid, "--json").stdout)
    assert shown["approval"] == "approved"
    assert shown["netbios_name"] == "PC1"
    assert shown["agent_version"] == "5.00.8325.0000"
    assert shown["last_policy_at"]
    assert shown["last_heartbeat_at"]
    assert [report["kind"] for report in shown["reports"]] == ["heartbeat"]


def test_a_device_with_a_certificate_of_a_trusted_root_is_approved_at_once(
    site: RunningSite, client: MakeClient
) -> None:
    device = client(site, tls=site.certificate("pc7"))

    reply = device.register()

    assert (reply.get("Status"), reply.get("ApprovalStatus")) == ("0", "1")
    assert set(locations(device.assignments())) == {"ClientSettings", "NAAConfig"}


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("compression", ["zlib", "none", None])
def test_every_layout_of_a_message_is_understood(
    shared_site: RunningSite, client: MakeClient, layout: Layout, compression: str | None
) -> None:
    device = client(shared_site, tls=shared_site.certificate("pc1"), layout=layout, reply_compression=compression)

    assert device.register().get("Status") == "0"

    assert set(locations(device.assignments())) == {"ClientSettings", "NAAConfig"}
