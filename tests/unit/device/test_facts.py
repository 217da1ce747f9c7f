import shutil
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from causeway.device import facts
from causeway.device.facts import (
    Disk,
    Firmware,
    MachineFacts,
    NetworkInterface,
    OperatingSystem,
    Processors,
    Volume,
    read_facts,
)
from causeway.device.inventory import hardware_instances, heartbeat_instances
from causeway.device.packages import Package, parse_dpkg_status, parse_rpm_listing, read_packages
from causeway.messaging.reports import Report, ReportKind, parse_report

MACHINE = MachineFacts(
    name="pc1",
    domain="corp",
    memory_bytes=8 * 1024**3,
    firmware=Firmware("Vendor", "Model\0", "S1", "U1", "BIOS maker", "1.2", "01/01/2026"),
    system=OperatingSystem("Debian 12", "12", "6.1", "x86_64", datetime(2026, 11, 23, tzinfo=UTC)),
    processors=Processors("CPU", 2, 4, 2600),
    interfaces=(NetworkInterface("eth0", "02:FC:00:00:00:01", ("192.0.2.2", "fd00::2")),),
    disks=(Disk("vda", "Virtual", 1024**3),),
    volumes=(Volume("/dev/vda", "/", "ext4", 2 * 1024**2, 1024**2),),
)


def test_an_inventory_has_every_fact_and_survives_the_wire() -> None:
    instances = hardware_instances(MACHINE, (Package("bash", "5.2", "Debian"),), name="PC1")
    report = Report(
        ReportKind.HARDWARE_INVENTORY,
        "GUID:2B0CC2E3-9A4D-4C53-B1B3-6E0C1C7D8A90",
        datetime(2026, 11, 23, tzinfo=UTC),
        instances=instances,
    )
    classes = parse_report(report.to_xml()).by_class()
    assert classes["Win32_ComputerSystem"][0]["TotalPhysicalMemory"] == "8388608"
    assert classes["Win32_ComputerSystem"][0]["Model"] == "Model\N{REPLACEMENT CHARACTER}"
    assert classes["Win32_Processor"][0]["NumberOfCores"] == "2"
    assert classes["Win32_OperatingSystem"][0]["LastBootUpTime"] == "20261123000000.000000+000"
    assert classes["Win32_DiskDrive"] == [{"DeviceID": "/dev/vda", "Model": "Virtual", "Size": "1024"}]
    assert classes["Win32_LogicalDisk"][0]["FreeSpace"] == "1"
    assert classes["Win32_NetworkAdapterConfiguration"][0]["IPAddress"] == "192.0.2.2, fd00::2"
    assert classes["SMS_InstalledSoftware"][0]["ProductVersion"] == "5.2"


def test_a_heartbeat_has_what_clients_must_tell() -> None:
    instances = heartbeat_instances(MACHINE, name="PC1", site_code="PS1")
    assert {one.class_name for one in instances} >= {
        "CCM_ComputerSystem",
        "CCM_Client",
        "SMS_Authority",
        "CCM_ADSiteInfo",
        "CCM_DiscoveryData",
        "Win32_ComputerSystemProduct",
    }


def test_facts_are_read_from_a_machines_files(tmp_path: Path) -> None:
    files = {
        "sys/class/dmi/id/sys_vendor": "Vendor\n",
        "sys/class/dmi/id/product_uuid": "ab-cd\n",
        "etc/os-release": "PRETTY_NAME=\"Debian 12\"\nVERSION_ID='12'\n",
        "proc/cpuinfo": "processor\t: 0\nmodel name\t: CPU 9000\n",
        "sys/block/vda/size": "2048\n",
        "sys/block/vda/device/model": "Virtual\n",
        "sys/block/loop0/size": "8\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = read_facts(tmp_path)
    assert (found.firmware.manufacturer, found.firmware.uuid, found.firmware.serial) == ("Vendor", "AB-CD", "")
    assert (found.system.name, found.system.version) == ("Debian 12", "12")
    assert found.processors.model == "CPU 9000"
    assert found.disks == (Disk("vda", "Virtual", 2048 * 512),)


def test_a_machine_that_tells_nothing_has_empty_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_path: str) -> None:
        raise PermissionError

    monkeypatch.setattr(psutil, "disk_usage", gone)
    monkeypatch.setattr(psutil, "cpu_freq", lambda: None)
    found = read_facts(tmp_path)
    assert found.firmware == Firmware()
    assert (found.disks, found.volumes, found.processors.mhz) == ((), (), 0)
    assert found.system.name == "Linux"
    assert "lo" not in {one.name for one in found.interfaces}


DPKG = """\
Package: bash
Status: install ok installed
Maintainer: Matthias <doko@debian.org>
Description: shell
 Status: of nothing
Version: 5.2.15-2+b7

Package: gone
Status: deinstall ok config-files
Version: 1

Package: broken
"""


def test_installed_packages_are_read_from_dpkg(tmp_path: Path) -> None:
    expected = (Package("bash", "5.2.15-2+b7", "Matthias <doko@debian.org>"),)
    assert parse_dpkg_status(DPKG) == expected
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(DPKG)
    assert read_packages(tmp_path) == expected


def test_installed_packages_are_asked_of_rpm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rpm = tmp_path / "rpm"
    rpm.write_text("#!/bin/sh\nprintf 'bash\\t5.2-1\\tFedora\\nnonsense\\n'\n")
    rpm.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _name: str(rpm))
    assert read_packages(tmp_path) == (Package("bash", "5.2-1", "Fedora"),)
    rpm.write_text("#!/bin/sh\nexit 1\n")
    assert read_packages(tmp_path) == ()


def test_without_a_package_manager_there_are_no_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert read_packages(tmp_path) == ()
    assert parse_rpm_listing("") == ()


def test_a_text_of_any_length_is_cut(tmp_path: Path) -> None:
    (tmp_path / "long").write_text("x" * 10_000)
    assert len(facts._text(tmp_path / "long")) == 4096
