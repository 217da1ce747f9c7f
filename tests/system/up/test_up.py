"""``causeway up`` as a newcomer meets it."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.system.up.running import causeway, free_block, up


def test_once_checks_the_way_lets_the_devices_in_and_says_so_in_json(tmp_path: Path) -> None:
    port = free_block()
    result = causeway("up", "--home", tmp_path / "home", "--port", str(port), "--devices", "4", "--once", "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["ok"] is True
    assert report["service_url"] == f"https://localhost:{port}"
    assert Path(report["ca"]).is_file()
    assert {check["status"] for check in report["checks"]} == {"PASS"}
    assert {"device to management point", "fake Entra tenant"} <= {check["name"] for check in report["checks"]}
    assert [device["name"] for device in report["devices"]] == ["device-1", "device-2", "device-3", "device-4"]
    kinds = [device["authentication"] for device in report["devices"]]
    assert kinds == ["certificate", "token", "entra", "certificate"]
    assert all(device["registered"] and device["policy"] and device["heartbeat"] for device in report["devices"])

    again = causeway("up", "--home", tmp_path / "home", "--port", str(port), "--devices", "4", "--once", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["devices"] == report["devices"]
    assert len({device["identity"] for device in report["devices"]}) == 4


def test_the_printed_curl_line_works_and_ctrl_c_drains(tmp_path: Path) -> None:
    with up(tmp_path / "home", "--devices", "1") as system:
        line = re.search(r"^curl .*$", system.output.read_text(), re.MULTILINE)
        assert line is not None
        answer = subprocess.run([*shlex.split(line[0]), "-sS"], capture_output=True, text=True, check=True)
        assert answer.stdout.startswith("<MPList>")
        system.wait_for("the device does not register", lambda: len(system.device_lines()) == 1)
        system.process.send_signal(signal.SIGINT)
        assert system.process.wait(60) == 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", system.port))


def test_a_home_keeps_its_kinds_of_devices_and_says_when_its_site_does_not_know_the_fake_tenant(tmp_path: Path) -> None:
    home, port = tmp_path / "home", str(free_block())

    def let_in(devices: int) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
        count = str(devices)
        result = causeway("up", "--home", home, "--port", port, "--devices", count, "--once", "--json")
        assert result.stdout, result.stderr
        return result, json.loads(result.stdout)

    # As one was made in which certificates and tokens alone took turns: the third has a certificate.
    (home / "devices" / "device-3").mkdir(parents=True)
    result, report = let_in(1)
    assert result.returncode == 0, result.stdout
    for file in (home / "devices" / "device-1").glob("device.*"):
        shutil.copy(file, home / "devices" / "device-3")
    site = home / "site" / "site.toml"
    assert "entra_tenant" not in site.read_text()
    site.write_text(site.read_text().partition("\n")[2])  # somebody's own from here on
    result, report = let_in(6)
    assert result.returncode == 1
    kinds = [one["authentication"] for one in report["devices"]]
    assert kinds == ["certificate", "token", "certificate", "certificate", "token", "entra"]
    (failed,) = [check for check in report["checks"] if check["status"] != "PASS"]
    assert (failed["name"], failed["details"]) == ("fake Entra tenant", "not onboarded at the site")
    (refused,) = [one for one in report["devices"] if not one["heartbeat"]]
    assert (refused["name"], refused["authentication"]) == ("device-6", "entra")


def test_a_part_that_dies_ends_the_whole_with_its_name(tmp_path: Path) -> None:
    with up(tmp_path / "home", "--devices", "0") as system:
        os.kill(system.pid_of("site"), signal.SIGKILL)
        assert system.process.wait(60) == 1
    assert "error: PartEnded: the site ended by itself" in system.output.read_text()


def test_nothing_is_left_behind_when_it_is_killed_and_the_next_one_picks_up(tmp_path: Path) -> None:
    with up(tmp_path / "home", "--devices", "1") as system:
        system.wait_for("the device does not register", lambda: len(system.device_lines()) == 1)
        before = system.device_lines()
        parts = [system.pid_of(part) for part in ("gateway", "connection-point", "site")]
        system.process.kill()
        system.process.wait()
        for pid in parts:
            _wait_for_end(pid)
    result = causeway(
        "up", "--home", tmp_path / "home", "--port", str(system.port), "--devices", "1", "--once", "--json"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads(result.stdout)["devices"][0]["identity"] == before[0]["smsid"]


def _wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 40
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline, f"process {pid} goes on"
        time.sleep(0.05)


def _one_line_and_exit_code_2(result: subprocess.CompletedProcess[str], *words: str) -> None:
    assert result.returncode == 2, result.stdout + result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in lines[0]


def test_a_busy_port_is_one_line(tmp_path: Path) -> None:
    port = free_block()
    with socket.socket() as busy:
        busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        busy.bind(("127.0.0.1", port + 1))
        busy.listen()
        result = causeway("up", "--home", tmp_path / "home", "--port", str(port), "--once")
    _one_line_and_exit_code_2(result, f"127.0.0.1:{port + 1}", "--port")


def test_a_home_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    _one_line_and_exit_code_2(causeway("up", "--home", tmp_path / "file" / "home", "--once"), "file/home")


def test_a_home_in_use_is_one_line(tmp_path: Path) -> None:
    with up(tmp_path / "home", "--devices", "0") as system:
        result = causeway("up", "--home", tmp_path / "home", "--port", str(system.port + 20), "--once")
    _one_line_and_exit_code_2(result, "another `causeway up`")


def test_every_corrupt_state_file_is_one_line_that_names_it(tmp_path: Path) -> None:
    port = str(free_block())
    home = tmp_path / "home"
    assert causeway("up", "--home", home, "--port", port, "--devices", "1", "--once").returncode == 0
    for name in (
        "authority/ca.key",
        "authority/ca.pem",
        "site/site.db",
        "site/settings.key",
        "site/site.pem",
        "site/site.toml",
        "gateway/server.key",
        "gateway/state/gateway-settings.jws",
        "connection-point/state/gateway-settings.jws",
        "connection-point/connection-point.toml",
        "devices/device-1/device.key",
        "devices/device-1/state/state.json",
    ):
        path = home / name
        good = path.read_bytes()
        path.write_bytes(b"\x00 garbage \xff")
        result = causeway("up", "--home", home, "--port", port, "--devices", "1", "--once")
        _one_line_and_exit_code_2(result, name)
        path.write_bytes(good)
    assert causeway("up", "--home", home, "--port", port, "--devices", "1", "--once").returncode == 0
