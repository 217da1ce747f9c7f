"""What ends a run of the benchmark."""

from causeway.errors import OperatorError


class BenchError(OperatorError):
    """Something is missing or does not behave; the message says what, and what to do."""

    word = "Bench"
