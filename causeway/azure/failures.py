"""The SDK's exceptions as errors of ours. Nothing that it raises gets past here."""

import asyncio
import contextlib
import json
from collections.abc import Iterator

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

from causeway.azure.errors import (
    AzureAnswer,
    AzureFailed,
    AzureForbidden,
    AzureNotFound,
    AzureSignIn,
    AzureThrottled,
    AzureUnreachable,
)
from causeway.azure.sign_in import login_command, one_line
from causeway.clouds import Cloud

_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 401, 403, 404, 429
_SERVER_ERROR = 500


@contextlib.contextmanager
def explained(what: str, cloud: Cloud, tenant_id: str | None = None) -> Iterator[None]:
    """Turn what the SDK raises within into errors of ours.

    Args:
        what: what is being done, for the message.
        cloud: the cloud that is asked.
        tenant_id: the plan's tenant, for remedies.

    Raises:
        AzureFailed: of the kind that fits.
    """
    try:
        yield
    except (AzureFailed, TimeoutError, asyncio.CancelledError):
        raise
    except IncompleteReadError as error:
        raise AzureAnswer(f"{what}: the answer broke off: {one_line(error.message)}; try again") from None
    except DecodeError as error:
        raise _unreadable(error, what) from None
    except HttpResponseError as error:
        raise _refused(error, what, cloud, tenant_id) from None
    except (ServiceRequestError, ServiceResponseError) as error:
        raise _unreachable(error, what, cloud) from None
    except (AzureError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        # An answer that is no JSON, or of another shape than the SDK's models have, raises anything of these there.
        raise _unreadable(error, what) from None


def said(error: HttpResponseError) -> str:
    """What Azure said, with its own word for it; one line."""
    code, message = _code_and_message(error)
    if not message:
        message = error.reason or error.message or "no reason given"
    return one_line(f"{code}: {message}" if code else message)


def _code_and_message(error: HttpResponseError) -> tuple[str, str]:
    """From the answer itself, where it is readable: what the SDK makes of it repeats itself."""
    try:
        body = json.loads(error.response.text()) if error.response is not None else None
    except (ValueError, RecursionError, AttributeError):
        return "", ""
    inner = body.get("error") if isinstance(body, dict) else None
    if isinstance(inner, dict):
        code, message = inner.get("code"), inner.get("message")
        return (code if isinstance(code, str) else ""), (message if isinstance(message, str) else "")
    if isinstance(inner, str) and isinstance(body, dict):  # of Entra ID
        text = body.get("error_description")
        return inner, text if isinstance(text, str) else ""
    return "", ""


def _refused(error: HttpResponseError, what: str, cloud: Cloud, tenant_id: str | None) -> AzureFailed:
    status, text = error.status_code, said(error)
    if isinstance(error, ClientAuthenticationError) or status == _UNAUTHORIZED:
        return AzureSignIn(f"{what}: not signed in: {text}; sign in anew with {login_command(cloud, tenant_id)}")
    if status == _FORBIDDEN:
        return AzureForbidden(
            f"{what}: forbidden: {text}; have the rights granted that `causeway plan show` lists under Rights"
        )
    if status == _NOT_FOUND:
        return AzureNotFound(
            f"{what}: not found: {text}; compare the plan's [azure] with `az account list --output table`"
        )
    if status == _TOO_MANY:
        return AzureThrottled(f"{what}: too many questions: {text}; try again {_later(error)}")
    if status is not None and status >= _SERVER_ERROR:
        return AzureUnreachable(f"{what}: Azure answers {status}: {text}; try again later, see status.azure.com")
    return AzureAnswer(f"{what}: Azure answers {status or 'something else'}: {text}")


def _unreadable(error: Exception, what: str) -> AzureAnswer:
    return AzureAnswer(
        f"{what}: the answer cannot be read: {one_line(f'{type(error).__name__}: {error}')}"
        "; see that no proxy on the way answers in Azure's place, and try again"
    )


def _later(error: HttpResponseError) -> str:
    headers = getattr(error.response, "headers", None) or {}
    wait = str(headers.get("Retry-After") or "")
    return f"in {wait} s" if wait.isascii() and wait.isdigit() and len(wait) < 8 else "later"


def _unreachable(error: AzureError, what: str, cloud: Cloud) -> AzureUnreachable:
    text = one_line(str(error.inner_exception or error) or type(error.inner_exception or error).__name__)
    remedy = f"open HTTPS to {cloud.resource_manager} and {cloud.authority}, or name a web proxy in HTTPS_PROXY"
    if "certificate verify failed" in text.lower():
        remedy = "where a proxy opens TLS on the way, let SSL_CERT_FILE name a file that has its authority, too"
    return AzureUnreachable(f"{what}: not reached: {text}; {remedy}")
