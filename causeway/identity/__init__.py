"""Who is this client? A verified certificate becomes an identity, or a refusal."""

from causeway.identity.identity import ANONYMOUS, Identity, Kind

__all__ = ["ANONYMOUS", "Identity", "Kind"]
