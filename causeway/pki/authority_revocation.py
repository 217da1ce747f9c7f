"""The revocation list of an authority of one's own: a file beside its certificate, which is its memory, too."""

import datetime as dt
import fcntl
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.errors import OperatorError, StateError
from causeway.files import PRIVATE_FILE, read_state, write_atomically
from causeway.pki.authority import Authority

REVOCATION_LIST = "ca.crl"
LIST_LIFETIME = dt.timedelta(days=90)
"""Long, since the authority of a small site may be asleep for months; a revocation is in force with the next list."""

_RENEW_AFTER = dt.timedelta(days=1)
_CLOCK_SKEW = dt.timedelta(minutes=5)


def revoke(folder: Path, authority: Authority, certificate: x509.Certificate) -> bool:
    """Put a certificate of ``authority`` on the list in ``folder``, for ever; False where it was on it already.

    Raises:
        OperatorError: another authority issued it, or it is the authority's own.
        StateError: the list cannot be read or written.
    """
    if certificate == authority.certificate:
        raise OperatorError("an authority does not revoke itself; take it out of the trusted roots")
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except Exception as error:  # the library has several for this one thing
        raise OperatorError(
            f"{certificate.subject.rfc4514_string()} was issued by {certificate.issuer.rfc4514_string()}, "
            "and only that authority can revoke it"
        ) from error
    return _publish(folder, authority, certificate.serial_number)


def publish(folder: Path, authority: Authority) -> None:
    """Sign the list in ``folder`` anew, or the first one.

    Raises:
        StateError: the list cannot be read or written.
    """
    _publish(folder, authority, None)


def keep_fresh(folder: Path, authority: Authority) -> None:
    """Sign the list anew where it is missing or older than a day.

    Raises:
        StateError: the list cannot be read or written.
    """
    path = folder / REVOCATION_LIST
    if not path.exists() or dt.datetime.now(dt.UTC) - _read(path, authority).last_update_utc > _RENEW_AFTER:
        publish(folder, authority)


def _publish(folder: Path, authority: Authority, serial: int | None) -> bool:
    path = folder / REVOCATION_LIST
    try:
        lock = os.open(folder / f".{REVOCATION_LIST}.lock", os.O_CREAT | os.O_RDWR, PRIVATE_FILE)
    except OSError as error:
        raise StateError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        now = dt.datetime.now(dt.UTC)
        before = _read(path, authority) if path.exists() else None
        entries = [] if before is None else list(before)
        number = 1 if before is None else _number(before) + 1
        if serial is not None:
            if any(entry.serial_number == serial for entry in entries):
                return False
            entries.append(x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build())
        # Not before the last one: clocks are set back, and an older list would be refused.
        issued = now if before is None else max(now, before.last_update_utc)
        builder = (
            x509.CertificateRevocationListBuilder(revoked_certificates=entries)
            .issuer_name(authority.certificate.subject)
            .last_update(issued)
            .next_update(issued + LIST_LIFETIME)
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.certificate.public_key()),  # type: ignore[arg-type]
                critical=False,
            )
        )
        signed = builder.sign(authority.key, hashes.SHA256())
        write_atomically(path, signed.public_bytes(Encoding.PEM), mode=0o644)
        return True
    finally:
        os.close(lock)


def _number(revocation_list: x509.CertificateRevocationList) -> int:
    try:
        return revocation_list.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return 0


def _read(path: Path, authority: Authority) -> x509.CertificateRevocationList:
    wrong = (
        f"{path}: not a revocation list of ca.pem beside it; restore it from a backup, or what it revoked is good again"
    )
    try:
        found = x509.load_pem_x509_crl(read_state(path, "the authority's revocation list"))
        signed = found.is_signature_valid(authority.certificate.public_key())  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise StateError(wrong) from error
    if not signed:
        raise StateError(wrong)
    return found
