"""Notes what devices show beside what they registered: their TLS certificates, and their ids at Entra tenants."""

import threading
from collections import OrderedDict
from datetime import datetime

from causeway.site.database import Database, credentials
from causeway.site.database.devices import DeviceRow
from causeway.site.database.models import CredentialKind
from causeway.site.peer import Client
from causeway.site.token_service.admission import Presented

_REMEMBERED = 100_000


class Credentials:
    """Knows what it has noted, so that a device costs a write once and not with every message. Threads share it."""

    def __init__(self, database: Database, remembered: int = _REMEMBERED) -> None:
        self._database = database
        self._remembered = remembered
        self._noted: OrderedDict[tuple[int, CredentialKind, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, device: DeviceRow, client: Client, presented: Presented | None, *, now: datetime) -> None:
        """Note what came with a request in which ``device`` has proved its key, be it blocked or not."""
        shown = [(CredentialKind.TLS_CERTIFICATE, client.certificate_fingerprint or "")]
        if presented is not None and presented.identity.tenant and not presented.identity.token:
            # An Entra token, and no site token of a device that came by one.
            shown.append((CredentialKind.ENTRA_DEVICE, presented.identity.device.lower()))
        for kind, value in shown:
            if value and self._is_new((device.number, kind, value)):
                credentials.note(self._database, device.number, kind, value, now=now)

    def _is_new(self, key: tuple[int, CredentialKind, str]) -> bool:
        with self._lock:
            if key in self._noted:
                self._noted.move_to_end(key)
                return False
            self._noted[key] = None
            if len(self._noted) > self._remembered:
                self._noted.popitem(last=False)
            return True
