"""The gateway settings that a command looks at: a gateway's, the site's, or those in a file."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from causeway.configuration import load
from causeway.errors import OperatorError
from causeway.files import read_state
from causeway.gateway.config import GatewayConfig
from causeway.gateway.worker import ENTRA_KEYS_FOLDER, SETTINGS_FILE
from causeway.gateway_settings import GatewaySettings, SettingsError, verify
from causeway.identity.entra.config import EntraKeysSection
from causeway.observability.checks import CheckResult, Status
from causeway.pki.keys import load_verification_key


@dataclass(frozen=True, slots=True)
class SettingsInForce:
    """Settings, how Entra keys are fetched and kept there, and where all that is from."""

    settings: GatewaySettings
    entra_keys: EntraKeysSection
    entra_keys_folder: Path | None
    step: CheckResult


def settings_in_force(config: Path, document: Path | None, site_key: Path | None) -> SettingsInForce:
    """The settings of ``config`` (``gateway.toml`` or ``site.toml``), or those in ``document``, signed by ``site_key``.

    Raises:
        OperatorError: they cannot be read, or nobody has published any.
    """
    if (document is None) != (site_key is None):
        raise OperatorError("--settings needs the key that they are signed with, --site-key, and the other way round")
    if document is not None and site_key is not None:
        return _found(document, site_key, EntraKeysSection(), None)
    if _is_site(config):
        return _published(config)
    gateway = load(config, GatewayConfig)
    document = gateway.state / SETTINGS_FILE
    if not document.exists():
        raise OperatorError(f"{document}: the gateway has no settings yet; a connection point brings them")
    return _found(document, gateway.site_key, gateway.entra_keys, gateway.state / ENTRA_KEYS_FOLDER)


def _is_site(config: Path) -> bool:
    try:
        return "site" in tomllib.loads(config.read_text("utf-8"))
    except (OSError, ValueError):
        return False  # said by whoever reads it as a gateway's


def _found(document: Path, site_key: Path, entra_keys: EntraKeysSection, folder: Path | None) -> SettingsInForce:
    try:
        settings = verify(read_state(document, "the gateway settings"), load_verification_key(site_key))
    except SettingsError as error:
        raise OperatorError(f"{document}: {error}") from error
    return SettingsInForce(settings, entra_keys, folder, _step(document, settings))


def _published(config: Path) -> SettingsInForce:
    # The site's database is needed here alone, and takes a moment to import.
    from causeway.pki.keys import load_signing_key  # noqa: PLC0415
    from causeway.site.config import SiteConfig  # noqa: PLC0415
    from causeway.site.database import Database, gateway_settings  # noqa: PLC0415

    site = load(config, SiteConfig)
    database = Database(site.database)
    database.open()
    try:
        newest = gateway_settings.newest(database)
    finally:
        database.close()
    if newest is None:
        raise OperatorError(f"{config}: the site has published no gateway settings yet; start it")
    settings = verify(newest.signed, load_signing_key(site.gateway.settings_key).public_key())
    return SettingsInForce(settings, site.entra_keys, None, _step(config, settings))


def _step(source: Path, settings: GatewaySettings) -> CheckResult:
    return CheckResult("gateway settings", str(source), Status.PASS, f"version {settings.version}, signed by the site")
