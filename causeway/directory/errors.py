"""What goes wrong on the way to a directory."""

from causeway.errors import Cause, CausewayError, OperatorError


class DirectoryUnreachable(CausewayError):
    """No domain controller was found, or it did not take the connection, or broke it."""

    cause = Cause.OPERATOR
    word = "DirectoryUnreachable"


class DirectoryUntrusted(OperatorError):
    """The domain controller's certificate cannot be verified; the message says why and the remedy."""

    word = "DirectoryUntrusted"


class DirectoryAnswer(CausewayError):
    """What came is not LDAP, larger than any answer, or not an answer to what was asked."""

    cause = Cause.OPERATOR
    word = "DirectoryAnswer"


class DirectoryRefused(OperatorError):
    """The directory refused to sign the operator in, or to answer; the message has its reason and the remedy."""

    word = "DirectoryRefused"


class NoCredentials(OperatorError):
    """There is nothing to sign in with: no ticket, no keytab, no password; or what it takes is not installed."""

    word = "DirectoryCredentials"
