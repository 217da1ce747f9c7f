import json
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from causeway.gateway_settings import GatewaySettings
from causeway.gateway_settings.entra import EntraTenant, TokenUser, TokenVersion

ADAPTER = TypeAdapter(EntraTenant)
SMALLEST: dict[str, Any] = {
    "tenant_id": "11111111-2222-4333-8444-55555555555A",
    "audiences": ["api://causeway"],
    "client_app_ids": ["C11E0000-0000-4000-8000-000000000001"],
}


def read(**options: Any) -> EntraTenant:
    return ADAPTER.validate_json(json.dumps({**SMALLEST, **options}))


def test_a_tenant_needs_its_id_an_audience_and_an_application() -> None:
    tenant = read()
    assert tenant.tenant_id == "11111111-2222-4333-8444-55555555555a"
    assert tenant.client_app_ids == ("c11e0000-0000-4000-8000-000000000001",)
    assert tenant.versions == (TokenVersion.V1, TokenVersion.V2)
    assert tenant.accept == (TokenUser.DEVICE, TokenUser.USER)
    assert tenant.issuing_url == "https://login.microsoftonline.com"
    assert (tenant.told_client_app_id, tenant.told_resource_uri) == (tenant.client_app_ids[0], "api://causeway")
    for missing in SMALLEST:
        with pytest.raises(ValidationError):
            ADAPTER.validate_python({name: value for name, value in SMALLEST.items() if name != missing})


def test_installers_can_be_told_of_another_application_and_resource() -> None:
    told = read(client_app_id="D11E0000-0000-4000-8000-000000000001", resource_uri="https://ConfigMgrService")
    assert told.told_client_app_id == "d11e0000-0000-4000-8000-000000000001"
    assert told.told_resource_uri == "https://ConfigMgrService"


@pytest.mark.parametrize(
    "options",
    [
        {"tenant_id": "contoso.onmicrosoft.com"},
        {"audiences": []},
        {"client_app_ids": []},
        {"client_app_ids": ["*"]},
        {"accept": []},
        {"accept": ["everybody"]},
        {"versions": []},
        {"versions": ["3.0"]},
        {"scopes": []},
        {"cloud": "china"},
        {"device_claim": "upn"},
        {"device_claim": "preferred_username"},
        {"device_claim": ""},
        {"authority": "http://issuer.lab"},
        {"authority": "https://user@issuer.lab"},
        {"authority": "https://issuer.lab/path"},
        {"authority": "https://issuer.lab:99999"},
        {"authority": "https://issuer.lab", "authority_certificates": "not PEM"},
        {"trust_everybody": True},
    ],
)
def test_a_tenant_that_would_believe_too_much_or_is_misspelt_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**options)


def test_scopes_are_not_needed_where_only_devices_are_accepted() -> None:
    assert read(accept=["device"], scopes=[]).scopes == ()


def test_an_authority_of_its_own_is_kept_without_a_slash_at_its_end() -> None:
    assert read(authority="https://issuer.lab/").issuing_url == "https://issuer.lab"


def test_one_tenant_cannot_be_onboarded_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        GatewaySettings(version=1, issued_at="", site_code="PS1", entra_tenants=(read(), read(enabled=False)))
