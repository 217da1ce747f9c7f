"""Floods of every kind, from one address or two, while good clients at another address ask on.

The floods last for seconds and share the machine with the gateway, and the bounds leave room for that. What was
measured is printed as a table; ``make figures`` writes it into ``docs/reliability.md``.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.system.data_path.path import DataPath, endpoint
from tests.system.memory import MemoryWatch
from tests.system.nginx import nginx
from tests.system.processes import free_ports, wait_until
from tests.system.reliability.figures import Figures
from tests.system.reliability.flood import Flood
from tests.system.reliability.load import Load, Report

MIB = 1 << 20
_GOOD = "127.0.0.2"
_BAD = ("127.0.0.3", "127.0.0.4")
_QUIET_S = 1.0
_FLOOD_S = 3.0
_SLOWEST_S = 5.0
_MANY = 5_000
_BYTES_EACH = 28_000
_FAST = 100
_SLOW = 500
_MOST_BYTES = 48 * MIB


@pytest.fixture(scope="module")
def site_system_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """nginx with a small file, that takes uploads."""
    folder = tmp_path_factory.mktemp("site-system")
    (folder / "small").write_bytes(bytes(1024))
    port = free_ports()
    with nginx(folder / "nginx", folder, port):
        yield f"http://127.0.0.1:{port}"


@dataclass(frozen=True, slots=True)
class _Target:
    """A data path with one worker, and what its processes held before anybody came, in bytes."""

    path: DataPath
    resident_bytes: dict[int, int]


@contextlib.contextmanager
def _running(folder: Path, url: str, **limits: float) -> Iterator[_Target]:
    point = {"site_systems": {"idle_timeout_s": 1.0}}  # so that it shows soon that nothing is left
    with DataPath(folder, workers=1, gateway={"limits": limits}, point=point).running() as path:
        path.publish_also(endpoint("site", "/site", url))
        parts = (path.gateway, *path.points.values())
        yield _Target(path, {pid: size for part in parts for pid, size in part.resident_bytes().items()})


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, site_system_url: str) -> Iterator[_Target]:
    """With the limits of every gateway, but short times, so that a test sees their end."""
    times = {"handshake_timeout_s": 2.0, "head_timeout_s": 2.0, "stall_timeout_s": 2.0}
    with _running(tmp_path_factory.mktemp("floods"), site_system_url, **times) as running:
        yield running


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory, site_system_url: str) -> Iterator[_Target]:
    """A gateway that waits for heads for as long as it takes to open all connections."""
    with _running(tmp_path_factory.mktemp("idle"), site_system_url, head_timeout_s=120.0) as running:
        yield running


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a flood did, and what became of others.

    Attributes:
        did: by the flood's own count.
        seconds: how long it was at it with all its strength.
        grown_bytes: of the process that grew most, since before the first flood.
        before, meanwhile: what good clients met.
        held: connections, in the handshake or past it, of everybody while the flood stood.
    """

    did: Counter[str]
    seconds: float
    grown_bytes: int
    before: Report
    meanwhile: Report
    held: float


def _flooded(
    target: _Target, kind: str, attackers: int, *sources: str, stands: Callable[[], object] = lambda: None
) -> _Outcome:
    """Flood for some seconds, and until ``stands`` has returned."""
    path = target.path
    memory = MemoryWatch(target.resident_bytes)
    with memory, Load(path, "/site/small", kept=8, fresh=4, source=_GOOD) as load:
        quiet = time.monotonic()
        time.sleep(_QUIET_S)  # what good clients meet without the flood is measured, too
        start = time.monotonic()
        with Flood(path, kind, attackers, *sources) as flood:
            stood = time.monotonic()
            stands()
            time.sleep(max(0.0, _FLOOD_S - (time.monotonic() - stood)))  # the flood's own time
            held = path.gateway.metric("causeway_gateway_connections")
            end = time.monotonic()
            did = flood.stop()
        report = load.stop()
    grown = max(memory.grown_bytes.values())
    outcome = _Outcome(did, end - start, grown, report.between(quiet, start), report.between(start, end), held)
    print(dict(did))
    _is_over(path)
    return outcome


