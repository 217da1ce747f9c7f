"""A machine's facts as the instances of a heartbeat and of a hardware inventory.

Class and property names are those that Configuration Manager's inventory uses for Windows, so that what reads reports
from Windows clients reads these; what Linux has no equal of is left out.
"""

from causeway import __version__
from causeway.device.facts import MachineFacts
from causeway.device.packages import Package
from causeway.messaging.identifiers import format_cim_datetime
from causeway.messaging.reports import Instance

_CIM = "root\\cimv2"
_CLIENT = "root\\ccm"
_KIB = 1024
_MIB = 1024 * 1024

Properties = tuple[tuple[str, str], ...]


def heartbeat_instances(facts: MachineFacts, *, name: str, site_code: str) -> tuple[Instance, ...]:
    """Return what a heartbeat tells: who the machine is and where it is to be found.

    Args:
        facts: the machine's.
        name: the device's name, in the short form.
        site_code: the site that it belongs to.
    """
    adapters = tuple(
        _instance("CCM_NetworkAdapterConfiguration", _network(index, one.mac, one.addresses, one.name), _CLIENT)
        for index, one in enumerate(facts.interfaces)
    )
    return (
        _instance("CCM_ComputerSystem", (("Name", name), ("Domain", facts.domain)), _CLIENT),
        _instance("CCM_Client", (("ClientVersion", __version__), ("PreviousSMSUUID", "Unknown")), _CLIENT),
        _instance("SMS_Authority", (("Name", f"SMS:{site_code}"),), _CLIENT),
        _instance("CCM_ADSiteInfo", (("ADSiteName", ""),), _CLIENT),
        _instance("CCM_DiscoveryData", (("PlatformID", f"{facts.system.name} {facts.system.version}"),), _CLIENT),
        _computer_system_product(facts),
        *adapters,
    )


def hardware_instances(facts: MachineFacts, packages: tuple[Package, ...], *, name: str) -> tuple[Instance, ...]:
    """Return what a hardware inventory tells, installed software included."""
    return (
        *_machine(facts, name),
        *(
            _instance("Win32_NetworkAdapterConfiguration", _network(index, one.mac, one.addresses, one.name))
            for index, one in enumerate(facts.interfaces)
        ),
        *(
            _instance(
                "Win32_DiskDrive",
                (("DeviceID", f"/dev/{one.name}"), ("Model", one.model), ("Size", str(one.size_bytes // _MIB))),
            )
            for one in facts.disks
        ),
        *(
            _instance(
                "Win32_LogicalDisk",
                (
                    ("DeviceID", one.mounted_at),
                    ("Name", one.device),
                    ("FileSystem", one.file_system),
                    ("Size", str(one.size_bytes // _MIB)),
                    ("FreeSpace", str(one.free_bytes // _MIB)),
                ),
            )
            for one in facts.volumes
        ),
        *(
            _instance(
                "SMS_InstalledSoftware",
                (
                    ("SoftwareCode", one.name),
                    ("ProductName", one.name),
                    ("ProductVersion", one.version),
                    ("Publisher", one.publisher),
                ),
            )
            for one in packages
        ),
    )


def _machine(facts: MachineFacts, name: str) -> tuple[Instance, ...]:
    firmware, system, processors = facts.firmware, facts.system, facts.processors
    return (
        _instance(
            "Win32_ComputerSystem",
            (
                ("Name", name),
                ("Domain", facts.domain),
                ("Manufacturer", firmware.manufacturer),
                ("Model", firmware.model),
                ("NumberOfLogicalProcessors", str(processors.threads)),
                ("TotalPhysicalMemory", str(facts.memory_bytes // _KIB)),
                ("SystemType", system.architecture),
            ),
        ),
        _computer_system_product(facts),
        _instance(
            "Win32_BIOS",
            (
                ("Manufacturer", firmware.bios_vendor),
                ("SMBIOSBIOSVersion", firmware.bios_version),
                ("ReleaseDate", firmware.bios_date),
                ("SerialNumber", firmware.serial),
            ),
        ),
        _instance(
            "Win32_OperatingSystem",
            (
                ("Caption", system.name),
                ("Version", system.version),
                ("BuildNumber", system.kernel),
                ("OSArchitecture", system.architecture),
                ("LastBootUpTime", format_cim_datetime(system.started)),
                ("TotalVisibleMemorySize", str(facts.memory_bytes // _KIB)),
            ),
        ),
        _instance(
            "Win32_Processor",
            (
                ("DeviceID", "CPU0"),
                ("Name", processors.model),
                ("NumberOfCores", str(processors.cores)),
                ("NumberOfLogicalProcessors", str(processors.threads)),
                ("MaxClockSpeed", str(processors.mhz)),
            ),
        ),
    )


def _computer_system_product(facts: MachineFacts) -> Instance:
    firmware = facts.firmware
    return _instance(
        "Win32_ComputerSystemProduct",
        (
            ("Vendor", firmware.manufacturer),
            ("Name", firmware.model),
            ("IdentifyingNumber", firmware.serial),
            ("UUID", firmware.uuid),
        ),
    )


def _network(index: int, mac: str, addresses: tuple[str, ...], name: str) -> Properties:
    return (
        ("Index", str(index)),
        ("Description", name),
        ("MACAddress", mac),
        ("IPAddress", ", ".join(addresses)),
    )


def _instance(class_name: str, properties: Properties, namespace: str = _CIM) -> Instance:
    return Instance(class_name, properties, namespace)
