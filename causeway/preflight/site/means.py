"""How the site's servers are looked at."""

from dataclasses import dataclass
from pathlib import Path

from causeway.preflight.certificate import Look, shake_hands
from causeway.preflight.site.asking import Ask


@dataclass(frozen=True, slots=True)
class Means:
    """How to look at servers.

    Attributes:
        ask: asks.
        has_certificate: a client certificate is at hand for it.
        authorities: files of roots of one's own.
        timeout_s: for each server.
        look: shakes hands.
    """

    ask: Ask
    has_certificate: bool = False
    authorities: tuple[Path, ...] = ()
    timeout_s: float = 30.0
    look: Look = shake_hands
