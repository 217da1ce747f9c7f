from collections.abc import Callable
from pathlib import Path

import pytest

from causeway.configuration import load
from causeway.pki.authority import Authority
from causeway.site.config import SiteConfig
from causeway.site.setup import SitePaths, prepare


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"), "Test authority")


@pytest.fixture(scope="session")
def laid_out(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> SitePaths:
    return prepare(
        tmp_path_factory.mktemp("site"),
        authority,
        site_code="PS1",
        names=["mp1.corp.example"],
        address="127.0.0.1",
        port=8443,
        admin_port=9643,
        service_name="gateway.example.com",
    )


@pytest.fixture
def configured(laid_out: SitePaths, tmp_path: Path) -> Callable[[str], SiteConfig]:
    """Makes the configuration of a site whose file has some text more."""

    def make(more: str = "") -> SiteConfig:
        text = laid_out.config.read_text()
        for name in ("site.pem", "site.key", "authority.pem", "site-signing.pem", "site-signing.key", "settings.key"):
            text = text.replace(f'"{name}"', f'"{laid_out.folder / name}"')
        path = tmp_path / "site.toml"
        path.write_text(f"{text}\n{more}\n")
        return load(path, SiteConfig)

    return make
