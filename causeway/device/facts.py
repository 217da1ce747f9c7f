"""The facts of this machine: hardware, operating system, network, disks. From ``/sys``, ``/proc`` and psutil.

A fact that this machine does not tell (a container has no firmware, a serial number is for root only) is empty or 0.
"""

import datetime
import platform
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

_SECTOR_BYTES = 512
_MAX_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Firmware:
    """What the firmware says of the machine, of itself and of the board."""

    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    uuid: str = ""
    bios_vendor: str = ""
    bios_version: str = ""
    bios_date: str = ""


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """The distribution's name and version, the kernel's release, and when it was started."""

    name: str
    version: str
    kernel: str
    architecture: str
    started: datetime.datetime


@dataclass(frozen=True, slots=True)
class Processors:
    """The processors' model, how many cores and threads they have together, and their nominal clock in MHz."""

    model: str
    cores: int
    threads: int
    mhz: int


@dataclass(frozen=True, slots=True)
class NetworkInterface:
    """An interface that is not the loopback: its hardware address and its IP addresses."""

    name: str
    mac: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk, without its partitions."""

    name: str
    model: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Volume:
    """A mounted file system."""

    device: str
    mounted_at: str
    file_system: str
    size_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """Everything together. ``name`` is the host name."""

    name: str
    domain: str
    memory_bytes: int
    firmware: Firmware
    system: OperatingSystem
    processors: Processors
    interfaces: tuple[NetworkInterface, ...]
    disks: tuple[Disk, ...]
    volumes: tuple[Volume, ...]


def read_facts(root: Path = Path("/")) -> MachineFacts:
    """Return the facts of this machine. It reads many small files: not for an event loop's thread.

    Args:
        root: where ``/sys``, ``/proc`` and ``/etc`` are, for tests.
    """
    name, _, domain = socket.gethostname().partition(".")
    return MachineFacts(
        name=name,
        domain=domain,
        memory_bytes=psutil.virtual_memory().total,
        firmware=_firmware(root / "sys/class/dmi/id"),
        system=_operating_system(root / "etc/os-release"),
        processors=_processors(root / "proc/cpuinfo"),
        interfaces=_interfaces(),
        disks=_disks(root / "sys/block"),
        volumes=_volumes(),
    )


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_MAX_TEXT).strip("\0\r\n\t ")
    except OSError:
        return ""


def _firmware(folder: Path) -> Firmware:
    return Firmware(
        manufacturer=_text(folder / "sys_vendor"),
        model=_text(folder / "product_name"),
        serial=_text(folder / "product_serial"),
        uuid=_text(folder / "product_uuid").upper(),
        bios_vendor=_text(folder / "bios_vendor"),
        bios_version=_text(folder / "bios_version"),
        bios_date=_text(folder / "bios_date"),
    )


def _operating_system(os_release: Path) -> OperatingSystem:
    values: dict[str, str] = {}
    for line in _text(os_release).splitlines():
        key, _, value = line.partition("=")
        values[key] = value.strip("\"'")
    kernel = platform.uname()
    return OperatingSystem(
        name=values.get("PRETTY_NAME") or values.get("NAME") or kernel.system,
        version=values.get("VERSION_ID", ""),
        kernel=kernel.release,
        architecture=kernel.machine,
        started=datetime.datetime.fromtimestamp(psutil.boot_time(), datetime.UTC),
    )


def _processors(cpuinfo: Path) -> Processors:
    models = (line.partition(":")[2].strip() for line in _text(cpuinfo).splitlines() if line.startswith("model name"))
    frequency = psutil.cpu_freq()
    threads = psutil.cpu_count() or 0
    return Processors(
        model=next(models, platform.machine()),
        cores=psutil.cpu_count(logical=False) or threads,
        threads=threads,
        mhz=round(frequency.max or frequency.current) if frequency is not None else 0,
    )


def _interfaces() -> tuple[NetworkInterface, ...]:
    found: list[NetworkInterface] = []
    for name, addresses in sorted(psutil.net_if_addrs().items()):
        if name == "lo":
            continue
        mac = next((one.address for one in addresses if one.family == psutil.AF_LINK), "")
        # The zone of a link-local address is this machine's own affair.
        ip = tuple(
            one.address.partition("%")[0] for one in addresses if one.family in {socket.AF_INET, socket.AF_INET6}
        )
        found.append(NetworkInterface(name, mac.upper(), ip))
    return tuple(found)


def _disks(folder: Path) -> tuple[Disk, ...]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return ()
    # Loop devices, RAM disks and device-mapper volumes have no hardware behind them.
    return tuple(
        Disk(entry.name, _text(entry / "device/model"), int(_text(entry / "size") or 0) * _SECTOR_BYTES)
        for entry in entries
        if (entry / "device").exists()
    )


def _volumes() -> tuple[Volume, ...]:
    found: list[Volume] = []
    for partition in psutil.disk_partitions(all=False):
        try:
            usage = psutil.disk_usage(partition.mountpoint)
        except OSError:
            continue
        found.append(Volume(partition.device, partition.mountpoint, partition.fstype, usage.total, usage.free))
    return tuple(found)
