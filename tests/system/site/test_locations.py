from collections.abc import Callable, Iterator
from xml.etree import ElementTree as ET

import pytest
from cryptography import x509

from tests.system.site.running import ROLE_ID, SERVICE_NAME, RunningSite, lay_out, running
from tests.system.site.third_party import Client, public_key_blob

MakeClient = Callable[..., Client]


@pytest.fixture(scope="module")
def told_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site that has something to tell."""
    site = lay_out(tmp_path_factory.mktemp("told"), {})
    site.configure("locations", distribution_points=["https://dp1.corp.example/SMS_DP_SMSPKG$"])
    site.append('[[locations.update_server]]\nurl = "https://sup1.corp.example:8531"\nversion = 7')
    with running(site):
        yield site


@pytest.fixture
def device(told_site: RunningSite, client: MakeClient) -> Client:
    return client(told_site, system="/ccm_system_altauth/request")


def get(device: Client, query: str) -> ET.Element:
    answer = device.get(f"/SMS_MP/.sms_aut?{query}")
    assert answer.status_code == 200
    return ET.fromstring(answer.text)


def server_certificate(site: RunningSite) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    certificate = x509.load_pem_x509_certificate(site.paths.certificate.read_bytes())
    return certificate.public_bytes(Encoding.DER).hex().upper()


@pytest.mark.parametrize("query", ["MPLIST", "MPLIST1&PS1", "MPLIST2&PS1", "mplist"])
def test_the_list_names_this_management_point(device: Client, query: str) -> None:
    (point,) = get(device, query).findall("MP")

    assert dict(point.attrib) == {"Name": "MP1", "FQDN": "127.0.0.1", "SiteCode": "PS1"}
    assert point.find("Capabilities/Property[@Name='SSLState']") is not None


def test_certificates_and_keys_are_told_to_everybody(told_site: RunningSite, device: Client) -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    mine = server_certificate(told_site)
    trusted_root_key = public_key_blob(load_pem_private_key(told_site.paths.signing_key.read_bytes(), None))  # type: ignore[arg-type]

    assert get(device, "MPCERT").findtext("Certificate") == mine
    both = get(device, "MPCERT2")
    assert both.findtext("Certificate1") == mine
    assert both.find("Certificate1").get("Signature")  # type: ignore[union-attr]
    assert get(device, "SITESIGNCERT").findtext("X509Certificate") == both.findtext("Certificate2")
    assert get(device, "MPTRK").text == trusted_root_key
    for query in ("MPKEYINFORMATION", "MPKEYINFORMATIONEX", "MPKEYINFORMATIONMEDIA"):
        information = get(device, query)
        assert information.findtext("SITECODE") == "PS1"
        assert information.findtext("MPCERTIFICATE") == mine
        assert information.findtext("TRUSTEDROOTKEY") == trusted_root_key


@pytest.mark.parametrize("query", ["", "NOSUCH", "SMSTRC", "%00%ff", "GETCLIENTAFFINITY&GUID:1", "A" * 5000])
def test_a_query_that_is_not_served_is_not_found(device: Client, query: str) -> None:
    assert device.get(f"/SMS_MP/.sms_aut?{query}").status_code == 404


def test_head_gets_the_head_alone(device: Client) -> None:
    answer = device.session.head(f"{device.url}/SMS_MP/.sms_aut?MPLIST", timeout=30)

    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 100


def test_the_site_describes_itself(device: Client) -> None:
    ask = '<SiteInformationRequest SchemaVersion="1.00"><SiteCode Name="{code}"/></SiteInformationRequest>'
    known = device.ask("MP_LocationManager", ask.format(code="PS1"), signed=False)
    assert known.findtext("Sites/Site/DefaultMP") == "127.0.0.1"
    assert known.findtext(".//SecurityConfiguration/SiteSigningCert")
    assert device.ask("MP_LocationManager", ask.format(code="XX9"), signed=False).find("Sites/Site") is None
    assigned = device.ask("MP_LocationManager", '<AssignedSiteRequest SchemaVersion="1.00"/>', signed=False)
    assert assigned.findtext("Site/SiteCode") == "PS1"


def test_the_management_point_is_told_by_its_name_inside_and_outside(device: Client) -> None:
    reply = device.ask(
        "MP_LocationManager",
        '<EnumerateMPLocationRequest SchemaVersion="1.00" RequestType="Assigned"><ClientLocationInfo OnInternet="1"/>'
        '<SiteCode Name="PS1"/></EnumerateMPLocationRequest>',
        signed=False,
    )

    record = reply.find("LocationRecords/LocationRecord")
    assert record is not None
    assert record.find("IntranetName").get("Value") == "127.0.0.1"  # type: ignore[union-attr]
    assert record.find("InternetName").get("Value") == f"{SERVICE_NAME}/CCM_Proxy_MutualAuth/{ROLE_ID}"  # type: ignore[union-attr]


def test_content_and_updates_are_where_the_configuration_says(device: Client) -> None:
    content = device.ask(
        "MP_LocationManager",
        '<ContentLocationRequest SchemaVersion="1.00" BGRVersion="1"><Package ID="PS100001" Version="1"/>'
        '<AssignedSite SiteCode="PS1"/><ClientLocationInfo LocationType="SMSPackage"/></ContentLocationRequest>',
        signed=False,
    )
    updates = device.ask(
        "MP_LocationManager",
        '<WSUSLocationRequest SchemaVersion="1.00"><AssignedSite SiteCode="PS1"/><Content ID="{x}" Version="1"/>'
        '<ClientLocationInfo OnInternet="1"/></WSUSLocationRequest>',
        signed=False,
    )

    (url,) = content.iter("URL")
    assert url.get("Name") == "https://dp1.corp.example/SMS_DP_SMSPKG$/PS100001"
    (record,) = updates.iter("LocationRecord")
    assert dict(record.attrib) == {
        "WSUSURL": "https://sup1.corp.example:8531",
        "ServerName": "sup1.corp.example",
        "Version": "7",
    }


def test_a_location_request_that_is_not_served_gets_an_empty_answer(device: Client) -> None:
    answer = device.send("MP_LocationManager", "<LocalMPLocationRequest/>", signed=False)

    assert (answer.status_code, answer.content) == (200, b"")
