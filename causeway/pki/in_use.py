"""A certificate that a running part uses: taken again when its files were replaced, and watched for its end.

Nobody has to tell: whoever renews replaces the files, and a few calls of ``stat`` a second notice. A key that does not
belong to its certificate yet is waited for, and what was in force stays meanwhile.
"""

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from cryptography import x509

from causeway.errors import OperatorError

log = structlog.get_logger()

WARN_BEFORE = dt.timedelta(days=30)
_DAY_S = 24 * 3600.0

_State = tuple[tuple[int, ...], ...]


class ExpiresSoon(OperatorError):
    """A certificate that is good, and not for long."""


def term_of(certificate: x509.Certificate) -> str:
    """Until when it is valid, for a check.

    Raises:
        ExpiresSoon: in less than 30 days.
        OperatorError: it has expired.
    """
    left = certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)
    if left < dt.timedelta(0):
        raise OperatorError(f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}; renew it")
    if left < WARN_BEFORE:
        raise ExpiresSoon(f"expires in {left.days} days; renew it")
    return f"valid until {certificate.not_valid_after_utc:%Y-%m-%d}"


class CertificateInUse:
    """One certificate, and the files that are taken together with it.

    Attributes:
        name: which of the part's; the label of metrics and logs.
        not_after: when it ends, in seconds since 1970; 0 before it was taken.
        taken: how many times it was taken, so that others notice that there is another one.
    """

    def __init__(self, name: str, certificate: Path, *beside: Path, take: Callable[[], object]) -> None:
        """Follow ``certificate`` and the files ``beside`` it.

        Args:
            name: see above.
            certificate: PEM; the first one in it counts.
            beside: its key, and whatever else ``take`` reads.
            take: puts the files in force, all or nothing; raises OperatorError where they cannot be used.
        """
        self.name = name
        self.not_after = 0.0
        self.taken = 0
        self._certificate = certificate
        self._paths = (certificate, *beside)
        self._take = take
        self._in_force: _State | None = None
        self._refused: _State | None = None
        self._warn_at = 0.0
        self._untold: dict[str, str] = {}

    def take(self) -> None:
        """Put the files in force.

        Raises:
            OperatorError: they cannot be used.
        """
        state = self._state()  # first: what is replaced meanwhile is seen at the next look
        self._take()
        self._in_force, self._refused = state, None
        self.taken += 1
        self._note_end()

    def renew(self) -> bool:
        """Put the files in force again, whether they have changed or not; where that fails, every look tries again."""
        try:
            self.take()
        except OperatorError as error:
            state = self._state()
            if state != self._refused:  # not every second
                log.warning("the certificate cannot be used, the one in force stays", reason=str(error))
            self._in_force, self._refused = None, state
            return False
        return True

    def look(self) -> None:
        """Called every second: take what was replaced, say what is in force, and once a day that its end is near."""
        if self._state() != self._in_force:
            self.renew()
        if self._untold:
            log.info("certificate in force", **self._untold)
            self._untold = {}
        if self.not_after and (now := time.time()) >= self._warn_at:
            self._warn_at = now + _DAY_S
            left = dt.timedelta(seconds=self.not_after - now)
            if left < WARN_BEFORE:
                event = "certificate expires soon" if left > dt.timedelta(0) else "certificate has expired"
                log.warning(event, certificate=self.name, file=str(self._certificate), days_left=left.days)

    def _state(self) -> _State:
        return tuple(map(_file_state, self._paths))

    def _note_end(self) -> None:
        self.not_after = self._warn_at = 0.0
        try:
            leaf = x509.load_pem_x509_certificates(self._certificate.read_bytes())[0]
        except (OSError, ValueError):
            return  # OpenSSL reads it, which is what counts; or it is just being replaced
        self.not_after = leaf.not_valid_after_utc.timestamp()
        # Told with the next look: a part that does not come to serve says only why.
        self._untold = {
            "certificate": self.name,
            "subject": leaf.subject.rfc4514_string(),
            "serial": f"{leaf.serial_number:x}",
            "not_after": f"{leaf.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
        }


def _file_state(path: Path) -> tuple[int, ...]:
    """What differs when a file was replaced, or written to; empty where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
