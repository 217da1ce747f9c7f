"""What goes wrong on the way to Azure. Messages are one line: what, and behind a semicolon the remedy."""

from causeway.errors import Cause, CausewayError, OperatorError


class RetailPricesUnavailable(CausewayError):
    """Azure's retail prices could not be had, or are not what they should be. Prices that are known stay."""

    cause = Cause.OPERATOR
    word = "RetailPrices"


class AzureFailed(CausewayError):
    """Azure could not be asked, or did not answer as it should. Root of the errors below."""

    cause = Cause.OPERATOR
    word = "Azure"


class AzureExtraMissing(AzureFailed, OperatorError):
    """The Azure SDK is not installed."""

    word = "AzureExtra"


class AzureSignIn(AzureFailed, OperatorError):
    """There are no credentials, or Entra ID or Azure refused them: expired, wrong, of another tenant."""

    word = "AzureSignIn"


class AzureForbidden(AzureFailed, OperatorError):
    """Whoever is signed in may not do that."""

    word = "AzureForbidden"


class AzureNotFound(AzureFailed, OperatorError):
    """What was asked for is not there: most often the subscription, for whoever is signed in."""

    word = "AzureNotFound"


class AzureConflict(AzureFailed, OperatorError):
    """What is there stands against what is to be made, and a person has to decide."""

    word = "AzureConflict"


class AzureThrottled(AzureFailed):
    """Azure wants fewer questions, for longer than is worth waiting."""

    word = "AzureThrottled"


class AzureUnreachable(AzureFailed):
    """No connection, no verified TLS, or no answer in time."""

    word = "AzureUnreachable"


class AzureAnswer(AzureFailed):
    """An answer that cannot be read, or a refusal of another kind; the message has what Azure said."""

    word = "AzureAnswer"
