"""Azure's regions by cloud, as far as a plan can know them: a region that is not here may be new."""

from causeway.clouds import CloudName

_GLOBAL = (
    "australiacentral australiaeast australiasoutheast austriaeast belgiumcentral brazilsouth canadacentral canadaeast "
    "centralindia centralus chilecentral eastasia eastus eastus2 francecentral germanywestcentral indonesiacentral "
    "israelcentral italynorth japaneast japanwest koreacentral koreasouth malaysiawest mexicocentral newzealandnorth "
    "northcentralus northeurope norwayeast polandcentral qatarcentral southafricanorth southcentralus southeastasia "
    "southindia spaincentral swedencentral switzerlandnorth uaenorth uksouth ukwest westcentralus westeurope westindia "
    "westus westus2 westus3"
)
_US_GOVERNMENT = "usdodcentral usdodeast usgovarizona usgovtexas usgovvirginia"

REGIONS: dict[CloudName, tuple[str, ...]] = {
    CloudName.GLOBAL: tuple(_GLOBAL.split()),
    CloudName.US_GOVERNMENT: tuple(_US_GOVERNMENT.split()),
}


def cloud_of(region: str) -> CloudName | None:
    """The cloud that a region belongs to; None for China, which is another cloud that no gateway is planned in."""
    if region.startswith("china"):
        return None
    return CloudName.US_GOVERNMENT if region.startswith(("usgov", "usdod")) else CloudName.GLOBAL
