"""A real site, several gateway instances of several workers each, a connection point, and an application behind."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from causeway.pki.keys import new_p256_key
from causeway.pki.roles import Role
from tests.system.certificates import Pair
from tests.system.data_path.client import Client
from tests.system.data_path.path import toml
from tests.system.origin import Origin
from tests.system.processes import Part, free_ports, running, wait_until
from tests.system.site.running import RunningSite, lay_out
from tests.system.site.running import running as site_running

METADATA = "/CCM_Proxy_ServerAuth/ServiceMetadata"


class Cloud:
    """Made, then configured by way of ``site``, then started with :meth:`running`.

    Attributes:
        site: a RunningSite on SQLite; its authority issues everything but what a test brings along.
        origin: what the published applications lead to.
    """

    def __init__(
        self, folder: Path, *, instances: int, workers: int, gateway: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        self.folder = folder
        self.workers = workers
        self.site: RunningSite = lay_out(folder, {})
        self.root = self.site.paths.authority
        self.origin = Origin()
        self.pair = Pair(folder / "gateway.pem", folder / "gateway.key")
        self.site.authority.issue_server(("localhost", "127.0.0.1"), new_p256_key(), Role.GATEWAY).write(*self._pair)
        self.ports = [free_ports(workers + 2) for _ in range(instances)]
        self.gateways = [self._gateway(port, gateway or {}) for port in self.ports]
        self.point = self._point()

    @property
    def _pair(self) -> tuple[Path, Path]:
        return self.pair.certificate, self.pair.key

    def _gateway(self, port: int, options: Mapping[str, Mapping[str, Any]]) -> Part:
        certificate, key = self.pair.both
        admin = port + self.workers + 1
        config = self.folder / f"gateway-{port}.toml"
        config.write_text(
            toml(
                {
                    "name": f"gw{port}",
                    "workers": self.workers,
                    "state": str(self.folder / f"state-{port}"),
                    "site_key": str(self.site.paths.settings_public_key),
                },
                {
                    "service": {"address": "127.0.0.1", "port": port, "certificate": certificate, "key": key},
                    "tunnel": {"address": "127.0.0.1", "port": port + 1, "authority": str(self.root)},
                    "admin": {"port": admin},
                    "log": {"format": "json"},
                    **options,
                },
            )
        )
        return Part(["gateway", "run", "--config", config], self.folder / f"gateway-{port}.log", admin)

    def _point(self) -> Part:
        certificate, key = map(str, self.site.certificate("cp1", Role.CONNECTION_POINT))
        pair, root, admin = {"certificate": certificate, "key": key}, str(self.root), free_ports()
        config = self.folder / "cp1.toml"
        config.write_text(
            toml(
                {"name": "cp1", "state": str(self.folder / "cp1-state")},
                {
                    "site": {"url": self.site.url, "authority": root, "key": str(self.site.paths.settings_public_key)},
                    "identity": pair,
                    "site_systems": {"authority": root, **pair},
                    "admin": {"port": admin},
                    "limits": {"max_retry_s": 0.5},
                    "log": {"format": "json"},
                },
                [("gateway", {"address": f"localhost:{port + 1}", "authority": root}) for port in self.ports],
            )
        )
        return Part(["connection-point", "run", "--config", config], self.folder / "cp1.log", admin)

    def publish(self, name: str, *authentication: str) -> None:
        """Publish the origin as ``/name`` for clients that show one of these; before the start."""
        kinds = ", ".join(f'"{kind}"' for kind in authentication)
        self.site.append(
            f'[[application]]\nname = "{name}"\npath = "/{name}"\nupstream = "{self.origin.url}"\n'
            f"authentication = [{kinds}]\n"
        )

    @contextlib.contextmanager
    def running(self) -> Iterator["Cloud"]:
        """Everything, until requests can pass at every worker."""
        with contextlib.ExitStack() as stack:
            stack.callback(self.origin.close)
            stack.enter_context(site_running(self.site))
            stack.enter_context(running(*self.gateways, self.point))
            for part in (*self.gateways, self.point):
                part.wait_until_ready(timeout=90)
            yield self

    def connect(self, pair: Pair | None = None) -> list[Client]:
        """One connection to every worker of every instance."""
        clients: list[Client] = []
        for port in self.ports:
            by_worker: dict[str, Client] = {}
            while len(by_worker) < self.workers:
                client = Client(port, self.root, pair=pair)
                by_worker.setdefault(client.ask("GET", METADATA).worker, client)
                if client not in by_worker.values():
                    client.close()
            clients += by_worker.values()
        return clients

    def in_force_everywhere(self, version: int) -> bool:
        """Whether every worker has these settings, or newer ones."""
        name = "causeway_gateway_settings_version"
        return all(gateway.metric(name) >= version * self.workers for gateway in self.gateways)

    def wait_for_settings(self) -> None:
        """Wait until every worker has what the site has published last."""

        def newest() -> int:
            return int(self.site.metric("causeway_site_gateway_settings_version"))

        wait_until(lambda: self.in_force_everywhere(newest()), what="the newest settings everywhere")
