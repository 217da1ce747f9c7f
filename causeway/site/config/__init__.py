"""The site's configuration file, one dataclass a table."""

from causeway.configuration import section, setting
from causeway.identity.entra.config import EntraKeysSection
from causeway.observability.config import LogSection
from causeway.site.config.client_certificates import ClientCertificatesConfig, Ocsp, RevocationConfig, Unknown
from causeway.site.config.database import DatabaseConfig
from causeway.site.config.entra import EntraTenantConfig
from causeway.site.config.gateway import (
    ApplicationConfig,
    ExistingManagementPoint,
    ExistingUpdatePoint,
    GatewayConfig,
    ServerAuthEndpoint,
)
from causeway.site.config.management_point import (
    Approval,
    ClientSettingsConfig,
    LocationsConfig,
    ManagementPointConfig,
    PolicyBodyEncryption,
    UpdateServer,
)
from causeway.site.config.server import AdminConfig, ServerConfig
from causeway.site.config.site import IdentityConfig
from causeway.site.config.tokens import TokensConfig

HEADING = "Causeway: the site. `causeway site check` looks at this file and what it names, `causeway site run` runs it."

__all__ = [
    "HEADING",
    "AdminConfig",
    "ApplicationConfig",
    "Approval",
    "ClientCertificatesConfig",
    "ClientSettingsConfig",
    "DatabaseConfig",
    "EntraTenantConfig",
    "ExistingManagementPoint",
    "ExistingUpdatePoint",
    "GatewayConfig",
    "IdentityConfig",
    "LocationsConfig",
    "ManagementPointConfig",
    "Ocsp",
    "PolicyBodyEncryption",
    "RevocationConfig",
    "ServerAuthEndpoint",
    "ServerConfig",
    "SiteConfig",
    "TokensConfig",
    "Unknown",
    "UpdateServer",
]


@section
class SiteConfig:
    """``site.toml``."""

    site: IdentityConfig = setting("What the site is called, and the keys it signs with.")
    database: DatabaseConfig = setting("Where the state is kept.", factory=DatabaseConfig)
    server: ServerConfig = setting("The address that devices on the premises and connection points reach.")
    admin: AdminConfig = setting(
        "Health and metrics, for this machine alone unless told otherwise.", factory=AdminConfig
    )
    log: LogSection = setting("What is written to standard error.", factory=LogSection)
    management_point: ManagementPointConfig = setting(
        "The management point that devices register with.", factory=ManagementPointConfig
    )
    client_settings: ClientSettingsConfig = setting(
        "The client settings that every device gets as policy.", factory=ClientSettingsConfig
    )
    tokens: TokensConfig = setting("The tokens that devices and newcomers get.", factory=TokensConfig)
    locations: LocationsConfig = setting("What devices are told about content and updates.", factory=LocationsConfig)
    gateway: GatewayConfig = setting("What gateways are told: the gateway settings.")
    client_certificates: ClientCertificatesConfig = setting(
        "What gateways demand of client certificates.", factory=ClientCertificatesConfig
    )
    revocation: RevocationConfig = setting(
        "How the site learns which client certificates were revoked.", factory=RevocationConfig
    )
    application: tuple[ApplicationConfig, ...] = setting(
        "A published application: an external path led to any other HTTP(S) server. May repeat.", default=()
    )
    existing_management_point: tuple[ExistingManagementPoint, ...] = setting(
        "An existing Configuration Manager management point to publish. May repeat.", default=()
    )
    existing_update_point: tuple[ExistingUpdatePoint, ...] = setting(
        "An existing software update point (WSUS) to publish. May repeat.", default=()
    )
    entra_tenant: tuple[EntraTenantConfig, ...] = setting(
        "An Entra ID tenant whose devices and users are believed. May repeat.", default=()
    )
    entra_keys: EntraKeysSection = setting(
        "How the signing keys of Entra tenants are fetched and kept.", factory=EntraKeysSection
    )
