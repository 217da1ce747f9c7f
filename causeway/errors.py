"""The one error tree of the package.

Every error says who caused it and carries one word that ``docs/errors.md`` explains. The word is the reason
phrase of the response, the label of the metric and the field in the log, so that a line seen anywhere leads to
the same heading.
"""

from enum import StrEnum
from typing import ClassVar


class Cause(StrEnum):
    """Who has to act for the error to go away."""

    CLIENT = "client"
    GATEWAY = "gateway"
    CONNECTION_POINT = "connection_point"
    SITE = "site"
    SITE_SYSTEM = "site_system"
    OPERATOR = "operator"


class CausewayError(Exception):
    """Root of the tree. A subclass sets its cause and its word."""

    cause: ClassVar[Cause]
    word: ClassVar[str]


class OperatorError(CausewayError):
    """Something the operator did or must do: a wrong file, a busy port, a missing right.

    The command line shows ``str(error)`` as one line, without a traceback, and exits with 2, so the message names
    what is wrong, where, and the remedy.
    """

    cause = Cause.OPERATOR
    word = "Operator"


class ConfigurationError(OperatorError):
    """A configuration file that cannot be taken. The message names file, line, key and what was expected."""

    word = "Configuration"


class StateError(OperatorError):
    """A state file that is corrupt, unreadable or cannot be written."""

    word = "State"
