"""What the operator and the site do meanwhile: settings change, certificates are renewed, workers are replaced."""

import signal
from collections.abc import Iterator

from causeway.pki.keys import new_p256_key
from causeway.pki.roles import Role
from tests.system.certificates import certificates
from tests.system.data_path.path import DataPath, endpoint

SETTINGS_EVERY_S = 3
CERTIFICATE_EVERY_S = 5


class Changes:
    """Everything that changes while clients come and go.

    Attributes:
        counts: how often what has been done.
    """

    def __init__(self, path: DataPath, replacements: Iterator[int]) -> None:
        self._path = path
        self._standing = path.settings.endpoints
        self._replacements = replacements
        self._next_replacement = next(replacements, None)
        self.counts = {"settings": 0, "certificates": 0, "replacements": 0}

    def due(self, second: int) -> None:
        """Do what is due in this second."""
        if second % SETTINGS_EVERY_S == 0:
            self._change_settings()
        if second % CERTIFICATE_EVERY_S == 0:
            self._renew_certificate()
        if self._next_replacement is not None and second >= self._next_replacement:
            self._next_replacement = next(self._replacements, None)
            self._path.gateway.signal(signal.SIGUSR2)
            self.counts["replacements"] += 1

    def _change_settings(self) -> None:
        """Other endpoints and limits, one root more or less, other blocked certificates."""
        path, number = self._path, self.counts["settings"]
        more = [
            endpoint(f"changing-{one}", f"/changing/{number}/{one}", path.origin.url, max_body_bytes=number)
            for one in range(number % 4)
        ]
        roots = [path.certificates.authority.pem.decode(), certificates("other").authority.pem.decode()]
        path.change(
            endpoints=(*self._standing, *more),
            trusted_roots=tuple(roots[: number % 2 + 1]),
            blocked_certificates=tuple(f"{number + one:064x}" for one in range(number % 50)),
        )
        self.counts["settings"] += 1

    def _renew_certificate(self) -> None:
        pair, authority = self._path.gateway_pair, self._path.certificates.authority
        issued = authority.issue_server(["localhost", "127.0.0.1"], new_p256_key(), Role.GATEWAY)
        issued.write(pair.certificate, pair.key)
        self._path.gateway.signal(signal.SIGHUP)
        self.counts["certificates"] += 1
