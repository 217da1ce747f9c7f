"""A fake broker: gets the devices' tokens from the fake tenant, and keeps each in a file, as a device's broker would.

What it cannot do: it holds no keys and no sign-in of a user, and knows no tenant but the fake one.
"""

import ssl
import time
from collections.abc import Iterable
from pathlib import Path

import httpx

from causeway.files import write_atomically
from causeway.up.devices import DevicePaths
from causeway.up.fake_tenant import CLIENT_APP_ID, TOKEN_LIFETIME_S, EntraDevice, FakeTenant

_TIMEOUT_S = 30.0


class FakeBroker:
    """Keeps tokens at hand, each for at most half of its time."""

    def __init__(self, tenant: FakeTenant, authority: Path) -> None:
        self._tenant = tenant
        self._trusted = ssl.create_default_context(cafile=authority)
        self._renew_at: dict[str, float] = {}

    async def keep(self, devices: Iterable[DevicePaths]) -> None:
        """Get new tokens for those of ``devices`` whose tokens are due.

        Where the tenant gives none, the file stays what it was: the device says so, if it needs one.

        Raises:
            StateError: a device's file is damaged or cannot be written.
        """
        due = [one for one in devices if time.monotonic() >= self._renew_at.get(one.name, 0.0)]
        if not due:
            return
        async with httpx.AsyncClient(verify=self._trusted, timeout=_TIMEOUT_S, trust_env=False) as client:
            for paths in due:
                device = EntraDevice.kept(paths.entra_device)
                try:
                    token = await self._get(client, device)
                except (httpx.HTTPError, KeyError, ValueError):
                    continue
                write_atomically(paths.entra_token, token.encode())
                self._renew_at[paths.name] = time.monotonic() + TOKEN_LIFETIME_S / 2

    async def _get(self, client: httpx.AsyncClient, device: EntraDevice) -> str:
        response = await client.post(
            self._tenant.origin + self._tenant.token_path,
            data={
                "client_id": CLIENT_APP_ID,
                "resource": self._tenant.audience,
                "device_id": str(device.device_id),
                "device_secret": device.secret,
            },
        )
        response.raise_for_status()
        return str(response.json()["access_token"])
