"""What the gateway answers itself, without a site system: JSON, from the settings in force."""

import json
from collections.abc import Callable
from urllib.parse import parse_qsl

from causeway.gateway_settings import GatewaySettings

OwnAnswer = Callable[[bytes], bytes]
"""From the query of a request to the body of its answer."""

_TENANT = "tenantid"
_MOST_FIELDS = 16


def service_metadata(settings: GatewaySettings) -> OwnAnswer:
    """``ServiceMetadata``: that a gateway is here, and of which site."""
    body = json.dumps(
        {"ServiceName": settings.service_name, "SiteCode": settings.site_code, "SettingsVersion": settings.version}
    ).encode()
    return lambda _query: body


def aad_auth_info(settings: GatewaySettings) -> OwnAnswer:
    """``AADAuthInfo?TenantID=``: what an installer needs for a token of an onboarded tenant; nothing of another.

    That Configuration Manager's installer asks this, and what it makes of the answer (``AADCLIENTAPPID``,
    ``AADRESOURCEURI``), is documented; the form of the answer is not, so that it is our own.
    """
    by_tenant = {
        tenant.tenant_id: json.dumps(
            {
                "TenantId": tenant.tenant_id,
                "AuthorityUri": f"{tenant.issuing_url}/{tenant.tenant_id}",
                "ClientAppId": tenant.told_client_app_id,
                "ResourceUri": tenant.told_resource_uri,
            }
        ).encode()
        for tenant in settings.entra_tenants
        if tenant.enabled and tenant.tenant_id not in {blocked.lower() for blocked in settings.blocked_tenants}
    }
    return lambda query: by_tenant.get(_tenant_of(query), b"{}")


def _tenant_of(query: bytes) -> str:
    try:
        fields = parse_qsl(query.decode("ascii"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        return ""
    asked = [value.strip(" {}").lower() for name, value in fields if name.lower() == _TENANT]
    return asked[0] if len(asked) == 1 else ""
