"""A whole data path of real processes: gateway, connection points, and what stands behind and beside them."""

import contextlib
import dataclasses
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from causeway.gateway_settings import Authentication, Endpoint, GatewaySettings
from causeway.pki.roles import Role
from tests.system.certificates import Certificates, Pair, certificates
from tests.system.data_path.client import Client
from tests.system.data_path.fake_site import FakeSite
from tests.system.origin import Origin
from tests.system.processes import Part, free_ports, running, wait_until

METHODS = ("GET", "HEAD", "POST", "PUT", "CCM_POST", "BITS_POST", "PROPFIND", "OPTIONS")
ROLE_ID = "72057594037927937"
MUTUAL = f"/CCM_Proxy_MutualAuth/{ROLE_ID}"
SERVER = f"/CCM_Proxy_ServerAuth/{ROLE_ID}"

Tables = Mapping[str, Mapping[str, Any]]


def endpoint(name: str, path: str, upstream: str, **options: Any) -> Endpoint:
    options = {
        "authentication": (Authentication.NONE,),
        "methods": METHODS,
        "max_body_bytes": 1 << 30,
        **options,
    }
    return Endpoint(name=name, path=path, upstream=upstream, **options)


def toml(top: Mapping[str, Any], tables: Tables, repeated: Sequence[tuple[str, Mapping[str, Any]]] = ()) -> str:
    lines = [f"{key} = {json.dumps(value)}" for key, value in top.items()]
    sections = [(f"[{name}]", table) for name, table in tables.items()]
    sections += [(f"[[{name}]]", table) for name, table in repeated]
    for header, table in sections:
        lines += ["", header, *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


class DataPath:
    """One gateway, connection points by name, a fake site and an origin.

    Args:
        folder: for files and logs.
        workers: of the gateway.
        gateway: sections of ``gateway.toml`` that differ.
        point: sections of ``connection-point.toml`` that differ.
        points: names of the connection points.
        publish: False for a site that has not published anything yet.
    """

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 2,
        gateway: Tables | None = None,
        point: Tables | None = None,
        points: Sequence[str] = ("cp1",),
        publish: bool = True,
    ) -> None:
        self.folder = folder
        self.workers = workers
        self.certificates: Certificates = certificates("site")
        self.gateway_pair = self.certificates.server("localhost", "127.0.0.1", role=Role.GATEWAY)
        self.device = self.certificates.client("PC1")
        self.site = FakeSite(folder, self.certificates)
        self.origin = Origin()
        self.first_port = free_ports(workers + 2)
        self.port = self.first_port
        self.tunnel_port = self.first_port + 1
        self._versions = itertools.count(1)
        self._point_options = point or {}
        self.gateway_config = folder / "gateway.toml"
        self.gateway_config.write_text(self._gateway_toml(gateway or {}))
        self.gateway = Part(
            ["gateway", "run", "--config", self.gateway_config], folder / "gateway.log", self._admin_port
        )
        self.points = {name: self.new_point(name) for name in points}
        self.settings = GatewaySettings(
            version=next(self._versions),
            issued_at="2026-01-01T00:00:00Z",
            site_code="PS1",
            service_name="localhost",
            trusted_roots=(self.certificates.authority.pem.decode(),),
            endpoints=self.standard_endpoints(),
        )
        if publish:
            self.site.publish(self.settings)

    @property
    def _admin_port(self) -> int:
        return self.first_port + self.workers + 1

    def standard_endpoints(self) -> tuple[Endpoint, ...]:
        url = self.origin.url
        return (
            endpoint("app", "/app", url),
            endpoint("mp", f"{MUTUAL}/SMS_MP", f"{url}/SMS_MP", authentication=(Authentication.CERTIFICATE,)),
            endpoint("anonymous-mp", f"{SERVER}/SMS_MP", f"{url}/SMS_MP", methods=("GET",)),
            endpoint("small", "/small", url, max_body_bytes=1000),
            endpoint("impatient", "/impatient", url, response_timeout_s=1.0),
            endpoint("bound", "/bound_WindowsAuth", url, connection_bound=True),
            endpoint("dead", "/dead", "http://127.0.0.1:1/"),
        )

    def new_point(self, name: str, **options: Mapping[str, Any]) -> Part:
        """A connection point, not started."""
        admin_port = free_ports()
        config = self.folder / f"{name}.toml"
        config.write_text(self._point_toml(name, admin_port, {**self._point_options, **options}))
        return Part(["connection-point", "run", "--config", config], self.folder / f"{name}.log", admin_port)

    def _gateway_toml(self, options: Tables) -> str:
        pair = self.gateway_pair
        tables: dict[str, dict[str, Any]] = {
            "service": {
                "address": "127.0.0.1",
                "port": self.port,
                "certificate": str(pair.certificate),
                "key": str(pair.key),
            },
            "tunnel": {
                "address": "127.0.0.1",
                "port": self.tunnel_port,
                "authority": str(self.certificates.root),
            },
            "admin": {"port": self._admin_port},
            "log": {"format": "json"},
        }
        for name, table in options.items():
            tables[name] = {**tables.get(name, {}), **table}
        top = {
            "name": "gw1",
            "workers": self.workers,
            "state": str(self.folder / "gateway-state"),
            "site_key": str(self.site.public_key),
        }
        return toml(top, tables)

    def _point_toml(self, name: str, admin_port: int, options: Tables) -> str:
        pair = self.certificates.client(name, Role.CONNECTION_POINT)
        root = str(self.certificates.root)
        tables: dict[str, dict[str, Any]] = {
            "site": {"url": self.site.url, "authority": root, "key": str(self.site.public_key)},
            "identity": {"certificate": str(pair.certificate), "key": str(pair.key)},
            "admin": {"port": admin_port},
            "limits": {"max_retry_s": 0.5},
            "log": {"format": "json"},
        }
        gateway = {"address": f"localhost:{self.tunnel_port}", "authority": root}
        for section, table in options.items():
            if section == "gateway":
                gateway |= table
            else:
                tables[section] = {**tables.get(section, {}), **table}
        top = {"name": name, "state": str(self.folder / f"{name}-state")}
        return toml(top, tables, [("gateway", gateway)])

    @contextlib.contextmanager
    def running(self, *, wait: bool = True) -> Iterator["DataPath"]:
        """Start everything, and wait until requests can pass."""
        with contextlib.ExitStack() as stack:
            stack.callback(self.site.close)
            stack.callback(self.origin.close)
            stack.enter_context(running(self.gateway, *self.points.values()))
            if wait:
                self.wait_until_ready()
            yield self

    def wait_until_ready(self) -> None:
        for part in (self.gateway, *self.points.values()):
            part.wait_until_ready()

    # What devices do.

    def connect(self, pair: Pair | None = None, **options: Any) -> Client:
        return Client(self.port, self.certificates.root, pair=pair, **options)

    def connect_to_every_worker(self, pair: Pair | None = None) -> list[Client]:
        """One connection to each worker of the gateway; the kernel spreads them, so try until all have been met."""
        by_worker: dict[str, Client] = {}
        while len(by_worker) < self.workers:
            client = self.connect(pair)
            by_worker.setdefault(client.ask("GET", "/CCM_Proxy_ServerAuth/ServiceMetadata").worker, client)
            if client not in by_worker.values():
                client.close()
        return list(by_worker.values())

    # What the site does.

    def change(self, **changes: Any) -> GatewaySettings:
        """Publish changed settings, without waiting for anybody."""
        self.settings = dataclasses.replace(self.settings, version=next(self._versions), **changes)
        self.site.publish(self.settings)
        return self.settings

    def change_everywhere(self, **changes: Any) -> GatewaySettings:
        """Publish changed settings, and wait until they are in force at every worker."""
        settings = self.change(**changes)
        self.wait_for_version(settings.version)
        return settings

    def wait_for_version(self, version: int) -> None:
        name = "causeway_gateway_settings_version"
        wait_until(lambda: self.gateway.metric(name) == version * self.workers, what=f"settings version {version}")

    def publish_also(self, *endpoints: Endpoint) -> None:
        """Publish more endpoints, everywhere."""
        self.change_everywhere(endpoints=(*self.settings.endpoints, *endpoints))
