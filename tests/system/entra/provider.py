"""``oauth2-mock-server``, a third party's OpenID provider, over TLS and dressed as one tenant of Entra ID.

It is real in its documents, its keys and its signatures. What a token says is the test's choice, since nothing outside
Entra ID itself knows how that fills in claims: ``provider/provider.mjs`` lets a token request say them.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import ssl
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.system.certificates import Certificates, Pair
from tests.system.processes import Process, free_ports, wait_until

SOURCE = Path(__file__).parent / "provider"
_FILES = ("package.json", "package-lock.json", "provider.mjs")

AUDIENCE = "api://causeway.example/mp"
CLIENT_APP = "c11e0000-0000-4000-8000-000000000001"


def installed() -> Path:
    """The folder of the provider with what it needs, installed where that has not been done yet."""
    digest = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in _FILES)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "causeway-tests"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"oauth2-mock-server-{digest}"
    with (cache / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for name in _FILES:
                shutil.copy(SOURCE / name, folder)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
            assert done.returncode == 0, f"npm ci failed:\n{done.stdout}\n{done.stderr}"
            (folder / "complete").touch()
    return folder


class Provider:
    """One tenant. Each start makes a new signing key."""

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        self.tenant_id = str(uuid.uuid4())
        self.port = free_ports()
        self.pair: Pair = certificates.server("issuer", "localhost")
        self.authority = certificates.root
        self._log = folder / f"provider-{self.port}.log"
        trusted = ssl.create_default_context(cafile=self.authority)
        self._client = httpx.Client(verify=trusted, trust_env=False, timeout=30, headers={"Connection": "close"})
        program = installed()
        self.process = Process(
            [
                "node",
                "--experimental-global-webcrypto",
                program / "provider.mjs",
                self.tenant_id,
                *self.pair.both,
                str(self.port),
            ],
            self._log,
        )

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def start(self) -> None:
        starts = self._lines().count("listening")
        self.process.start()
        wait_until(lambda: self._lines().count("listening") > starts, timeout=60, what="the provider listens")

    def stop(self) -> None:
        self.process.clean_up()

    @contextlib.contextmanager
    def running(self) -> Iterator["Provider"]:
        try:
            self.start()
            yield self
        finally:
            self._client.close()
            self.stop()

    def requests_for(self, suffix: str) -> int:
        """How many requests for a path with that end it has seen."""
        return sum(line.endswith(suffix) for line in self._lines())

    def _lines(self) -> list[str]:
        return self._log.read_text().splitlines() if self._log.exists() else []

    def tenant_table(self, **options: Any) -> dict[str, Any]:
        """The tenant, as the gateway settings say it."""
        return {
            "tenant_id": self.tenant_id,
            "audiences": [AUDIENCE],
            "client_app_ids": [CLIENT_APP],
            "authority": self.url,
            "authority_certificates": self.authority.read_text(),
            **options,
        }

    def token(self, *, version: str = "1.0", header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A token of a device, with ``claims`` set, or left out where they are None."""
        application = "appid" if version == "1.0" else "azp"
        wanted = {
            "aud": AUDIENCE,
            "tid": self.tenant_id,
            "ver": version,
            application: CLIENT_APP,
            "deviceid": str(uuid.uuid4()),
            **claims,
        }
        path = "" if version == "1.0" else "/v2.0"
        response = self._client.post(
            f"{self.url}/{self.tenant_id}{path}/token",
            data={
                "grant_type": "client_credentials",
                "claims": json.dumps(wanted),
                "header": json.dumps(header or {}),
            },
        )
        response.raise_for_status()
        return str(response.json()["access_token"])

    def user_token(self, **claims: Any) -> str:
        """A token of a user on a device."""
        return self.token(**{"scp": "user_impersonation", "oid": str(uuid.uuid4()), "sub": "someone", **claims})

    def key_set(self, path: str = "") -> dict[str, Any]:
        """The key set as it publishes it."""
        url = f"{self.url}/{self.tenant_id}{path}/discovery/keys"
        answer: dict[str, Any] = self._client.get(url).json()
        return answer


def in_seconds(seconds: float) -> int:
    """A time for ``exp`` or ``nbf``."""
    return int(time.time() + seconds)
