"""Cloud, region, resource group, subscription."""

import difflib
from collections.abc import Iterator

from causeway.clouds import CLOUDS
from causeway.plan.document import Plan
from causeway.plan.finding import PlanFinding, Severity
from causeway.plan.regions import REGIONS, cloud_of
from causeway.plan.rules import RULES, ResourceKind


def look(plan: Plan) -> Iterator[PlanFinding]:
    """What contradicts in ``[azure]``."""
    yield from _region(plan)
    for problem in RULES[ResourceKind.RESOURCE_GROUP].problems(plan.azure.resource_group):
        yield PlanFinding(
            Severity.ERROR,
            "ResourceGroupName",
            "azure.resource_group",
            f"the resource group's name {problem}",
            "Azure would refuse to make it.",
            "choose another name",
        )
    if plan.azure.resource_group_exists:
        yield PlanFinding(
            Severity.NOTE,
            "ResourceGroupRegion",
            "azure.resource_group_exists",
            f"{plan.azure.resource_group} exists already",
            "Where its region is another than the deployment's, everything is made but the scale set, and the "
            "deployment ends in an error.",
            f"see that `az group show --name {plan.azure.resource_group} --query location` says {plan.azure.region}",
        )
    for key, value in (
        ("azure.subscription_id", plan.azure.subscription_id),
        ("azure.tenant_id", plan.azure.tenant_id),
    ):
        if value is None:
            yield PlanFinding(
                Severity.WARNING,
                "NotYetKnown",
                key,
                f"{key.removeprefix('azure.')} is not named yet",
                "Nothing can be checked or made in Azure without it.",
                "set it; `az account show` prints both",
            )


def _region(plan: Plan) -> Iterator[PlanFinding]:
    region, cloud = plan.azure.region, CLOUDS[plan.azure.cloud]
    belongs = cloud_of(region)
    if belongs is None:
        yield PlanFinding(
            Severity.ERROR,
            "RegionChina",
            "azure.region",
            f"{region} is a region of Azure in China",
            "That is a cloud of its own, which Microsoft's gateway does not support and ours has not been made for.",
            "choose a region of Azure Global or Azure US Government",
        )
    elif belongs is not plan.azure.cloud:
        yield PlanFinding(
            Severity.ERROR,
            "RegionOfAnotherCloud",
            "azure.region",
            f"{region} is a region of {CLOUDS[belongs].title}, and the plan's cloud is {cloud.title}",
            "The two have separate subscriptions, host names and sign-in.",
            f'set cloud = "{belongs}", or choose a region such as {REGIONS[plan.azure.cloud][0]}',
        )
    elif region not in REGIONS[plan.azure.cloud]:
        near = difflib.get_close_matches(region, REGIONS[plan.azure.cloud], 1)
        yield PlanFinding(
            Severity.WARNING,
            "RegionUnknown",
            "azure.region",
            f"{region} is no region that this causeway knows",
            "It may be new, or misspelt.",
            f"did you mean {near[0]}?" if near else "compare with `az account list-locations --query [].name`",
        )
