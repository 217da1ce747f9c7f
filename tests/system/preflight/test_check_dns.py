"""``causeway check --only dns`` against PowerDNS, outside and inside: it fails, its remedy is done, it passes."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.plan.running import CAUSEWAY, environment
from tests.system.powerdns import PowerDns, powerdns
from tests.unit.plan.plans import CONTOSO

NAME = "gateway.contoso.com"
TARGET = "contosogateway.westeurope.cloudapp.azure.com"
SOUND = (
    ("contoso.com", "NS", "ns1.contoso.com"),
    ("contoso.com", "CAA", '0 issue "letsencrypt.org"'),
    (NAME, "CNAME", TARGET),
)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PowerDns, PowerDns]]:
    folder = tmp_path_factory.mktemp("dns")
    with powerdns(folder / "outside") as outside, powerdns(folder / "inside") as inside:
        outside.put("cloudapp.azure.com", (TARGET, "A", "20.1.2.3"))
        yield outside, inside


@pytest.fixture
def outside(servers: tuple[PowerDns, PowerDns]) -> Iterator[PowerDns]:
    """With an empty zone, which goes again."""
    servers[0].put("contoso.com", SOUND[0])
    yield servers[0]
    servers[0].delete("contoso.com")


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "plan.toml").write_text(CONTOSO)
    return subprocess.run(
        [*CAUSEWAY, "check", "--plan", "plan.toml", "--only", "dns", *arguments],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def checks(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return {each["name"]: each for each in json.loads(done.stdout)["checks"]}


def test_a_missing_record_fails_and_once_made_as_told_everything_passes(tmp_path: Path, outside: PowerDns) -> None:
    ask = ("--resolver", outside.address, "--authoritative", outside.address, "--json")
    before = check(tmp_path, *ask)
    assert before.returncode == 1, before.stderr
    failed = checks(before)
    assert failed["dns answer"]["status"] == failed["dns authoritative"]["status"] == "FAIL"
    assert f"--record-set-name gateway --cname {TARGET} --ttl 3600" in failed["dns answer"]["action"]

    outside.delete("contoso.com")
    outside.put("contoso.com", *SOUND)
    after = check(tmp_path, *ask)
    assert after.returncode == 0, after.stdout
    passed = checks(after)
    assert {each["status"] for each in passed.values()} == {"PASS"}
    assert passed["dns address"]["details"] == "20.1.2.3"
    assert "let letsencrypt.org issue" in passed["dns CAA"]["details"]


def test_the_inner_zone_is_called_split_horizon_and_a_long_lifetime_is_seen(
    tmp_path: Path, outside: PowerDns, servers: tuple[PowerDns, PowerDns]
) -> None:
    inside = servers[1]
    inside.put("contoso.com", SOUND[0], (NAME, "A", "10.0.0.4"))
    outside.delete("contoso.com")
    outside.put("contoso.com", *SOUND, ttl=86400)
    resolvers = ("--resolver", outside.address, "--resolver", inside.address, "--authoritative", outside.address)
    done = check(tmp_path, *resolvers)
    assert done.returncode == 0, done.stdout
    assert f"split horizon: {inside.address} says 10.0.0.4" in done.stdout
    assert "WARN  dns TTL" in done.stdout
    assert done.stdout.endswith("with a warning.\n")


def test_a_resolver_that_is_no_address_is_wrong_use(tmp_path: Path) -> None:
    done = check(tmp_path, "--resolver", "dns.example")
    assert done.returncode == 2
    assert "expected an IP address" in done.stderr
