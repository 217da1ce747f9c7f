"""The sections that every part has."""

from causeway.configuration import section, setting
from causeway.observability.logging import LogFormat, LogLevel


@section
class LogSection:
    """What is written to standard error."""

    level: LogLevel = setting("debug, info, warning or error", default="info")
    format: LogFormat = setting("text for people, json for machines, auto by where it goes", default="auto")
    requests: bool = setting("one line a request", default=True)