def _is_over(path: DataPath) -> None:
    """Nothing is left of a flood, at neither end of the tunnel."""
    gateway, (point, *_) = path.gateway, path.points.values()
    looks: dict[str, Callable[[], float]] = {
        name: partial(gateway.metric, f"causeway_gateway_{name}")
        for name in ("connections", "requests_in_flight", "streams", "streams_held")
    }
    for name in ("streams", "streams_held", "upstream_connections"):
        looks[f"{name} of the connection point"] = partial(point.metric, f"causeway_connection_point_{name}")
    for what, look in looks.items():
        wait_until(partial(_is_none, look), what=f"no {what}")
    with path.connect() as client:
        assert client.ask("GET", "/site/small").status == 200


def _is_none(look: Callable[[], float]) -> bool:
    return look() == 0


def _judge(figures: Figures, what: str, outcome: _Outcome, *, most_bytes: int) -> None:
    """Good clients were served, every one of them, and memory was bounded."""
    before, meanwhile = outcome.before, outcome.meanwhile
    figures.add(
        what,
        f"{outcome.held:,.0f}",
        f"{outcome.grown_bytes / MIB:.1f} MiB",
        f"{before.percentile_s(50) * 1e3:.0f} / {before.percentile_s(99) * 1e3:.0f} ms",
        f"{meanwhile.percentile_s(50) * 1e3:.0f} / {meanwhile.percentile_s(99) * 1e3:.0f} ms",
    )
    assert not meanwhile.failures, meanwhile.failures[:5]
    assert meanwhile.of("kept").done
    assert meanwhile.of("fresh").done
    assert meanwhile.percentile_s(100) < _SLOWEST_S
    assert outcome.grown_bytes < most_bytes


def test_five_thousand_connections_without_a_handshake_hold_few_and_keep_nobody_out(
    target: _Target, figures: Figures
) -> None:
    outcome = _flooded(target, "silent", _MANY, *_BAD)
    _judge(figures, f"{_MANY:,} connections without a ClientHello", outcome, most_bytes=_MOST_BYTES)
    assert outcome.held < 600  # 250 of each address, and the good ones


def test_five_thousand_connections_that_say_nothing_after_the_handshake_cost_little_each(
    patient: _Target, figures: Figures
) -> None:
    def all_stand() -> bool:
        return patient.path.gateway.metric("causeway_gateway_connections") >= _MANY

    outcome = _flooded(patient, "idle", _MANY, *_BAD, stands=lambda: wait_until(all_stand, what="all of them"))
    _judge(
        figures,
        f"{_MANY:,} connections that say nothing after the handshake",
        outcome,
        most_bytes=_MANY * _BYTES_EACH,
    )
    assert outcome.held >= _MANY


_FLOODS = {
    "handshakes": ("signed", "handshakes begun and dropped"),
    "resets": ("requests", "connections reset with requests under way, whole and half ones"),
    "pipelines": ("requests", "requests in pipelines of 500"),
}


@pytest.mark.parametrize("kind", _FLOODS)
def test_a_flood_of_one_kind_keeps_nobody_else_out_and_costs_bounded_memory(
    target: _Target, figures: Figures, kind: str
) -> None:
    outcome = _flooded(target, kind, _FAST, *_BAD[:1])
    counted, what = _FLOODS[kind]
    rate = outcome.did[counted] / outcome.seconds
    _judge(figures, f"{_FAST} clients at once, {rate:,.0f} {what} a second", outcome, most_bytes=_MOST_BYTES)
    assert outcome.did[counted] > 2 * _FAST


@pytest.mark.parametrize(
    ("kind", "end"), [("slow_handshakes", "ended"), ("slow_heads", "timed out"), ("slow_bodies", "timed out")]
)
def test_hundreds_of_slow_ones_are_given_up_and_keep_nobody_else_out(
    target: _Target, figures: Figures, kind: str, end: str
) -> None:
    outcome = _flooded(target, kind, _SLOW, *_BAD[:1])
    what = f"{_SLOW} {kind.replace('_', ' ')} at once, a byte every quarter of a second"
    _judge(figures, what, outcome, most_bytes=_MOST_BYTES)
    assert outcome.did[end] >= _SLOW / 2
