"""Why a connection failed, in a few words."""

import os
import ssl


def why(error: BaseException) -> str:
    """The system's own words for it, such as ``Connection refused``: what libraries wrap around them says less.

    Args:
        error: what a library raised; its causes are looked through, and one of our own says it itself.
    """
    found = str(error) or type(error).__name__
    cause: BaseException | None = error
    while cause is not None:
        if type(cause).__module__.startswith("causeway."):
            return str(cause)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not good: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return (cause.reason or str(cause)).replace("_", " ").lower()
        if isinstance(cause, OSError) and cause.strerror:
            # asyncio puts the address in place of the reason; what is below zero is of name resolution.
            found = os.strerror(cause.errno) if cause.errno and cause.errno > 0 else cause.strerror
        cause = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else cause.__cause__ or cause.__context__
    return found
