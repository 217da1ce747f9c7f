"""A refusal is one line in the log and one count: who, what, why."""

import structlog

from causeway.errors import CausewayError
from causeway.site.metrics import Metrics
from causeway.site.peer import Client

_log = structlog.get_logger(__name__)


def note(metrics: Metrics, client: Client, error: CausewayError, **what: str) -> None:
    """Log and count a refusal; ``what`` says what was asked for."""
    metrics.refusals.labels(word=error.word).inc()
    _log.warning(
        "refused",
        word=error.word,
        cause=error.cause,
        reason=str(error),
        address=client.address,
        certificate=client.subject,
        **what,
    )
