"""The workloads, in the order in which they are measured."""

from bench.workloads.base import Workload
from bench.workloads.bulk import Download, Upload
from bench.workloads.device import Device
from bench.workloads.first_byte import FirstByte
from bench.workloads.idle import Idle
from bench.workloads.requests import FRESH, Kept

WORKLOADS: dict[str, Workload] = {
    workload.name: workload for workload in (Kept(), *FRESH, Device(), Download(), Upload(), FirstByte(), Idle())
}
