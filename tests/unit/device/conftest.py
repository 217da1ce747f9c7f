import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from causeway.device import identity
from causeway.device.client import DeviceClient
from causeway.device.config import DeviceConfig
from causeway.device.identity import self_signed
from tests.unit.device.fake_management_point import URL, FakeManagementPoint


@pytest.fixture(scope="session")
def keys() -> list[rsa.RSAPrivateKey]:
    """Making a key takes a tenth of a second; the tests share some."""
    return [rsa.generate_private_key(65537, 2048) for _ in range(4)]


@pytest.fixture(autouse=True, scope="session")
def few_keys(keys: list[rsa.RSAPrivateKey]) -> Iterator[None]:
    turn = iter(range(10**6))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "new_rsa_key", lambda: keys[next(turn) % len(keys)])
        yield


@pytest.fixture(scope="session")
def site_certificate(keys: list[rsa.RSAPrivateKey]) -> x509.Certificate:
    return self_signed(keys[0], "site")


@pytest.fixture
def management_point(site_certificate: x509.Certificate) -> FakeManagementPoint:
    return FakeManagementPoint(site_certificate)


@pytest.fixture
def config(tmp_path: Path) -> DeviceConfig:
    return DeviceConfig(URL, tmp_path / "state", name="pc-with-a-long-name.corp")


@pytest.fixture
def waits() -> list[float]:
    """How long the device slept between its questions."""
    return []


@pytest.fixture
def device(config: DeviceConfig, management_point: FakeManagementPoint, waits: list[float]) -> DeviceClient:
    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    return DeviceClient(config, transport=httpx.MockTransport(management_point), sleep=sleep)
