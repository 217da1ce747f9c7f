"""The names that follow from a plan: of the deployment, of every resource in Azure, and of the DNS record."""

from dataclasses import dataclass

from causeway.clouds import CLOUDS, Cloud
from causeway.plan.document import Plan
from causeway.plan.fact import Fact
from causeway.plan.rules import PREFIX, RULES, SHARED, ResourceKind
from causeway.plan.values import Target

TOPIC = "Names"
SUBNET = "gateway"
"""The one subnet of the virtual network."""


@dataclass(frozen=True, slots=True)
class ResourceName:
    """The name of one resource in Azure."""

    kind: ResourceKind
    name: str
    because: str


@dataclass(frozen=True, slots=True)
class CnameRecord:
    """The record that leads clients to Azure.

    Attributes:
        name: the service name, fully.
        zone: the public zone that it goes into.
        label: the name within that zone.
        target: the deployment name.
        ttl_s: lifetime, in seconds.
    """

    name: str
    zone: str
    label: str
    target: str
    ttl_s: int


def cloud(plan: Plan) -> Cloud:
    """The row of the table of clouds."""
    return CLOUDS[plan.azure.cloud]


def deployment_name(plan: Plan) -> str:
    """``<prefix>.<region>.<suffix>``: the name that Azure gives to the public IP address.

    For Azure US Government, Microsoft's pages about the cloud management gateway print other suffixes than Azure's own
    table. What Azure answers (``publicIP.dnsSettings.fqdn``) counts.
    """
    return f"{plan.names.prefix}.{plan.azure.region}.{cloud(plan).vm_suffix}"


def has_own_domain(plan: Plan) -> bool:
    """Whether the service name is of the organisation's own domain, and so needs a CNAME record."""
    return azure_suffix(plan.names.service_name) is None


def azure_suffix(name: str) -> str | None:
    """The suffix of Azure's that ``name`` ends with, of any cloud, present or past; None for an own domain."""
    suffixes = [each.vm_suffix for each in CLOUDS.values()]
    # Where the classic deployment's names were, and what Microsoft's pages print for Azure US Government.
    suffixes += ["cloudapp.net", "usgovcloudapp.net", "usgovcloudapi.net"]
    return next((suffix for suffix in suffixes if name.lower().endswith(f".{suffix}")), None)


def cname_record(plan: Plan) -> CnameRecord | None:
    """The record to create; None where the service name is the Azure name."""
    if not has_own_domain(plan):
        return None
    name = plan.names.service_name
    zone = plan.dns.zone or name.partition(".")[2]
    inside = name.lower().endswith(f".{zone.lower()}")
    label = name[: -len(zone) - 1] if inside else name.partition(".")[0]
    return CnameRecord(name, zone, label, deployment_name(plan), plan.dns.ttl_s)


def resource_names(plan: Plan) -> tuple[ResourceName, ...]:
    """What everything in Azure is called.

    Of Microsoft's gateway only the names that it takes from the prefix are known; it chooses the rest itself.
    """
    prefix = plan.names.prefix
    found = [ResourceName(ResourceKind.RESOURCE_GROUP, plan.azure.resource_group, "as the plan says")]
    same = {
        ResourceKind.DNS_LABEL: "the label of the public IP address, and so the first part of the deployment name",
        ResourceKind.SCALE_SET: "the machines; named like the deployment",
        ResourceKind.KEY_VAULT: "holds the server certificate; named like the deployment",
        ResourceKind.STORAGE_ACCOUNT: "holds content and logs; named like the deployment",
    }
    found += [ResourceName(kind, prefix, because) for kind, because in same.items()]
    if plan.target is Target.CAUSEWAY:
        found += [
            ResourceName(ResourceKind.PUBLIC_IP, f"{prefix}-ip", "the one address that clients reach"),
            ResourceName(ResourceKind.LOAD_BALANCER, f"{prefix}-lb", "spreads clients over the instances"),
            ResourceName(ResourceKind.VIRTUAL_NETWORK, f"{prefix}-vnet", f'one subnet, "{SUBNET}"'),
            ResourceName(ResourceKind.NETWORK_SECURITY_GROUP, f"{prefix}-nsg", "opens the service and tunnel ports"),
            ResourceName(ResourceKind.IDENTITY, f"{prefix}-identity", "reads the certificate from the key vault"),
        ]
    return tuple(found)


def name_of(plan: Plan, kind: ResourceKind) -> str:
    """The name of one resource.

    Raises:
        KeyError: of Microsoft's gateway that name is not known.
    """
    return {each.kind: each.name for each in resource_names(plan)}[kind]


def facts(plan: Plan) -> tuple[Fact, ...]:
    """Every name, and why it is so."""
    region, suffix = plan.azure.region, cloud(plan).vm_suffix
    found = [
        Fact(
            TOPIC,
            "Service name",
            plan.names.service_name,
            "What clients connect to, and what the server certificate must be for.",
        ),
        Fact(
            TOPIC,
            "Deployment name",
            deployment_name(plan),
            f"Azure names a public address <label>.<region>.<suffix>: your prefix, {region}, and {suffix} for "
            f"{cloud(plan).title}.",
        ),
    ]
    if record := cname_record(plan):
        found.append(
            Fact(
                TOPIC,
                "CNAME record",
                f"{record.name} → {record.target}",
                f"The service name is of your own domain, so the public zone {record.zone} must lead it to the name "
                "that Azure gives.",
            )
        )
    else:
        found.append(
            Fact(TOPIC, "CNAME record", "none", "The service name is the Azure name, which Azure resolves itself.")
        )
    for each in resource_names(plan):
        rule = RULES[each.kind]
        title = rule.title.removeprefix("a ")
        found.append(
            Fact(
                TOPIC,
                title[:1].upper() + title[1:],
                each.name,
                f"{each.because[:1].upper()}{each.because[1:]}. Rule: {rule.sentence()}. Must be free {rule.unique}.",
            )
        )
    bearers = ", ".join(RULES[kind].title.removeprefix("a ") for kind in SHARED)
    found.append(
        Fact(
            TOPIC,
            "What a prefix may be",
            PREFIX.sentence(),
            f"It is at once the name of {bearers}, so every one of their rules holds: my-cmg would do for a DNS label "
            "and a key vault, but a storage account takes no hyphen.",
        )
    )
    return tuple(found)
