import dataclasses
import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from causeway.errors import ConfigurationError
from causeway.gateway_settings import Authentication, Endpoint, verify
from causeway.gateway_settings.document import DEFAULT_TOKEN_HEADERS
from causeway.gateway_settings.entra import TokenUser
from causeway.site.config import ServerAuthEndpoint, SiteConfig
from causeway.site.settings import Decisions, build_content
from tests.unit.certificates import root

Configured = Callable[[str], SiteConfig]
ROLE = 72057594037927937


def endpoints(config: SiteConfig) -> dict[str, Endpoint]:
    return {one.name: one for one in build_content(config).settings.endpoints}


def test_an_existing_management_point_is_published_with_its_virtual_directories(configured: Configured) -> None:
    found = endpoints(
        configured(
            '[[existing_management_point]]\nrole_id = 8\nurl = "https://mp2.corp.example/"\nserver_auth = ["ccm_sts"]'
        )
    )

    windows = found["mp-8/ccm_system_windowsauth"]
    assert windows.path == "/CCM_Proxy_MutualAuth/8/ccm_system_windowsauth"
    assert windows.upstream == "https://mp2.corp.example/ccm_system_windowsauth"
    assert windows.connection_bound
    assert not found["mp-8/ccm_system"].connection_bound
    assert "BITS_POST" in found["mp-8/ccm_incoming"].methods
    token_service = found["mp-8/server-auth/ccm_sts"]
    assert token_service.path == "/CCM_Proxy_ServerAuth/8/ccm_sts"
    assert token_service.authentication == (Authentication.NONE,)


def test_an_existing_update_point_is_published(configured: Configured) -> None:
    found = endpoints(configured('[[existing_update_point]]\nrole_id = 9\nurl = "https://sup1.corp.example:8531"'))

    assert found["sup-9/ClientWebService"].upstream == "https://sup1.corp.example:8531/ClientWebService"
    assert found["sup-9/Content"].max_body_bytes == 0


def test_an_application_is_published_as_it_is_configured(configured: Configured) -> None:
    found = endpoints(
        configured(
            '[[application]]\nname = "puppet"\npath = "/puppet/v3"\nupstream = "https://puppet.corp.example:8140/p"\n'
            'authentication = "none"\nmethods = ["GET", "PUT"]\nmax_body_bytes = 5\nconnection_bound = true\n'
            'upgrades = ["websocket"]\nresponse_timeout_s = 9.5\nforward_token = true\nsign_identity = true'
        )
    )

    assert found["puppet"] == Endpoint(
        name="puppet",
        path="/puppet/v3",
        upstream="https://puppet.corp.example:8140/p",
        authentication=(Authentication.NONE,),
        methods=("GET", "PUT"),
        max_body_bytes=5,
        connection_bound=True,
        upgrades=("websocket",),
        response_timeout_s=9.5,
        forward_token=True,
        sign_identity=True,
    )


def test_tokens_are_looked_for_where_gateways_look_unless_told_otherwise(configured: Configured) -> None:
    assert build_content(configured("")).settings.token_headers == DEFAULT_TOKEN_HEADERS


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            '[[application]]\nname = "a"\npath = "/ccm_proxy_mutualauth/8"\nupstream = "http://a/"',
            "belongs to the client protocol",
        ),
        (
            '[[application]]\nname = "a"\npath = "/x"\nupstream = "http://a/"\n'
            '[[application]]\nname = "b"\npath = "/X"\nupstream = "http://b/"',
            "two endpoints have the path /x",
        ),
        (f'[[existing_management_point]]\nrole_id = {ROLE}\nurl = "https://mp2/"', "two endpoints have the name"),
    ],
)
def test_what_has_two_readings_is_not_published(configured: Configured, more: str, expected: str) -> None:
    with pytest.raises(ConfigurationError, match=expected):
        build_content(configured(more))


def test_what_altauth_turns_off_cannot_be_published(configured: Configured) -> None:
    config = configured("")
    off = dataclasses.replace(
        config,
        management_point=dataclasses.replace(config.management_point, altauth=False),
        gateway=dataclasses.replace(config.gateway, server_auth=(ServerAuthEndpoint.SMS_POL,)),
    )
    with pytest.raises(ConfigurationError, match="altauth = false turns off"):
        build_content(off)


def test_certificates_are_blocked_by_the_file_and_by_the_command_line(configured: Configured) -> None:
    config = configured("")
    gateway = dataclasses.replace(config.gateway, blocked_certificates=("b" * 64, "a" * 64))

    content = build_content(dataclasses.replace(config, gateway=gateway), Decisions(("c" * 64, "a" * 64)))

    assert content.settings.blocked_certificates == ("a" * 64, "b" * 64, "c" * 64)


def test_the_digest_changes_with_the_content_and_with_the_key(configured: Configured) -> None:
    config = configured("")
    keys = [Ed25519PrivateKey.generate() for _ in range(2)]
    contents = [build_content(config), build_content(config, Decisions(("a" * 64,)))]

    digests = {content.digest(key) for content, key in itertools.product(contents, keys)}

    assert len(digests) == 4
    assert build_content(config).digest(keys[0]) in digests


def test_the_document_is_signed_with_its_version_and_time(configured: Configured) -> None:
    key = Ed25519PrivateKey.generate()

    signed = build_content(configured("")).signed(7, datetime(2026, 11, 23, 8, tzinfo=UTC), key)

    settings = verify(signed, key.public_key())
    assert (settings.version, settings.issued_at) == (7, "2026-11-23T08:00:00Z")


def test_a_document_that_gateways_would_not_take_is_not_published(configured: Configured) -> None:
    blocked = Decisions(tuple(f"{number:064x}" for number in range(120_000)))

    with pytest.raises(ConfigurationError, match="gateways take"):
        build_content(configured(""), blocked).signed(1, datetime.now(UTC), Ed25519PrivateKey.generate())


def test_onboarded_tenants_are_published_with_the_certificates_of_their_authority(
    configured: Configured, tmp_path: Path
) -> None:
    authority = root("Laboratory").pem
    (tmp_path / "lab.pem").write_text(authority)
    config = configured(
        '[[entra_tenant]]\ntenant_id = "11111111-2222-4333-8444-55555555555A"\naudiences = ["api://causeway"]\n'
        'client_app_ids = ["c11e0000-0000-4000-8000-000000000001"]\naccept = ["device"]\n'
        f'authority = "https://issuer.lab"\nauthority_file = "{tmp_path}/lab.pem"'
    )
    (tenant,) = build_content(config).settings.entra_tenants

    assert tenant.tenant_id == "11111111-2222-4333-8444-55555555555a"
    assert tenant.accept == (TokenUser.DEVICE,)
    assert (tenant.authority, tenant.authority_certificates) == ("https://issuer.lab", authority)


def test_one_tenant_in_two_tables_is_refused(configured: Configured) -> None:
    table = (
        '[[entra_tenant]]\ntenant_id = "11111111-2222-4333-8444-555555555555"\naudiences = ["api://causeway"]\n'
        'client_app_ids = ["c11e0000-0000-4000-8000-000000000001"]\n'
    )
    with pytest.raises(ConfigurationError, match="twice"):
        build_content(configured(table * 2))
