"""One message and everything that answering it needs."""

from dataclasses import dataclass
from datetime import datetime

from causeway.messaging.message import Message
from causeway.site.config import ManagementPointConfig
from causeway.site.context import InForce, Site
from causeway.site.database.devices import DeviceRow
from causeway.site.peer import Client
from causeway.site.token_service import Presented

# Whoever asks need not be known yet, so that what it may make us inflate stays small.
_MAX_REQUEST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Exchange:
    """A decoded message, who brought it, and when.

    ``in_force`` is the configuration for the whole exchange: a reload in between does not split it. ``presented`` is
    the verified token that came with the message.
    """

    site: Site
    in_force: InForce
    client: Client
    message: Message
    now: datetime
    presented: Presented | None = None

    @property
    def config(self) -> ManagementPointConfig:
        """The management point's configuration."""
        return self.in_force.config.management_point

    def note_credentials(self, device: DeviceRow) -> None:
        """Note what ``device``, which has proved its key, has shown with this message."""
        self.site.credentials.note(device, self.client, self.presented, now=self.now)

    def body(self) -> str:
        """The body's text: of a request, which is short; reports are longer and signed, and read elsewhere.

        Raises:
            MessagingError: as for ``Message.body_text``.
        """
        return self.message.body_text(max_bytes=min(_MAX_REQUEST_BYTES, self.config.max_inflated_bytes))
