"""Why a connection failed, in a few words."""

import errno
import os
import socket
import ssl

import httpx
import pytest

from causeway.errors import StateError
from causeway.transport.proxy import ProxyUnreachable
from causeway.transport.reasons import why

REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
NO_NAME = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def wrapped(cause: BaseException) -> httpx.ConnectError:
    """As a library wraps what the system said: by a cause of a cause."""
    try:
        try:
            raise OSError("All connection attempts failed") from cause
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
    except httpx.ConnectError as error:
        return error


def not_trusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed (_ssl.c:1016)")
    error.verify_message = "certificate has expired"
    return error


def no_tls() -> ssl.SSLError:
    error = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1016)")
    error.reason = "WRONG_VERSION_NUMBER"
    return error


def of_our_own(error: Exception) -> Exception:
    error.__cause__ = REFUSED
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (wrapped(REFUSED), "Connection refused"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('192.0.2.1', 9)"), "Connection refused"),
        (wrapped(NO_NAME), "Name or service not known"),
        (wrapped(ExceptionGroup("all", [REFUSED, NO_NAME])), "Connection refused"),
        (wrapped(not_trusted()), "its certificate is not good: certificate has expired"),
        (wrapped(no_tls()), "wrong version number"),
        (httpx.ReadError(""), "ReadError"),
        (of_our_own(StateError("ca.pem: cannot be used")), "ca.pem: cannot be used"),
        (wrapped(of_our_own(ProxyUnreachable("the proxy cannot be reached"))), "the proxy cannot be reached"),
        (ValueError("what it says itself"), "what it says itself"),
    ],
)
def test_the_innermost_words_of_the_system_are_told(error: BaseException, words: str) -> None:
    assert why(error) == words
