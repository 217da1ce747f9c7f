"""The rights that a plan asks for: resource providers, actions in Azure, roles in Azure and Entra ID, and who grants.

Actions are those of Azure's resource provider operations. Microsoft documents whole roles for its own gateway (Owner of
the subscription; for the applications Global Administrator, who is only needed while the console makes them).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from causeway.plan.applications import applications
from causeway.plan.document import Plan
from causeway.plan.fact import Fact
from causeway.plan.names import deployment_name
from causeway.plan.values import Target

TOPIC = "Rights"


class Plane(StrEnum):
    """Where a role is granted."""

    AZURE = "Azure"
    ENTRA = "Entra ID"
    SITE = "Configuration Manager"


@dataclass(frozen=True, slots=True)
class RoleNeed:
    """One role that somebody must have.

    Attributes:
        plane: where it is granted.
        who: the person or identity.
        role: its name.
        scope: on what.
        granted_by: who can grant it.
        because: what it is needed for, and until when.
    """

    plane: Plane
    who: str
    role: str
    scope: str
    granted_by: str
    because: str


PREFLIGHT_ACTIONS = (
    "Microsoft.Authorization/permissions/read",
    "Microsoft.Authorization/denyAssignments/read",
    "Microsoft.Authorization/policyAssignments/read",
    "Microsoft.Authorization/roleEligibilityScheduleInstances/read",
    "Microsoft.Compute/locations/usages/read",
    "Microsoft.Compute/skus/read",
    "Microsoft.Compute/virtualMachineScaleSets/read",
    "Microsoft.KeyVault/checkNameAvailability/read",
    "Microsoft.KeyVault/deletedVaults/read",
    "Microsoft.KeyVault/vaults/read",
    "Microsoft.Network/locations/checkDnsNameAvailability/read",
    "Microsoft.Network/locations/usages/read",
    "Microsoft.Network/publicIPAddresses/read",
    "Microsoft.PolicyInsights/checkPolicyRestrictions/read",
    "Microsoft.Resources/subscriptions/read",
    "Microsoft.Resources/subscriptions/providers/read",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Storage/checkNameAvailability/read",
    "Microsoft.Storage/locations/usages/read",
    "Microsoft.Storage/storageAccounts/read",
)
"""What ``causeway check`` reads in the subscription."""

DEPLOYMENT_ACTIONS = (
    "Microsoft.Authorization/roleAssignments/read",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Compute/virtualMachineScaleSets/*",
    "Microsoft.KeyVault/vaults/*",
    "Microsoft.ManagedIdentity/userAssignedIdentities/*",
    "Microsoft.Network/loadBalancers/*",
    "Microsoft.Network/networkSecurityGroups/*",
    "Microsoft.Network/publicIPAddresses/*",
    "Microsoft.Network/virtualNetworks/*",
    "Microsoft.Resources/deployments/*",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Storage/storageAccounts/*",
)
"""What a deployment does within its resource group."""

_GROUP_WRITE = "Microsoft.Resources/subscriptions/resourceGroups/write"
_OWNER = "an Owner or a User Access Administrator of the subscription"
_ENTRA_ADMIN = "a Global Administrator or a Privileged Role Administrator"


def resource_providers(plan: Plan) -> tuple[str, ...]:
    """The resource providers that must be registered in the subscription."""
    found = ["Microsoft.Compute", "Microsoft.KeyVault", "Microsoft.Network", "Microsoft.Storage"]
    if plan.target is Target.CAUSEWAY:
        found.append("Microsoft.ManagedIdentity")
    return tuple(found)


def subscription_actions(plan: Plan) -> tuple[str, ...]:
    """The actions that the person who plans and deploys needs on the subscription."""
    found = [*PREFLIGHT_ACTIONS, *(f"{name}/register/action" for name in resource_providers(plan))]
    if not plan.azure.resource_group_exists:
        found.append(_GROUP_WRITE)
    return tuple(sorted(found))


def custom_roles(plan: Plan) -> tuple[dict[str, Any], ...]:
    """The custom roles, as ``az role definition create --role-definition`` takes them; none for Microsoft's gateway."""
    if plan.target is Target.CONFIGMGR:
        return ()
    subscription = f"/subscriptions/{plan.azure.subscription_id or '<subscription id>'}"

    def role(name: str, description: str, actions: tuple[str, ...]) -> dict[str, Any]:
        return {
            "Name": f"Causeway {name} ({plan.names.prefix})",
            "IsCustom": True,
            "Description": description,
            "Actions": list(actions),
            "NotActions": [],
            "DataActions": [],
            "NotDataActions": [],
            "AssignableScopes": [subscription],
        }

    return (
        role("preflight", "Looks whether a gateway can be deployed, and prepares for it.", subscription_actions(plan)),
        role("deployment", "Deploys and keeps a gateway, within one resource group.", DEPLOYMENT_ACTIONS),
    )


