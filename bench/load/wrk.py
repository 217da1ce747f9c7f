"""Runs wrk with the shim that gives it a client certificate and controls resumption."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bench.errors import BenchError
from bench.systems.base import System

_SCRIPT = Path(__file__).with_name("wrk.lua")
_MARK = "BENCH "
_GRACE_S = 30.0


class Request(NamedTuple):
    """One request; the body is of so many bytes, whatever is in it."""

    method: str
    path: str
    body_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Load:
    """What the clients do.

    Attributes:
        requests: asked one after the other, round and round, by each connection.
        connections: at a time.
        certificate: whether the clients show theirs.
        close: each request on a connection of its own.
        resume: those connections offer the newest session ticket.
    """

    requests: Sequence[Request]
    connections: int = 64
    certificate: bool = True
    close: bool = False
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What wrk and its shim saw.

    Attributes:
        p50_ms, p99_ms, p999_ms: where each request has its own connection, from the first byte of the handshake to the
            end; else from the request to the end of its answer.
        handshakes: how many there were; 0 without TLS.
        resumed: how many of them were resumed.
    """

    requests: int
    bytes: int
    seconds: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    handshakes: int
    resumed: int


def run(system: System, load: Load, seconds: float) -> Result:
    """Load ``system`` from one thread.

    Raises:
        BenchError: wrk fails, or not every answer was good.
    """
    bench = system.bench
    report = bench.folder / "wrk-report.json"
    report.unlink(missing_ok=True)
    prefix = system.prefix(certificate=load.certificate)
    environment = {
        "BENCH_REQUESTS": " ".join(f"{one.method} {prefix}{one.path} {one.body_bytes}" for one in load.requests),
        "BENCH_CLOSE": "1" if load.close else "0",
    }
    if system.tls:
        device = bench.certificates.device
        environment |= {
            "LD_PRELOAD": str(bench.tools.shim),
            "BENCH_CERTIFICATE": str(device.certificate) if load.certificate else "",
            "BENCH_KEY": str(device.key),
            "BENCH_RESUME": "1" if load.resume else "0",
            "BENCH_REPORT": str(report),
        }
    url = f"{'https' if system.tls else 'http'}://127.0.0.1:{system.port}/"
    options = ["-t1", f"-c{load.connections}", f"-d{duration(seconds)}", "--timeout", "20s", "-s", str(_SCRIPT)]
    try:
        done = subprocess.run(  # noqa: S603  # a program that the benchmark itself chose
            [str(bench.tools.wrk), *options, url],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=seconds + _GRACE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"wrk does not come to its end against {system.title}") from error
    shim = json.loads(report.read_text()) if report.exists() else {}
    return result(system.title, done.stdout, done.stderr, shim, close=load.close)


def duration(seconds: float) -> str:
    """In the form of wrk, which takes whole seconds only."""
    return f"{max(1, round(seconds))}s"


def result(title: str, output: str, complaints: str, shim: dict[str, Any], *, close: bool) -> Result:
    """Read what wrk and its shim have written.

    Raises:
        BenchError: there is no result, or there were failed requests.
    """
    line = next((line for line in output.splitlines() if line.startswith(_MARK)), None)
    if line is None:
        last = (complaints or output).strip().splitlines()[-1:]
        raise BenchError(f"wrk against {title} gave no result: {' '.join(last)}")
    seen = json.loads(line.removeprefix(_MARK))
    if seen["failed"] or seen["not_2xx"] or not seen["requests"]:
        raise BenchError(
            f"{title}: of {seen['requests']} requests {seen['failed']} failed and {seen['not_2xx']} were refused"
        )
    times = shim if close and shim else seen
    return Result(
        requests=seen["requests"],
        bytes=seen["bytes"],
        seconds=seen["seconds"],
        p50_ms=times["p50_ms"],
        p99_ms=times["p99_ms"],
        p999_ms=times["p999_ms"],
        handshakes=shim.get("handshakes", 0),
        resumed=shim.get("resumed", 0),
    )
