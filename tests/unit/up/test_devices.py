from collections.abc import Callable
from pathlib import Path

import pytest

from causeway.device.access import Authentication
from causeway.errors import StateError
from causeway.pki.authority import Authority
from causeway.up.devices import prepare_device
from causeway.up.home import Ports, prepare

C, T, E = Authentication.CERTIFICATE, Authentication.TOKEN, Authentication.ENTRA


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"), "Authority")


def kinds(folder: Path, authority: Authority, count: int) -> list[Authentication]:
    return [prepare_device(folder, authority, number).authentication for number in range(1, count + 1)]


def test_the_kinds_of_identity_are_spread_over_the_devices(tmp_path: Path, authority: Authority) -> None:
    assert kinds(tmp_path, authority, 5) == [C, T, E, C, T]


def test_a_device_stays_of_the_kind_that_it_began_with(tmp_path: Path, authority: Authority) -> None:
    # As a home has them in which certificates and tokens alone took turns.
    for number in (1, 3, 5):
        prepare_device(tmp_path / "aside", authority, 1).folder.rename(tmp_path / f"device-{number}")
    for number in (2, 4, 6):
        (tmp_path / f"device-{number}" / "state").mkdir(parents=True)
    before = (tmp_path / "device-1" / "device.pem").read_bytes()
    assert kinds(tmp_path, authority, 9) == [C, T, C, T, C, T, C, T, E]
    assert kinds(tmp_path, authority, 9) == [C, T, C, T, C, T, C, T, E]
    assert (tmp_path / "device-1" / "device.pem").read_bytes() == before


def home(folder: Path, devices: int) -> str:
    prepare(folder, name="localhost", address="127.0.0.1", ports=Ports(8443), devices=devices)
    return (folder / "site" / "site.toml").read_text()


def test_the_fake_tenant_is_onboarded_where_a_device_is_of_it_and_nowhere_else(tmp_path: Path) -> None:
    assert "entra_tenant" not in home(tmp_path, 2)
    with_one = home(tmp_path, 3)
    assert with_one.count("[[entra_tenant]]") == 1
    assert 'authority = "https://localhost:8450"' in with_one
    assert home(tmp_path, 3) == with_one
    assert "entra_tenant" not in home(tmp_path, 2)


def damage_key(folder: Path) -> Path:
    return folder / "fake-tenant" / "signing.key"


def damage_device(folder: Path) -> Path:
    return folder / "devices" / "device-3" / "entra-device.json"


def damage_certificate(folder: Path) -> Path:
    return folder / "fake-tenant" / "server.pem"


@pytest.mark.parametrize("damaged", [damage_key, damage_device, damage_certificate])
def test_a_damaged_file_of_the_fake_tenant_is_named(tmp_path: Path, damaged: Callable[[Path], Path]) -> None:
    home(tmp_path, 3)
    damaged(tmp_path).write_bytes(b"\x00 garbage \xff")
    with pytest.raises(StateError, match=damaged(tmp_path).name):
        home(tmp_path, 3)
