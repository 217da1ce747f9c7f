"""Out through a web proxy: a real tinyproxy that wants credentials."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from causeway.configuration import load
from causeway.connection_point.check import check
from causeway.connection_point.config import ConnectionPointConfig
from causeway.observability.checks import Status
from tests.system.data_path.path import DataPath
from tests.system.processes import running, wait_until
from tests.system.web_proxy import PASSWORD, USER, WebProxy


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[WebProxy]:
    proxy = WebProxy(tmp_path)
    with running(proxy):
        wait_until(proxy.listens, what="the proxy")
        yield proxy


def path_through(folder: Path, proxy: WebProxy, password: str, *, user: str = USER) -> DataPath:
    password_file = folder / "proxy-password"
    password_file.write_text(f"{password}\n")
    folder = folder / "path"
    folder.mkdir()
    section = {"url": f"http://localhost:{proxy.port}", "user": user, "password_file": str(password_file)}
    return DataPath(folder, point={"proxy": section})


def test_tunnels_go_through_the_proxy_with_its_credentials(tmp_path: Path, proxy: WebProxy) -> None:
    path = path_through(tmp_path, proxy, PASSWORD)
    with path.running():
        assert proxy.connects() >= 2
        for client in path.connect_to_every_worker(path.device):
            assert client.ask("POST", "/app/x", body=bytes(100_000)).status == 200
            client.close()
        config = load(path.folder / "cp1.toml", ConnectionPointConfig)
        results = asyncio.run(check(config))
        assert [result.status for result in results] == [Status.PASS] * len(results)
        asked = proxy.connects()
        proxy.kill()
        path.points["cp1"].wait_for("gateway not reached")
        proxy.start()
        path.wait_until_ready()
        wait_until(lambda: proxy.connects() >= asked + 2, what="both tunnels through the new proxy")
    assert PASSWORD not in path.points["cp1"].text()


def test_a_proxy_that_refuses_the_credentials_is_named_with_its_answer(tmp_path: Path, proxy: WebProxy) -> None:
    path = path_through(tmp_path, proxy, "wrong")
    with path.running(wait=False):
        point = path.points["cp1"]
        line = point.wait_for("gateway not reached")[0]
        refused = f"the proxy localhost:{proxy.port} refused: HTTP/1.0 401 Unauthorized"  # tinyproxy's way to say 407
        assert line["reason"] == refused
        wait_until(lambda: point.not_ready() == ["no tunnel to any gateway"], what="the reason")
        assert point.metric("causeway_connection_point_dials_total", result="failed") >= 1
        config = load(path.folder / "cp1.toml", ConnectionPointConfig)
        results = {result.name: result for result in asyncio.run(check(config))}
        assert results["gateway"].status is Status.FAIL
        assert results["gateway"].details == refused
        assert "wrong" not in point.text()


def test_a_proxy_that_is_not_there_is_named(tmp_path: Path, proxy: WebProxy) -> None:
    path = path_through(tmp_path, proxy, PASSWORD)
    proxy.kill()
    with path.running(wait=False):
        line = path.points["cp1"].wait_for("gateway not reached")[0]
        assert line["reason"] == f"the proxy localhost:{proxy.port} cannot be reached: Connection refused"


def test_a_missing_password_file_is_named(tmp_path: Path, proxy: WebProxy) -> None:
    path = path_through(tmp_path, proxy, PASSWORD)
    (tmp_path / "proxy-password").unlink()
    with path.running(wait=False):
        line = path.points["cp1"].wait_for("gateway not reached")[0]
        assert (
            line["reason"]
            == f"{tmp_path}/proxy-password: the proxy's password cannot be read: No such file or directory"
        )
