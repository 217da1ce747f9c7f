"""What stays of a token once it is verified."""

from dataclasses import dataclass

from causeway.gateway_settings import TokenKey
from causeway.identity.identity import Identity


@dataclass(frozen=True, slots=True)
class Verified:
    """A token whose signature, claims and dates were good.

    Attributes:
        identity: who bears it.
        expires: until when this holds, seconds since 1970.
        issuer: what its ``iss`` says.
        audience: what its ``aud`` says.
        key: the key that signed it: when that is withdrawn, this holds no longer.
    """

    identity: Identity
    expires: float
    issuer: str
    audience: str
    key: TokenKey
