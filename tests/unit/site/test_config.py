from collections.abc import Callable
from pathlib import Path

import pytest

from causeway.configuration import default_toml, parse
from causeway.errors import ConfigurationError
from causeway.site.config import HEADING, DatabaseConfig, SiteConfig
from causeway.site.database import Database, database_name

Configured = Callable[[str], SiteConfig]


def test_the_default_file_is_a_configuration_once_its_examples_are_true() -> None:
    config = parse(default_toml(SiteConfig, HEADING), SiteConfig, Path("/etc/causeway/site.toml"))

    assert config.site.code == "PS1"
    assert config.server.certificate == Path("/etc/causeway/site.pem")
    assert config.database.url == "sqlite:////etc/causeway/site.db"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("[nonsense]\na = 1", "nonsense"),
        ('[client_settings]\nheartbeat_minutes = "often"', "client_settings.heartbeat_minutes"),
        ("[client_settings]\nheartbeat_minutes = 0", "client_settings.heartbeat_minutes"),
        ('[[application]]\nname = "a"\npath = "relative"\nupstream = "http://a/"', "application.0.path"),
        ('[[application]]\nname = "a"\npath = "/a"\nupstream = "a"', "application.0.upstream"),
        ('[[existing_management_point]]\nrole_id = 8\nurl = "https://u:p@mp/"', "existing_management_point.0.url"),
        ('[[existing_management_point]]\nrole_id = 8\nurl = "https://a/"\nmutual_auth = ["../x"]', "mutual_auth"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(configured: Configured, more: str, expected: str) -> None:
    with pytest.raises(ConfigurationError, match=expected):
        configured(more)


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///", "mysql://db/site", "postgresql://db/site"])
def test_a_database_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="key url"):
        parse(f'url = "{url}"', DatabaseConfig, Path("x.toml"))


def test_a_password_in_the_url_is_refused_and_never_shown() -> None:
    config = DatabaseConfig(url="postgresql+psycopg://causeway:hunter2@db/site")

    assert "hunter2" not in database_name(config)
    with pytest.raises(ConfigurationError, match="password_file") as refused:
        Database(config)
    assert "hunter2" not in str(refused.value)