def role_needs(plan: Plan) -> tuple[RoleNeed, ...]:
    """Every role, with the least privilege that serves."""
    return (*(_configmgr(plan) if plan.target is Target.CONFIGMGR else _causeway(plan)), *_entra(plan))


def _causeway(plan: Plan) -> list[RoleNeed]:
    preflight, deployment = (role["Name"] for role in custom_roles(plan))
    group = f"the resource group {plan.azure.resource_group}"
    who = "who deploys"
    found = [
        RoleNeed(
            Plane.AZURE,
            who,
            preflight,
            "the subscription",
            _OWNER,
            "Checks, registers resource providers and makes the resource group: without it, Contributor.",
        ),
        RoleNeed(
            Plane.AZURE,
            who,
            deployment,
            group,
            _OWNER,
            "Makes everything in the resource group and lets the gateway's identity read its certificate: without it, "
            "Owner of that resource group.",
        ),
        RoleNeed(
            Plane.AZURE,
            who,
            "Key Vault Certificates Officer",
            f"the key vault {plan.names.prefix}",
            "who deploys, by the role above",
            "Brings the server certificate into the vault, now and at each renewal.",
        ),
        RoleNeed(
            Plane.AZURE,
            f"the gateway's identity {plan.names.prefix}-identity",
            "Key Vault Secrets User",
            f"the key vault {plan.names.prefix}",
            "the deployment itself",
            "Reads the server certificate with its key, and nothing else.",
        ),
    ]
    if plan.content.enabled:
        found.append(
            RoleNeed(
                Plane.AZURE,
                "the service connection point",
                "Storage Blob Data Contributor",
                f"the storage account {plan.names.prefix}",
                "the deployment itself",
                "Uploads content and signs the links by which clients download it.",
            )
        )
    return found


def _configmgr(plan: Plan) -> list[RoleNeed]:
    return [
        RoleNeed(
            Plane.AZURE,
            "who runs the wizard",
            "Owner",
            "the subscription",
            "an Owner of the subscription or an administrator of the management group above",
            "Microsoft documents Owner for creating the gateway: it gives the server application Contributor on the "
            "resource group. Only while it is created.",
        ),
        RoleNeed(
            Plane.AZURE,
            "the server application",
            "Contributor",
            f"the resource group {plan.azure.resource_group}",
            "the wizard",
            "The service connection point deploys and looks after the gateway with it, for good.",
        ),
        RoleNeed(
            Plane.SITE,
            "who runs the wizard",
            "Infrastructure Administrator",
            f"site {plan.site.code or '<site code>'}, the top-level site",
            "a Full Administrator",
            "Makes the gateway and the connection points in the console.",
        ),
    ]


def _entra(plan: Plan) -> list[RoleNeed]:
    wanted = applications(plan)
    if not wanted:
        return []
    found = [
        RoleNeed(
            Plane.ENTRA,
            "who registers the applications",
            "Cloud Application Administrator",
            "the tenant",
            _ENTRA_ADMIN,
            "Registers the applications and consents to delegated permissions. Only while they are made; the console's "
            "own way of making them wants a Global Administrator, registering them by hand and importing them does not."
            if plan.target is Target.CONFIGMGR
            else "Registers the applications and consents to delegated permissions. Only while they are made.",
        )
    ]
    permissions = [name for each in wanted for name in each.graph_application_permissions]
    if permissions:
        found.append(
            RoleNeed(
                Plane.ENTRA,
                "who consents",
                "Privileged Role Administrator",
                "the tenant",
                "a Global Administrator",
                f"Consents to the application permission {', '.join(permissions)} of Microsoft Graph, which is beyond "
                "a Cloud Application Administrator. Once.",
            )
        )
    return found


def facts(plan: Plan) -> tuple[Fact, ...]:
    """Providers and roles, and why."""
    found = [
        Fact(
            TOPIC,
            "Resource providers",
            ", ".join(resource_providers(plan)),
            f"Azure refuses to make anything of a provider that is not registered in the subscription; "
            f"{deployment_name(plan)} needs these.",
        )
    ]
    found += [
        Fact(
            TOPIC,
            f"{need.plane}: {need.who}",
            f"{need.role} on {need.scope}",
            f"{need.because} Granted by {need.granted_by}.",
        )
        for need in role_needs(plan)
    ]
    return tuple(found)
