"""An island with the fake of Azure at Azure's names, and ``causeway`` in it."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.system.azure.fake_answers import LOGIN, MANAGEMENT
from tests.system.certificates import certificates
from tests.system.island import Island, island
from tests.system.plan.running import CAUSEWAY, CONTOSO, environment, plan
from tests.system.processes import wait_until

TENANT = "11111111-2222-3333-4444-555555555555"
SUBSCRIPTION = "66666666-7777-8888-9999-000000000000"
APPLICATION = "aaaaaaaa-0000-0000-0000-000000000001"
OBJECT = "bbbbbbbb-0000-0000-0000-000000000002"
SECRET = "the~secret~of~the~application"
HOSTS = (*LOGIN, *MANAGEMENT)
GROUP, PREFIX, REGION = "rg-contosogateway", "contosogateway", "westeurope"
PROVIDERS = (
    "Microsoft.Compute",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.Storage",
)


def all_well() -> dict[str, Any]:
    """The state of an Azure in which nothing is wrong."""
    return {
        "tenant_id": TENANT,
        "client_id": APPLICATION,
        "client_secret": SECRET,
        "object_id": OBJECT,
        "subscription": {"id": SUBSCRIPTION, "state": "Enabled", "tenant_id": TENANT},
        "providers": dict.fromkeys(PROVIDERS, "Registered"),
        "resource_groups": [GROUP],
        "labels_taken": [],
        "public_ips": [],
        "vaults": [],
        "deleted_vaults": [],
        "vault_names_taken": [],
        "storage_accounts": [],
        "storage_names_taken": [],
        "scale_sets": [],
        "sizes": [
            {"name": "Standard_D2s_v5", "family": "standardDSv5Family", "cores": 2},
            {"name": "Standard_D2as_v5", "family": "standardDASv5Family", "cores": 2},
        ],
        "compute_usages": {"cores": [0, 10], "standardDSv5Family": [0, 10]},
        "network_usages": {"PublicIPAddresses": [0, 10], "StandardSkuLoadBalancers": [0, 10]},
        "permissions": [{"actions": ["*"], "notActions": []}],
        "group_permissions": [],
        "deny_assignments": [],
        "eligible": [],
        "policies": [],
    }


@dataclass
class FakeAzure:
    island: Island
    folder: Path
    signed_in: dict[str, str] = field(
        default_factory=lambda: {
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": APPLICATION,
            "AZURE_CLIENT_SECRET": SECRET,
        }
    )

    @property
    def state_file(self) -> Path:
        return self.folder / "state.json"

    def state(self) -> dict[str, Any]:
        return json.loads(self.state_file.read_text())  # type: ignore[no-any-return]

    def seed(self, **changes: Any) -> None:
        """All is well but for these."""
        self.state_file.write_text(json.dumps({**all_well(), **changes}))
        (self.folder / "requests").write_text("")

    def requests(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in (self.folder / "requests").read_text().splitlines()]

    def causeway(
        self, *arguments: str, signed_in: Mapping[str, str] | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ``causeway`` on the island, as the application or as ``signed_in`` says."""
        return self.island.run(
            *CAUSEWAY,
            *arguments,
            environment={
                **environment(self.folder),
                "SSL_CERT_FILE": str(certificates("azure").root),
                **(self.signed_in if signed_in is None else signed_in),
                **more,
            },
        )


@contextlib.contextmanager
def fake_azure(folder: Path) -> Iterator[FakeAzure]:
    """Start it on an island of its own, with a plan of Contoso's in ``folder``."""
    assert plan(folder, "new", *CONTOSO).returncode == 0
    with island() as where:
        where.hosts(dict.fromkeys(HOSTS, "127.0.0.2"))
        with serving(where, folder, "127.0.0.2") as fake:
            yield fake


@contextlib.contextmanager
def serving(where: Island, folder: Path, address: str) -> Iterator[FakeAzure]:
    """Serve at an address of an island, to which Azure's names lead there."""
    folder.mkdir(exist_ok=True)
    pair = certificates("azure").server(*HOSTS)
    fake = FakeAzure(where, folder)
    fake.seed()
    process = subprocess.Popen(
        where.command(
            *(sys.executable, "-m", "tests.system.azure.fake_azure", "--address", address),
            *("--certificate", pair.certificate, "--key", pair.key),
            *("--state", fake.state_file, "--requests", folder / "requests"),
        ),
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        assert wait_until(process.stdout.readline).strip() == "ready"
        yield fake
    finally:
        process.kill()
        process.communicate()
