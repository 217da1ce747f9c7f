"""What an operator meets: checks, and starts that cannot succeed, each with its one line."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from causeway.configuration import load
from causeway.connection_point.check import check as check_point
from causeway.connection_point.config import ConnectionPointConfig
from causeway.errors import OperatorError
from causeway.gateway.check import check as check_gateway
from causeway.gateway.config import GatewayConfig
from causeway.observability.admin import listen
from causeway.observability.checks import CheckResult, Status
from causeway.pki.roles import Role
from tests.system.certificates import certificates
from tests.system.data_path.path import DataPath


def causeway(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "causeway.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[DataPath]:
    """A data path that has not been started; its site serves."""
    path = DataPath(tmp_path)
    yield path
    path.site.close()
    path.origin.close()


def gateway_results(path: DataPath) -> dict[str, CheckResult]:
    return {result.name: result for result in check_gateway(load(path.gateway_config, GatewayConfig))}


def point_results(path: DataPath) -> dict[str, CheckResult]:
    config = load(path.folder / "cp1.toml", ConnectionPointConfig)
    return {result.name: result for result in asyncio.run(check_point(config))}


def failed(results: dict[str, CheckResult]) -> list[str]:
    return [name for name, result in results.items() if result.status is Status.FAIL]


def test_a_gateway_about_to_start_passes_its_checks(stopped: DataPath) -> None:
    results = gateway_results(stopped)
    assert failed(results) == []
    assert results["gateway certificate"].details.startswith("CN=localhost, valid until ")
    assert results["gateway settings"].details == "none yet; a connection point brings them"
    assert results["service port"].details == "free"


def test_running_parts_pass_their_checks(path: DataPath) -> None:
    results = gateway_results(path)
    assert failed(results) == []
    assert results["gateway settings"].details == f"version {path.settings.version}"
    assert results["service port"].details == "in use by a TLS server, as when the gateway runs"
    assert results["admin port"].details == "in use by a health endpoint, as when the gateway runs"
    results = point_results(path)
    assert failed(results) == []
    version, count = path.settings.version, len(path.settings.endpoints)
    assert results["site"].details == f"gateway settings version {version} with {count} endpoints"
    assert results["gateway"].details.startswith("speaks causeway-tunnel/1 over TLSv1.3")


def test_checks_print_a_line_each_and_a_summary(path: DataPath) -> None:
    for group, config in (("gateway", path.gateway_config), ("connection-point", path.folder / "cp1.toml")):
        result = causeway(group, "check", "--config", config)
        assert (result.returncode, result.stderr) == (0, "")
        lines = result.stdout.splitlines()
        assert all(line.startswith("PASS  ") for line in lines[:-1])
        assert lines[-1] == f"{len(lines) - 1} checks, all well."
        result = causeway(group, "check", "--config", config, "--json")
        report = json.loads(result.stdout)
        assert (result.returncode, report["ok"], len(report["checks"])) == (0, True, len(lines) - 1)


def spoil(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:80])


def state_file(path: DataPath) -> Path:
    folder = path.folder / "gateway-state"
    folder.mkdir()
    (folder / "gateway-settings.jws").write_bytes(b"nonsense")
    return folder


@pytest.mark.parametrize(
    ("break_it", "names"),
    [
        (lambda path: spoil(path.gateway_pair.certificate), {"gateway certificate", "connection point authority"}),
        (lambda path: path.site.public_key.unlink(), {"site key", "gateway settings"}),
        (state_file, {"gateway settings"}),
    ],
    ids=["certificate", "site_key", "state"],
)
def test_what_is_wrong_with_a_gateway_is_named_with_what_to_do(
    stopped: DataPath, break_it: Callable[[DataPath], Any], names: set[str]
) -> None:
    break_it(stopped)
    results = gateway_results(stopped)
    assert set(failed(results)) == names
    assert all(results[name].details and results[name].action for name in names)
    result = causeway("gateway", "check", "--config", stopped.gateway_config)
    assert result.returncode == 1
    assert result.stdout.count("FAIL  ") == len(names)
    assert result.stdout.count("→ ") == len(names)
    assert f"checks, {len(names)} failed." in result.stdout
    started = causeway("gateway", "run", "--config", stopped.gateway_config)
    assert (started.returncode, started.stderr.count("\n")) == (2, 1)
    assert started.stderr.startswith("error: ")


def test_an_expired_gateway_certificate_is_named(stopped: DataPath) -> None:
    expired = stopped.certificates.expired("expired-gateway")
    config = stopped.gateway_config
    pair = stopped.gateway_pair
    text = config.read_text().replace(str(pair.certificate), str(expired.certificate))
    config.write_text(text.replace(str(pair.key), str(expired.key)))
    assert failed(gateway_results(stopped)) == ["gateway certificate"]
    assert "expired on " in gateway_results(stopped)["gateway certificate"].details


@contextlib.contextmanager
def somebody_else_on(port: int) -> Iterator[None]:
    """A server that closes every connection."""
    with socket.create_server(("127.0.0.1", port)) as server:

        def turn_away() -> None:
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()

        threading.Thread(target=turn_away, daemon=True).start()
        yield
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("offset", [0, 1, 2, 3], ids=["service", "first_tunnel", "second_tunnel", "admin"])
def test_a_busy_port_is_one_line_and_exit_code_2(stopped: DataPath, offset: int) -> None:
    port = stopped.first_port + offset
    with somebody_else_on(port):
        result = causeway("gateway", "run", "--config", stopped.gateway_config)
        assert result.returncode == 2
        assert result.stderr.startswith(f"error: 127.0.0.1:{port}: cannot listen there for ")
        assert result.stderr.endswith("Address already in use; free the port or choose another\n")
        assert result.stderr.count("\n") == 1
        name = {0: "service port", 1: "tunnel port", 2: "tunnel port", 3: "admin port"}[offset]
        failures = [
            one for one in check_gateway(load(stopped.gateway_config, GatewayConfig)) if one.status is Status.FAIL
        ]
        assert [(one.name, one.target) for one in failures] == [(name, f"127.0.0.1:{port}")]


def test_a_second_gateway_on_the_same_ports_does_not_start(path: DataPath) -> None:
    result = causeway("gateway", "run", "--config", path.gateway_config)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    with path.connect() as client:
        assert client.ask("GET", "/app/x").status == 200


def test_what_is_wrong_with_a_connection_point_is_named(stopped: DataPath) -> None:
    results = point_results(stopped)
    assert failed(results) == ["gateway"]  # it is not running
    config = stopped.folder / "cp1.toml"
    device = stopped.certificates.client("PC1")
    stopped.certificates.client("cp1", Role.CONNECTION_POINT)
    text = config.read_text()
    config.write_text(text.replace("/cp1.pem", "/PC1.pem").replace("/cp1.key", "/PC1.key"))
    assert device.certificate.name in config.read_text()
    results = point_results(stopped)
    assert set(failed(results)) == {"connection point certificate", "gateway"}
    assert "not a connection point's" in results["connection point certificate"].details
    result = causeway("connection-point", "check", "--config", config)
    assert result.returncode == 1
    assert "2 failed." in result.stdout


def test_a_gateway_of_another_authority_is_not_trusted(path: DataPath, tmp_path: Path) -> None:
    stranger = certificates("stranger").root
    text = (path.folder / "cp1.toml").read_text()
    table = text.index("[[gateway]]")
    config = tmp_path / "cp.toml"
    config.write_text(text[:table] + text[table:].replace(str(path.certificates.root), str(stranger)))
    results = asyncio.run(check_point(load(config, ConnectionPointConfig)))
    (result,) = [result for result in results if result.status is Status.FAIL]
    assert result.name == "gateway"
    assert result.details.startswith("its certificate is not good: ")


@pytest.mark.parametrize("group", ["gateway", "connection-point"])
def test_the_default_file_is_printed_and_reads_back(group: str, tmp_path: Path) -> None:
    result = causeway(group, "run", "--print-default")
    assert result.returncode == 0
    config = tmp_path / "default.toml"
    config.write_text(result.stdout)
    checked = causeway(group, "check", "--config", config)
    assert (checked.returncode, checked.stderr) == (1, "")  # it is understood; the files of the examples are not there


@pytest.mark.parametrize("group", ["gateway", "connection-point"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "not TOML"),
        ("unknown = 1\n", "line 1: key unknown is unknown; remove it or correct its spelling"),
        ("", "is missing and has no default"),
    ],
)
def test_a_wrong_configuration_is_one_line_and_exit_code_2(group: str, text: str, said: str, tmp_path: Path) -> None:
    config = tmp_path / "wrong.toml"
    config.write_text(text)
    for command in ("run", "check"):
        result = causeway(group, command, "--config", config)
        assert (result.returncode, result.stderr.count("\n")) == (2, 1)
        assert result.stderr.startswith(f"error: {config}: ")
        assert said in result.stderr


def test_a_port_that_is_taken_is_named_with_its_purpose() -> None:
    (sock,) = listen("127.0.0.1", 0, "anything")
    port = sock.getsockname()[1]
    for shared in (1, 2):
        with pytest.raises(OperatorError) as caught:
            listen("127.0.0.1", port, "devices", shared=shared)
        assert str(caught.value) == (
            f"127.0.0.1:{port}: cannot listen there for devices: Address already in use; "
            "free the port or choose another"
        )
    sock.close()


def test_sockets_that_share_a_port_share_it() -> None:
    (probe,) = listen("127.0.0.1", 0, "a free port")
    port = probe.getsockname()[1]
    probe.close()
    sockets = listen("127.0.0.1", port, "devices", shared=3)
    assert {sock.getsockname()[1] for sock in sockets} == {port}
    assert not any(sock.getblocking() for sock in sockets)
    for sock in sockets:
        sock.close()


def test_an_address_that_is_not_here_is_named() -> None:
    with pytest.raises(OperatorError, match=r"192\.0\.2\.1:1: cannot listen there for devices: "):
        listen("192.0.2.1", 1, "devices")


def test_ipv6_is_listened_on_by_its_own_family() -> None:
    (sock,) = listen("::1", 0, "anything")
    assert sock.family is socket.AF_INET6
    sock.close()
