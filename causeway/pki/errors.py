"""What can be wrong with certificates, keys and the authorities that issue them."""

from causeway.errors import Cause, CausewayError, OperatorError


class CertificateFileError(OperatorError):
    """A file that holds no certificate, request or key of the kind that is wanted; the message names the file."""

    word = "CertificateFile"


class PassphraseError(OperatorError):
    """A passphrase is missing, or is not that of the file."""

    word = "Passphrase"


class AuthorityError(CausewayError):
    """An authority refused, or did not answer as its protocol says; the message has its own words."""

    cause = Cause.OPERATOR
    word = "CertificateAuthority"


class HostUnreachable(CausewayError):
    """A server did not come to the end of a TLS handshake, so its certificate is not known."""

    cause = Cause.OPERATOR
    word = "HostUnreachable"


class DeployHookFailed(CausewayError):
    """The operator's command that was to follow a new certificate failed; the certificate is in place."""

    cause = Cause.OPERATOR
    word = "DeployHook"
