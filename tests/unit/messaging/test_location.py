import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.messaging import content_location, keyinfo, location
from causeway.messaging.content_location import (
    ContentLocationReply,
    ContentLocationRequest,
    ContentRecord,
    LocationRequest,
    UpdateLocationReply,
    UpdateLocationRequest,
    UpdateServer,
    parse_content_location_reply,
    parse_location_request,
    parse_update_location_reply,
)
from causeway.messaging.errors import FieldError, MessagingError, UnsupportedError
from causeway.messaging.keyinfo import (
    KeyInfoQuery,
    KeyInfoVerb,
    ManagementPoint,
    MPCertificates,
    MPKeyInformation,
    MPList,
    SignedHex,
    SiteSigningCertificate,
    TrustedRootKey,
    parse_key_info_query,
)
from causeway.messaging.location import (
    AssignedSiteReply,
    AssignedSiteRequest,
    MPLocationReply,
    MPLocationRequest,
    MPRecord,
    MPRequestType,
    SiteInformationReply,
    SiteInformationRequest,
    parse_assigned_site_reply,
    parse_mp_location_reply,
    parse_site_information_reply,
)
from causeway.messaging.site_description import SecurityConfiguration, Site

words = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), max_size=20).map(
    str.strip
)
names = words.filter(bool)
capabilities = st.lists(st.tuples(names, words), max_size=3).map(tuple)
ports = st.integers(0, 65535)
sites = st.builds(
    Site,
    names,
    words,
    words,
    words,
    st.none()
    | st.builds(SecurityConfiguration, ports, ports, ports, ports, st.booleans(), words, words, st.just("3082")),
)
packages = names.flatmap(
    lambda package: st.builds(
        ContentLocationRequest, words, st.just(package), words, words, st.booleans(), st.booleans(), st.booleans()
    )
)
requests = st.one_of(
    st.builds(SiteInformationRequest, words),
    st.just(AssignedSiteRequest()),
    st.builds(MPLocationRequest, words, st.sampled_from(MPRequestType), st.booleans()),
    packages,
    st.builds(UpdateLocationRequest, words, words, words, st.booleans()),
)


@given(requests)
def test_a_request_comes_back(request: LocationRequest) -> None:
    assert parse_location_request(request.to_xml()) == request


def test_a_request_for_the_clients_own_package_names_none() -> None:
    request = ContentLocationRequest("PS1", "")
    assert "<ClientPackage" in request.to_xml()
    assert parse_location_request(request.to_xml()) == request


def test_a_public_clients_content_request_is_taken() -> None:
    request = parse_location_request(
        '<ContentLocationRequest SchemaVersion="1.00"  BGRVersion="1">\r\n  <AssignedSite SiteCode="PS1"/>'
        '<Package ID="PS100001" Version="1" DeploymentFlags="4098"/>'
        '<ClientLocationInfo LocationType="SMSPACKAGE" AllowHTTP="1" UseAzure="1" DPTokenAuth="1" UseInternetDP="0">'
        '<ADSite Name=""/><IPAddresses><IPAddress SubnetAddress="10.0.0.0" Address="10.0.0.1"/></IPAddresses>'
        "</ClientLocationInfo></ContentLocationRequest>"
    )
    assert request == ContentLocationRequest(
        "PS1", "PS100001", "1", "SMSPACKAGE", use_azure=True, token_authentication=True
    )


def test_a_request_that_is_not_served_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedError, match="UpdateSFRequest"):
        parse_location_request("<UpdateSFRequest/>")


@given(st.lists(sites, max_size=3).map(tuple))
def test_site_information_comes_back(found: tuple[Site, ...]) -> None:
    reply = SiteInformationReply(found)
    assert parse_site_information_reply(reply.to_xml()) == reply


@given(sites)
def test_an_assigned_site_comes_back(site: Site) -> None:
    assert parse_assigned_site_reply(AssignedSiteReply(site).to_xml()) == AssignedSiteReply(site)


@given(st.builds(MPLocationReply, words, st.lists(st.builds(MPRecord, words, words, words, capabilities)).map(tuple)))
def test_management_points_come_back(reply: MPLocationReply) -> None:
    assert parse_mp_location_reply(reply.to_xml()) == reply


@given(
    st.builds(
        ContentLocationReply, words, st.lists(st.builds(ContentRecord, names, words, words, capabilities)).map(tuple)
    )
)
def test_content_places_come_back(reply: ContentLocationReply) -> None:
    assert parse_content_location_reply(reply.to_xml()) == reply


@given(st.builds(UpdateLocationReply, words, st.lists(st.builds(UpdateServer, names, words, words)).map(tuple)))
def test_update_servers_come_back(reply: UpdateLocationReply) -> None:
    assert parse_update_location_reply(reply.to_xml()) == reply


