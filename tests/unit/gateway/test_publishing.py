"""From an external path to the endpoint that serves it, or to a refusal."""

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
        authentication=Authentication.NONE,
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
    [b"/app/./secret", b"/app//secret", b"/app/%73ecret", b"/app/%2fsecret", b"/app/.//./secret/x", b"/app/%2e/secret"],
)
def test_a_path_that_could_be_read_as_another_endpoints_is_refused(path: bytes) -> None:
    assert found(path) == "CMGService_BadRequest"


@pytest.mark.parametrize(
    "path", [b"/app/./InRelease", b"/app/a%2bb_1%3a2.deb", b"/app/...", b"/app/.hidden", b"/app/a..b", b"/app//x"]
)
def test_what_harmless_clients_send_passes(path: bytes) -> None:
    assert found(path) == "app"


@given(st.binary(max_size=60))
def test_any_path_is_an_endpoint_or_a_refusal(rest: bytes) -> None:
    assert found(b"/app/" + rest) in {"app", "secret", "CMGService_BadRequest"}
