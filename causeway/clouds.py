"""The one table of clouds: every host name, scope and suffix that differs between them. Plain data.

Hosts and scopes are those of the Azure SDKs and of Microsoft's documentation. Where a name can be read back from Azure
(a public IP address's FQDN, say), what Azure answers counts, and this table is only the forecast.
"""

from dataclasses import dataclass
from enum import StrEnum


class CloudName(StrEnum):
    """The clouds that a gateway can stand in."""

    GLOBAL = "global"
    US_GOVERNMENT = "us-government"


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud's names.

    Attributes:
        name: as in plans and settings.
        title: as people call it.
        resource_manager: host of Azure Resource Manager.
        resource_manager_scope: OAuth scope of its tokens.
        authority: host that issues Entra ID tokens.
        sts: host in the issuer of Entra ID tokens of version 1.
        graph: host of Microsoft Graph.
        portal: host of the portal.
        storage_suffix: DNS suffix of storage accounts, behind ``<account>.blob.``.
        vault_suffix: DNS suffix of key vaults, behind ``<vault>.``.
        vm_suffix: DNS suffix of virtual machines' public names, behind ``<prefix>.<region>.``.
        sdk_setting: name of the cloud in the Azure SDK's ``AzureClouds``.
        cli_name: name of the cloud in the Azure CLI, for ``az cloud set --name``.
    """

    name: CloudName
    title: str
    resource_manager: str
    resource_manager_scope: str
    authority: str
    sts: str
    graph: str
    portal: str
    storage_suffix: str
    vault_suffix: str
    vm_suffix: str
    sdk_setting: str
    cli_name: str


CLOUDS: dict[CloudName, Cloud] = {
    cloud.name: cloud
    for cloud in (
        Cloud(
            name=CloudName.GLOBAL,
            title="Azure Global",
            resource_manager="management.azure.com",
            resource_manager_scope="https://management.azure.com/.default",
            authority="login.microsoftonline.com",
            sts="sts.windows.net",
            graph="graph.microsoft.com",
            portal="portal.azure.com",
            storage_suffix="core.windows.net",
            vault_suffix="vault.azure.net",
            vm_suffix="cloudapp.azure.com",
            sdk_setting="AZURE_PUBLIC_CLOUD",
            cli_name="AzureCloud",
        ),
        Cloud(
            name=CloudName.US_GOVERNMENT,
            title="Azure US Government",
            resource_manager="management.usgovcloudapi.net",
            resource_manager_scope="https://management.core.usgovcloudapi.net/.default",
            authority="login.microsoftonline.us",
            sts="sts.windows.net",
            graph="graph.microsoft.us",
            portal="portal.azure.us",
            storage_suffix="core.usgovcloudapi.net",
            vault_suffix="vault.usgovcloudapi.net",
            vm_suffix="cloudapp.usgovcloudapi.net",
            sdk_setting="AZURE_US_GOVERNMENT",
            cli_name="AzureUSGovernment",
        ),
    )
}
"""By name. A cloud is added here and nowhere else."""
