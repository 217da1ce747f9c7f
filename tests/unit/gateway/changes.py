"""Changes of the gateway settings, for tests of one worker."""

import dataclasses
from typing import Any

from causeway.gateway_settings import GatewaySettings, sign
from fuzz.data_path import DataPath
from tests.unit.memory import ground


def publish(path: DataPath, **changes: Any) -> GatewaySettings:
    """Newer settings come through the tunnel."""
    settings = path.worker.store.current
    assert settings is not None
    newer = dataclasses.replace(settings, version=settings.version + 1, **changes)
    path.worker.settings_offered(sign(newer, ground()._key), path.upper)
    return newer
