"""HAProxy built from the release in Debian's source package, for systems whose own HAProxy is too old for reverse HTTP.

Debian 13 has HAProxy 3.0, and its source compiles on Debian 12. The package is fetched with apt in a configuration of
its own, from the mirror that this machine uses anyway and verified as apt does; the system's sources are not touched.
"""

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.errors import BenchError

_RELEASE = "trixie"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_OR_ELSE = "install HAProxy 3.0 or newer and name it with HAPROXY_BIN"

OutputOf = Callable[[Sequence[str | Path]], str]


def built_in(cache: Path) -> Path:
    """Where the program is kept."""
    return cache / f"haproxy-{_RELEASE}"


def build(built: Path, output_of: OutputOf) -> None:
    """Make the program ``built``.

    Raises:
        BenchError: it cannot be fetched or built.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="causeway-bench-") as name:
            source = _fetch(Path(name), output_of)
            processors = os.cpu_count() or 1
            output_of(["make", "-C", source, f"-j{processors}", "TARGET=linux-glibc", "USE_OPENSSL=1", "USE_PROMEX=1"])
            aside = built.with_suffix(".part")
            aside.write_bytes((source / "haproxy").read_bytes())
            aside.chmod(0o755)
            aside.rename(built)
    except BenchError as error:
        raise BenchError(f"HAProxy with reverse HTTP cannot be built: {error}; {_OR_ELSE}") from error


def mirror(index_targets: str) -> str:
    """The address of the archive, from what ``apt-get indextargets`` says of this machine.

    Args:
        index_targets: a line a package index: ``origin|label|address``.

    Raises:
        BenchError: no source of this machine is Debian's main archive.
    """
    for line in index_targets.splitlines():
        origin, label, address = line.split("|", 2)
        if origin == label == "Debian":
            return address
    raise BenchError("no package source of this machine is Debian's archive")


def sources(address: str) -> str:
    """The apt sources file for the release's source packages."""
    return f"Types: deb-src\nURIs: {address}\nSuites: {_RELEASE}\nComponents: main\nSigned-By: {_KEYRING}\n"


def _targets(output_of: OutputOf) -> str:
    return output_of(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages"])


def _fetch(folder: Path, output_of: OutputOf) -> Path:
    """The unpacked source."""
    targets = _targets(output_of)
    if "Debian|" not in targets and os.geteuid() == 0:
        output_of(["apt-get", "-qq", "update"])  # the lists were cleaned away, as in many images
        targets = _targets(output_of)
    for name in ("sources.list.d", "lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "sources.list.d" / f"{_RELEASE}.sources").write_text(sources(mirror(targets)))
    apt = [
        "apt-get",
        "-qq",
        *("-o", "Dir::Etc::SourceList=/dev/null"),
        *("-o", f"Dir::Etc::SourceParts={folder / 'sources.list.d'}"),
        *("-o", f"Dir::State::Lists={folder / 'lists'}"),
        *("-o", f"Dir::Cache={folder / 'cache'}"),
        *("-o", "APT::Sandbox::User=root"),  # the folder is this user's alone
    ]
    output_of([*apt, "update"])
    # apt-get source writes into the current folder. HAProxy's own release is all that is wanted: Debian's patches to it
    # change with each update, and not every mirror has them all.
    output_of(["env", "-C", str(folder), *apt, "source", "--download-only", "--tar-only", "haproxy"])
    output_of(["tar", "-C", folder, "-xf", next(folder.glob("haproxy_*.orig.tar.*"))])
    return next(folder.glob("haproxy-*/Makefile")).parent