def test_a_site_without_code_or_with_an_impossible_port_is_refused() -> None:
    for inner in (
        "",
        "<SiteCode>PS1</SiteCode><ClientOperationalSettings><SecurityConfiguration><HTTPPort>70000</HTTPPort>"
        "</SecurityConfiguration></ClientOperationalSettings>",
    ):
        with pytest.raises(FieldError):
            parse_site_information_reply(f"<SiteInfoReply><Sites><Site>{inner}</Site></Sites></SiteInfoReply>")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("MPLIST", KeyInfoQuery(KeyInfoVerb.MP_LIST)),
        ("MPLIST1&PS1", KeyInfoQuery(KeyInfoVerb.MP_LIST, "PS1")),
        ("mplist2&PS1", KeyInfoQuery(KeyInfoVerb.MP_LIST, "PS1")),
        ("MPCERT", KeyInfoQuery(KeyInfoVerb.MP_CERTIFICATE)),
        ("MPCERT2", KeyInfoQuery(KeyInfoVerb.MP_CERTIFICATES)),
        ("MPKEYINFORMATIONMEDIA", KeyInfoQuery(KeyInfoVerb.MP_KEY_INFORMATION)),
        ("SITESIGNCERT", KeyInfoQuery(KeyInfoVerb.SITE_SIGNING_CERTIFICATE)),
        ("MPTRK", KeyInfoQuery(KeyInfoVerb.TRUSTED_ROOT_KEY)),
    ],
)
def test_queries_are_known_in_every_spelling(query: str, expected: KeyInfoQuery) -> None:
    assert parse_key_info_query(query) == expected


@pytest.mark.parametrize("query", ["", "SMSTRC", "MPLIST%31", "&MPLIST"])
def test_other_queries_are_refused(query: str) -> None:
    with pytest.raises(UnsupportedError):
        parse_key_info_query(query)


@given(
    st.builds(MPList, st.lists(st.builds(ManagementPoint, names, words, words, words, capabilities)).map(tuple)),
    st.sampled_from(["utf-8", "utf-16"]),
)
def test_an_mp_list_comes_back_in_either_encoding(listed: MPList, encoding: str) -> None:
    assert keyinfo.parse_mp_list(listed.to_xml().encode(encoding)) == listed


signed = st.builds(SignedHex, words, words)


@given(signed, st.none() | signed)
def test_mp_certificates_come_back(first: SignedHex, second: SignedHex | None) -> None:
    certificates = MPCertificates(first, second)
    assert keyinfo.parse_mp_certificates(certificates.to_xml().encode()) == certificates


@given(st.builds(MPKeyInformation, words, words, names, signed, signed, words, words))
def test_key_information_comes_back(information: MPKeyInformation) -> None:
    assert keyinfo.parse_mp_key_information(information.to_xml().encode()) == information


def test_the_sites_keys_come_back() -> None:
    certificate, key = SiteSigningCertificate("3082AB"), TrustedRootKey("0602")
    assert keyinfo.parse_site_signing_certificate(certificate.to_xml().encode()) == certificate
    assert keyinfo.parse_trusted_root_key(key.to_xml().encode()) == key


def test_a_document_without_its_certificate_is_refused() -> None:
    for document in (b"<MPCertificate/>", b"<Other/>"):
        with pytest.raises(FieldError):
            keyinfo.parse_mp_certificates(document)


ROOTS = (
    "SiteInfoReply",
    "AssignedSiteReply",
    "EnumerateMPLocationReply",
    "ContentLocationRequest",
    "ContentLocationReply",
    "WSUSLocationReply",
    "MPList",
    "MPCertificates",
    "MPKEYINFORMATION",
    "X509Data",
    "KEYDATA",
)
BYTES_PARSERS: tuple[Callable[[bytes], object], ...] = (
    keyinfo.parse_mp_list,
    keyinfo.parse_mp_certificates,
    keyinfo.parse_mp_key_information,
    keyinfo.parse_site_signing_certificate,
    keyinfo.parse_trusted_root_key,
)
TEXT_PARSERS: tuple[Callable[[str], object], ...] = (
    location.parse_site_information_reply,
    location.parse_assigned_site_reply,
    location.parse_mp_location_reply,
    content_location.parse_location_request,
    content_location.parse_content_location_reply,
    content_location.parse_update_location_reply,
    keyinfo.parse_key_info_query,
)


@given(st.sampled_from(ROOTS), st.text(), st.binary())
def test_arbitrary_values_are_taken_or_refused(root: str, inside: str, data: bytes) -> None:
    for text in (inside, f"<{root}>{inside}</{root}>"):
        for parse_text in TEXT_PARSERS:
            with contextlib.suppress(MessagingError):
                parse_text(text)
    for parse_bytes in BYTES_PARSERS:
        with contextlib.suppress(MessagingError):
            parse_bytes(data)
        with contextlib.suppress(MessagingError):
            parse_bytes(f"<{root}>".encode() + data + f"</{root}>".encode())
