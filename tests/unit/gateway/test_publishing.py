"""From an external path to the endpoint that serves it, or to a refusal."""

import posixpath
import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.gateway.publishing import PublishingTable
from causeway.gateway_settings import Authentication, Endpoint, GatewaySettings
from causeway.refusals import Refused


def endpoint(name: str, path: str) -> Endpoint:
    return Endpoint(
        name=name,
        path=path,
        upstream="http://site-system",
        authentication=(Authentication.NONE,),
        methods=("GET",),
        max_body_bytes=0,
    )


TABLE = PublishingTable(
    GatewaySettings(
        version=1,
        issued_at="now",
        site_code="PS1",
        endpoints=(
            endpoint("app", "/app"),
            endpoint("secret", "/app/Secret"),
            endpoint("mp", "/CCM_Proxy_MutualAuth/72057594037927937/SMS_MP"),
            endpoint("odd", "/Odd%20name;v=1./{x}"),
        ),
    ),
    {},
)


def found(path: bytes) -> str:
    try:
        return TABLE.find(path).name.decode()
    except Refused as refused:
        return refused.refused_word


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (b"/app", "app"),
        (b"/APP/x/y", "app"),
        (b"/app/", "app"),
        (b"/app/secret", "secret"),
        (b"/app/SECRET/z", "secret"),
        (b"/app/secrets", "app"),
        (b"/ccm_proxy_mutualauth/72057594037927937/sms_mp/.sms_pol", "mp"),
        (b"/CCM_PROXY_SERVERAUTH/servicemetadata", "ServiceMetadata"),
        (b"/odd%20NAME;v=1./{X}/y", "odd"),
        (b"/odd%20name;v=1./{x}/y%20z", "odd"),
    ],
)
def test_the_longest_path_of_whole_segments_counts_without_regard_to_case(path: bytes, name: str) -> None:
    assert found(path) == name


@pytest.mark.parametrize(
    "path",
    [b"/", b"/appx", b"/ap", b"//app", b"/./app", b"/CCM_Proxy_MutualAuth/1/SMS_MP", b"/%61pp", b"/app%2fsecret"],
)
def test_anything_else_is_not_published(path: bytes) -> None:
    assert found(path) == "CMGService_NotPublished"


@pytest.mark.parametrize("dot", [b".", b"%2e", b"%2E", b"%252e", b"%25252E"])
@pytest.mark.parametrize("separator", [b"/", b"%2f", b"%5c", b"%252F", b"\\"])
@pytest.mark.parametrize("end", [b"", b"/x", b";a=b/x", b"%2fx"])
def test_a_path_that_could_climb_is_refused(dot: bytes, separator: bytes, end: bytes) -> None:
    assert found(b"/app/x" + separator + dot + dot + end) == "CMGService_BadRequest"


@pytest.mark.parametrize(
    "path",
    [
        b"/app/./secret",
        b"/app//secret",
        b"/app/%73ecret",
        b"/app/%2573ecret",
        b"/app/%252573ecret",
        b"/app/%2fsecret",
        b"/app/.//./secret/x",
        b"/app/%2e/secret",
        b"/app/secret;a=b",
        b"/app/secret;a=b/x",
        b"/app/secret%3ba",
        b"/app/x;/./;y/../secret",
        b"/app/;x/secret",
        b"/app/secret./x",
        b"/app/secret...",
        b"/app/secret%20",
        b"/app/secret%2e%20;x",
    ],
)
def test_a_path_that_could_be_read_as_another_endpoints_is_refused(path: bytes) -> None:
    assert found(path) == "CMGService_BadRequest"


@pytest.mark.parametrize(
    "path",
    [
        b"/app/./InRelease",
        b"/app/a%2bb_1%3a2.deb",
        b"/app/...",
        b"/app/.hidden",
        b"/app/a..b",
        b"/app//x",
        b"/app/x;v=1/y",
        b"/app/100%",
        b"/app/%c3%a9t%c3%a9",
        b"/app/%C1lbum",
        b"/app/%7Bguid%7D/$metadata",
        b"/app/{guid}.1_00",
    ],
)
def test_what_harmless_clients_send_passes(path: bytes) -> None:
    assert found(path) == "app"


@pytest.mark.parametrize(
    "disguise",
    [
        b"%u002e%u002e%u002f",
        b"%c0%ae%c0%ae%c0%af",
        b"%C0%AE%C0%AE/",
        b"%e0%80%ae%e0%80%ae/",
        b"%f0%80%80%ae./",
        b"%25c0%25ae./",
        b"%c1%9c..",
        b"%U002e",
    ],
)
def test_an_encoding_that_is_none_is_refused(disguise: bytes) -> None:
    assert found(b"/app/" + disguise + b"secret") == "CMGService_BadRequest"


@given(st.text("/.%;2eEfF5cC secrt\\u0", max_size=30).map(lambda text: b"/app/" + text.encode()))
def test_nothing_that_decodes_to_another_endpoint_passes(path: bytes) -> None:
    if found(path) != "app":
        return
    decoded = path
    for _ in range(3):
        decoded = unquote_to_bytes(decoded)
        collapsed = posixpath.normpath(re.sub(rb";[^/]*", b"", decoded).replace(b"\\", b"/").decode("latin-1"))
        assert collapsed.startswith("/app")
        assert not (collapsed + "/").lower().startswith("/app/secret/")


@given(st.binary(max_size=60))
def test_any_path_is_an_endpoint_or_a_refusal(rest: bytes) -> None:
    assert found(b"/app/" + rest) in {"app", "secret", "CMGService_BadRequest"}
