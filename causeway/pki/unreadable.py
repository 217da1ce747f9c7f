"""What ``cryptography`` raises about certificates, lists and answers that cannot be read.

It reads late: a name or an extension that is malformed, comes twice or is of a kind that it does not know is noticed
when it is asked for, and not by one type of error.
"""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

UNREADABLE = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
