"""Whether a certificate on disk still serves, or has to be issued anew."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from causeway.errors import StateError
from causeway.files import read_state
from causeway.pki.authority import Authority

RENEW_BEFORE = dt.timedelta(days=30)


def certificate_is_good(path: Path, authority: Authority, names: Sequence[str]) -> bool:
    """Whether the certificate at ``path`` is there, of ``authority``, for just ``names``, and not near its end.

    Raises:
        StateError: the file is there and is no such certificate.
    """
    if not path.exists():
        return False
    try:
        certificate = x509.load_pem_x509_certificate(read_state(path, "a certificate"))
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound) as error:
        raise StateError(f"{path}: not a certificate in PEM form; remove it, and it is made anew") from error
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    present = {
        *alternative.get_values_for_type(x509.DNSName),
        *(str(one) for one in alternative.get_values_for_type(x509.IPAddress)),
    }
    return present == set(names) and certificate.not_valid_after_utc - dt.datetime.now(dt.UTC) > RENEW_BEFORE
