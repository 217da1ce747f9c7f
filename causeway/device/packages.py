"""The packages that are installed on this machine, as its package manager knows them."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_MAX_PACKAGES = 20_000
_RPM_TIMEOUT_S = 60
_INSTALLED = "install ok installed"


@dataclass(frozen=True, slots=True)
class Package:
    """A package: its name, version, and who made it."""

    name: str
    version: str
    publisher: str = ""


def read_packages(root: Path = Path("/")) -> tuple[Package, ...]:
    """Return the installed packages of a Debian-like or an RPM-based system; none where there is no such manager.

    It may take seconds: not for an event loop's thread.
    """
    status = root / "var/lib/dpkg/status"
    if status.exists():
        return parse_dpkg_status(status.read_text(encoding="utf-8", errors="replace"))
    rpm = shutil.which("rpm")
    return _ask_rpm(rpm) if rpm is not None else ()


def parse_dpkg_status(text: str) -> tuple[Package, ...]:
    """Return the installed packages in dpkg's status file (deb-control(5): paragraphs of fields)."""
    found: list[Package] = []
    for paragraph in text.split("\n\n"):
        fields = dict(
            line.split(": ", maxsplit=1) for line in paragraph.splitlines() if ": " in line and not line[0].isspace()
        )
        if fields.get("Status") == _INSTALLED and "Package" in fields:
            found.append(Package(fields["Package"], fields.get("Version", ""), fields.get("Maintainer", "")))
    return tuple(found[:_MAX_PACKAGES])


def parse_rpm_listing(text: str) -> tuple[Package, ...]:
    """Return the packages in a listing of name, version and vendor between tabs."""
    rows = (line.split("\t") for line in text.splitlines())
    return tuple(Package(*row) for row in rows if len(row) == 3)[:_MAX_PACKAGES]


def _ask_rpm(rpm: str) -> tuple[Package, ...]:
    listing = "%{NAME}\t%{VERSION}-%{RELEASE}\t%{VENDOR}\n"
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            [rpm, "--query", "--all", "--queryformat", listing],
            capture_output=True,
            check=True,
            timeout=_RPM_TIMEOUT_S,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return parse_rpm_listing(done.stdout)
