"""Client tokens that were used, so that one seen on the way cannot be used again."""

import hashlib
import threading
from collections import OrderedDict
from datetime import datetime, timedelta

_MAX_TOKENS = 200_000


class TokenLedger:
    """Remembers each token from its first use until it would be too old anyway. Threads share it."""

    def __init__(self, max_tokens: int = _MAX_TOKENS) -> None:
        self._max_tokens = max_tokens
        self._first_use: OrderedDict[bytes, datetime] = OrderedDict()
        self._lock = threading.Lock()

    def use(self, signature: str, *, now: datetime, reuse: timedelta, lifetime: timedelta) -> bool:
        """Whether a token, verified and in time, may be used at ``now``.

        A token may come again for ``reuse`` after its first use: a client writes the time in whole seconds and so sends
        the same token for two policies, and a gateway repeats a request whose connection broke.

        Args:
            signature: the token's, hexadecimal. The ledger goes by it and not by the token's text, since one signature
                is taken for a few texts (see ``client_token``).
            now: the time of this use.
            reuse: how long after the first use it is taken again.
            lifetime: how long to remember it: until its own time would refuse it.
        """
        digest = hashlib.sha256(signature.strip().upper().encode()).digest()
        with self._lock:
            self._forget(now - lifetime)
            first_use = self._first_use.setdefault(digest, now)
        return now - first_use <= reuse

    def __len__(self) -> int:
        return len(self._first_use)

    def _forget(self, before: datetime) -> None:
        while self._first_use:
            digest, first_use = next(iter(self._first_use.items()))
            if first_use >= before and len(self._first_use) < self._max_tokens:
                return
            del self._first_use[digest]
