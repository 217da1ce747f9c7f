"""Who is this client? A verified certificate or token becomes an identity, or a denial."""

from causeway.identity.denial import Denial, Denied
from causeway.identity.identity import ANONYMOUS, Identity, Kind

__all__ = ["ANONYMOUS", "Denial", "Denied", "Identity", "Kind"]
