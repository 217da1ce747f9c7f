"""The machine, the programs on it, and what its OpenSSL can do at best."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from bench.certificates import ServerKey
from bench.errors import BenchError
from bench.needs import Tools, output_of

_ROOT = Path(__file__).parents[1]
_SPEED_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds of one operation each, by ``openssl speed`` on one processor."""

    rsa2048_sign_s: float
    rsa2048_verify_s: float
    rsa3072_verify_s: float
    p256_sign_s: float
    x25519_s: float

    def handshakes_per_s(self, server_key: ServerKey, *, certificate: bool) -> float:
        """What the asymmetric cryptography of a server's full handshake allows at most.

        Two operations of X25519 (a key and a secret) and one signature; with a client certificate of RSA-2048 its
        signature and that of its issuer (RSA-3072) are verified.
        """
        seconds = 2 * self.x25519_s + (self.rsa2048_sign_s if server_key is ServerKey.RSA else self.p256_sign_s)
        if certificate:
            seconds += self.rsa2048_verify_s + self.rsa3072_verify_s
        return 1 / seconds


def limits(tools: Tools) -> Limits:
    """Ask ``openssl speed``."""
    algorithms = ("rsa2048", "rsa3072", "ecdsap256", "ecdhx25519")
    return read_limits(output_of([tools.openssl, "speed", "-mr", "-seconds", str(_SPEED_SECONDS), *algorithms]))


def read_limits(report: str) -> Limits:
    """Read the machine-readable report: lines ``+F<kind>:<index>:<bits>:<seconds>:<seconds>``.

    Raises:
        BenchError: it is of another form.
    """
    signing: dict[tuple[str, str], tuple[float, float]] = {}
    agreeing: dict[str, float] = {}
    for line in report.splitlines():
        fields = line.split(":")
        if fields[0] in ("+F2", "+F4") and len(fields) >= 5:
            signing[fields[0], fields[2]] = (float(fields[3]), float(fields[4]))
        elif fields[0] == "+F5" and len(fields) >= 5:
            agreeing[fields[2]] = float(fields[4])
    try:
        return Limits(
            rsa2048_sign_s=_seconds(signing["+F2", "2048"][0]),
            rsa2048_verify_s=_seconds(signing["+F2", "2048"][1]),
            rsa3072_verify_s=_seconds(signing["+F2", "3072"][1]),
            p256_sign_s=_seconds(signing["+F4", "256"][0]),
            x25519_s=_seconds(agreeing["253"]),
        )
    except KeyError as error:
        raise BenchError(f"`openssl speed -mr` does not say how fast {error} is") from error


def _seconds(value: float) -> float:
    """OpenSSL writes seconds for an operation, or operations in a second, by its version."""
    return 1 / value if value > 1 else value


def processor() -> str:
    """The model, and how many there are."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{line.partition(':')[2].strip()}, {os.cpu_count()} processors"
    return f"{platform.machine()}, {os.cpu_count()} processors"


def system() -> str:
    """Kernel and distribution."""
    release = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{release}, Linux {platform.release()}"


def commit() -> str:
    """The working tree's commit; with a mark where it has changes."""
    try:
        found = output_of(["git", "-C", _ROOT, "rev-parse", "--short=12", "HEAD"]).strip()
        changed = output_of(["git", "-C", _ROOT, "status", "--porcelain", "--", "causeway"]).strip()
    except BenchError:
        return "unknown"
    return f"{found}, with uncommitted changes" if changed else found
