"""Prefix, service name, DNS."""

from collections.abc import Iterator

from causeway.clouds import CloudName
from causeway.plan.document import Plan
from causeway.plan.finding import PlanFinding, Severity
from causeway.plan.names import cname_record, deployment_name, has_own_domain
from causeway.plan.rules import PREFIX, prefix_problems, suggest_prefix
from causeway.plan.values import DnsHosting, Target


def look(plan: Plan) -> Iterator[PlanFinding]:
    """What contradicts in ``[names]`` and ``[dns]``."""
    prefix, service_name = plan.names.prefix, plan.names.service_name
    if problems := prefix_problems(prefix):
        yield PlanFinding(
            Severity.ERROR,
            "PrefixRule",
            "names.prefix",
            f"{prefix} {problems[0]}" + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""),
            "The prefix names the DNS label, the scale set, the key vault and the storage account at once, so all of "
            f"their rules hold: {PREFIX.sentence()}.",
            f"use {suggest_prefix(prefix)}, for example",
        )
    if has_own_domain(plan):
        yield from _own_domain(plan)
    elif service_name.lower() != deployment_name(plan):
        yield PlanFinding(
            Severity.ERROR,
            "AzureNameOfAnother",
            "names.service_name",
            f"{service_name} is a name of Azure's, but this deployment's is {deployment_name(plan)}",
            "Azure gives that name to the label and region of the plan and to nothing else.",
            f'set service_name = "{deployment_name(plan)}", or use a name of your own domain',
        )
    if plan.azure.cloud is CloudName.US_GOVERNMENT:
        yield PlanFinding(
            Severity.NOTE,
            "GovernmentSuffix",
            "azure.cloud",
            f"the deployment name is expected to be {deployment_name(plan)}",
            "Microsoft's pages about the gateway print other suffixes than Azure's own table of names.",
            "once it is deployed, read the address's FQDN in the portal, and point the CNAME record to what it says",
        )
    if service_name != service_name.lower():
        yield PlanFinding(
            Severity.WARNING,
            "ServiceNameCase",
            "names.service_name",
            f"{service_name} has capital letters",
            "DNS makes no difference, but Microsoft's gateway compares the case of the certificate's name on renewal.",
            f"use {service_name.lower()} unless a certificate was issued otherwise",
        )


def _own_domain(plan: Plan) -> Iterator[PlanFinding]:
    record = cname_record(plan)
    assert record is not None
    label = plan.names.service_name.partition(".")[0].lower()
    if plan.target is Target.CONFIGMGR and not plan.certificate.wildcard and label != plan.names.prefix:
        yield PlanFinding(
            Severity.ERROR,
            "PrefixOfConfigMgr",
            "names.prefix",
            f"{plan.names.prefix} is not the first label of {plan.names.service_name}",
            "The wizard takes the deployment name from the first label of the certificate's common name.",
            f"use {suggest_prefix(label)} as the prefix and as the first label of the service name",
        )
    if plan.names.service_name.lower() == record.zone.lower():
        yield PlanFinding(
            Severity.ERROR,
            "CnameAtApex",
            "names.service_name",
            f"{plan.names.service_name} is the zone itself",
            "A zone's own name cannot have a CNAME record (RFC 1034, 3.6.2).",
            f"use a name within it, such as gateway.{record.zone}",
        )
    elif not plan.names.service_name.lower().endswith(f".{record.zone.lower()}"):
        yield PlanFinding(
            Severity.ERROR,
            "ZoneOfAnother",
            "dns.zone",
            f"{plan.names.service_name} is not in the zone {record.zone}",
            "The CNAME record has to go into the zone that holds the name.",
            "name the zone that the service name ends with",
        )
    if plan.dns.hosting is DnsHosting.AZURE_DNS and plan.dns.resource_group is None:
        yield PlanFinding(
            Severity.WARNING,
            "NotYetKnown",
            "dns.resource_group",
            "the resource group of the Azure DNS zone is not named",
            "The command that makes the record needs it.",
            "set it; `az network dns zone list --output table` shows it",
        )
