"""What is known of sizes of virtual machines, and how many clients one serves."""

from dataclasses import dataclass

from causeway.plan.values import Target


@dataclass(frozen=True, slots=True)
class VmSize:
    """One size.

    Attributes:
        name: as Azure calls it.
        vcpus: its processors; our gateway runs a worker on each.
        memory_gib: its memory.
        target: whose gateway it is for.
        published_clients: what Microsoft publishes for its gateway, clients at the same time on one instance.
        note: what to know of it.
    """

    name: str
    vcpus: int
    memory_gib: int
    target: Target
    published_clients: int | None = None
    note: str = ""


VM_SIZES: dict[str, VmSize] = {
    size.name: size
    for size in (
        VmSize("Standard_B2s", 2, 4, Target.CONFIGMGR, 10, "for a lab only"),
        VmSize("Standard_A2_v2", 2, 4, Target.CONFIGMGR, 6000, "the default"),
        VmSize("Standard_A4_v2", 4, 8, Target.CONFIGMGR, 10_000),
        VmSize("Standard_B2ats_v2", 2, 1, Target.CAUSEWAY, note="for a lab: its processor time is rationed"),
        VmSize("Standard_B2als_v2", 2, 4, Target.CAUSEWAY, note="for a lab: its processor time is rationed"),
        VmSize("Standard_D2as_v5", 2, 8, Target.CAUSEWAY),
        VmSize("Standard_D2s_v5", 2, 8, Target.CAUSEWAY, note="the default"),
        VmSize("Standard_D4as_v5", 4, 16, Target.CAUSEWAY),
        VmSize("Standard_D4s_v5", 4, 16, Target.CAUSEWAY),
        VmSize("Standard_D8as_v5", 8, 32, Target.CAUSEWAY),
        VmSize("Standard_D8s_v5", 8, 32, Target.CAUSEWAY),
    )
}

MAX_INSTANCES = 16
"""Of Microsoft's gateway; each instance has one of the ports 10124 to 10139."""

DEFAULT_SIZE = {Target.CAUSEWAY: "Standard_D2s_v5", Target.CONFIGMGR: "Standard_A2_v2"}


def workers(vm_size: str) -> int:
    """The workers of one instance of our gateway: one for each processor; 2 where the size is not known here."""
    size = VM_SIZES.get(vm_size)
    return size.vcpus if size else 2
