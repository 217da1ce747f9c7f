"""From published endpoints to internal URLs, with no trust in what the gateway passes on."""

import ssl

import pytest

from causeway.connection_point.site_systems import SiteSystems
from causeway.gateway_settings import Authentication, Endpoint, GatewaySettings
from causeway.http import parse_request_head
from causeway.refusals import Refused


def systems(upstream: str) -> SiteSystems:
    settings = GatewaySettings(
        version=1,
        issued_at="now",
        site_code="PS1",
        endpoints=(
            Endpoint(
                name="mp",
                path="/CCM_Proxy_MutualAuth/8/SMS_MP",
                upstream=upstream,
                authentication=(Authentication.CERTIFICATE,),
                methods=("GET",),
                max_body_bytes=10,
            ),
        ),
    )
    made = SiteSystems(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), connect_timeout_s=1, idle_timeout_s=1, limit=1)
    made.apply(settings)
    return made


def internal(upstream: str, target: str, method: str = "GET", length: int = 0) -> bytes:
    head = parse_request_head(f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
    return systems(upstream).routes[b"mp"].internal_target(head)


@pytest.mark.parametrize(
    ("upstream", "target", "expected"),
    [
        ("https://mp/SMS_MP", "/ccm_proxy_mutualauth/8/sms_mp/.sms_pol?{g}.1_00", b"/SMS_MP/.sms_pol?{g}.1_00"),
        ("https://mp/SMS_MP", "/CCM_Proxy_MutualAuth/8/SMS_MP/.sms_aut?A&B=%7B$", b"/SMS_MP/.sms_aut?A&B=%7B$"),
        ("https://mp/SMS_MP/", "/CCM_Proxy_MutualAuth/8/SMS_MP", b"/SMS_MP"),
        ("https://mp", "/CCM_Proxy_MutualAuth/8/SMS_MP", b"/"),
        ("https://mp", "/CCM_Proxy_MutualAuth/8/SMS_MP?x", b"/?x"),
        ("https://mp:8444/a/b", "/CCM_Proxy_MutualAuth/8/SMS_MP/./c//d", b"/a/b/./c//d"),
    ],
)
def test_the_prefix_is_replaced_and_the_rest_passes_byte_for_byte(upstream: str, target: str, expected: bytes) -> None:
    assert internal(upstream, target) == expected


@pytest.mark.parametrize(
    ("target", "method", "length", "word"),
    [
        ("/elsewhere", "GET", 0, "CMGConnector_NotPublished"),
        ("/CCM_Proxy_MutualAuth/8/SMS_MPX", "GET", 0, "CMGConnector_NotPublished"),
        ("/CCM_Proxy_MutualAuth/8/SMS_MP/x", "DELETE", 0, "CMGConnector_NotPublished"),
        ("/CCM_Proxy_MutualAuth/8/SMS_MP/x", "GET", 11, "CMGService_BodyTooLarge"),
    ],
)
def test_the_connection_point_refuses_what_a_gateway_should_not_have_passed_on(
    target: str, method: str, length: int, word: str
) -> None:
    with pytest.raises(Refused) as refused:
        internal("https://mp/SMS_MP", target, method, length)
    assert refused.value.refused_word == word


def test_a_site_system_that_is_no_longer_published_keeps_no_connections() -> None:
    made = systems("https://mp")
    assert len(made.pools) == 1
    made.apply(GatewaySettings(version=2, issued_at="now", site_code="PS1"))
    assert (made.pools, made.routes) == ({}, {})
