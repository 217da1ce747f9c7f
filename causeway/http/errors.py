"""What can be wrong with a message."""

from causeway.errors import Cause, CausewayError


class HttpError(CausewayError):
    """A message with no single reading."""


class BadRequest(HttpError):
    """A request that is answered with 400 (or ``word``'s own status) and whose connection is closed."""

    cause = Cause.CLIENT
    word = "CMGService_BadRequest"


class ExpectationFailed(BadRequest):
    """An ``Expect`` header other than ``100-continue``."""

    word = "CMGService_ExpectationFailed"


class BadResponse(HttpError):
    """An answer of a site system that cannot be passed on."""

    cause = Cause.SITE_SYSTEM
    word = "CMGConnector_BadSiteSystemAnswer"
