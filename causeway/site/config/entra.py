"""``[[entra_tenant]]``: the Entra ID tenants whose tokens are believed."""

from causeway.configuration import ConfigPath, section, setting
from causeway.gateway_settings.entra import TenantTerms


@section
class EntraTenantConfig(TenantTerms):
    """An onboarded tenant."""

    authority_file: ConfigPath | None = setting(
        "a file (PEM) of what the TLS certificate of authority leads to; where missing, the system's authorities",
        default=None,
        example="issuer-ca.pem",
    )
    registration_approves: bool = setting(
        "A device that registers with a token of this tenant is approved by it. Otherwise management_point.approval "
        "decides.",
        default=True,
    )
