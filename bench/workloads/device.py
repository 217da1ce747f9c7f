"""What a real device does: registration, policy assignments, one policy body, a heartbeat; a fresh connection each."""

from bench.load.wrk import Load, Request
from bench.origin import AnsweringOrigin, Origin, answer_path
from bench.workbench import Workbench
from bench.workloads.base import WrkWorkload

# Sizes of bodies as the reference device and its management point exchange them; the answers to the second and third
# are those of a site with some dozens of policies.
_MESSAGES = (
    Request("CCM_POST", answer_path(2_200), 5_800),
    Request("CCM_POST", answer_path(12_000), 3_900),
    Request("GET", answer_path(8_000)),
    Request("CCM_POST", answer_path(0), 6_800),
)


class Device(WrkWorkload):
    """Registration, policy assignments, a policy's body, a heartbeat, round and round."""

    name = "device"
    title = "what a device does: four messages, a fresh connection each, P-256, client certificates"
    load = Load(_MESSAGES, close=True)

    def origin(self, bench: Workbench) -> Origin:
        """The one that takes bodies."""
        return AnsweringOrigin(bench)
