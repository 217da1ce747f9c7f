"""What the SDK raises becomes one of our errors: of the right kind, one line, with a remedy."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)
from hypothesis import given
from hypothesis import strategies as st

from causeway.azure import errors
from causeway.azure.failures import explained
from causeway.clouds import CLOUDS, CloudName

CLOUD = CLOUDS[CloudName.GLOBAL]


def response(status: int, body: Any = None, **headers: str) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return SimpleNamespace(status_code=status, reason="Because", headers=headers, text=lambda: text)


def azure(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def explain(error: BaseException) -> errors.AzureFailed:
    with pytest.raises(errors.AzureFailed) as raised, explained("usage of Compute", CLOUD, "a-tenant"):
        raise error
    assert raised.value.__cause__ is None
    return raised.value


@pytest.mark.parametrize(
    ("raised", "kind", "text"),
    [
        (
            ClientAuthenticationError(response=response(401, azure("ExpiredAuthenticationToken", "It expired; sorry"))),
            errors.AzureSignIn,
            "usage of Compute: not signed in: ExpiredAuthenticationToken: It expired, sorry; "
            "sign in anew with `az login --tenant a-tenant`",
        ),
        (
            HttpResponseError(response=response(403, azure("AuthorizationFailed", "The client has no authorization"))),
            errors.AzureForbidden,
            "usage of Compute: forbidden: AuthorizationFailed: The client has no authorization; have the rights",
        ),
        (
            ResourceNotFoundError(response=response(404, azure("SubscriptionNotFound", "The subscription"))),
            errors.AzureNotFound,
            "usage of Compute: not found: SubscriptionNotFound: The subscription; compare the plan's [azure]",
        ),
        (
            HttpResponseError(response=response(429, azure("TooManyRequests", "Slow"), **{"Retry-After": "77"})),
            errors.AzureThrottled,
            "usage of Compute: too many questions: TooManyRequests: Slow; try again in 77 s",
        ),
        (
            HttpResponseError(response=response(429, "<html>", **{"Retry-After": "Fri, 31 Dec"})),
            errors.AzureThrottled,
            "usage of Compute: too many questions: Because; try again later",
        ),
        (
            HttpResponseError(response=response(503, "<html>")),
            errors.AzureUnreachable,
            "usage of Compute: Azure answers 503: Because; try again later",
        ),
        (
            HttpResponseError(response=response(400, azure("InvalidParameter", "No such location"))),
            errors.AzureAnswer,
            "usage of Compute: Azure answers 400: InvalidParameter: No such location",
        ),
        (
            ServiceRequestError("Cannot connect to host"),
            errors.AzureUnreachable,
            "usage of Compute: not reached: Cannot connect to host; open HTTPS to management.azure.com",
        ),
        (
            ServiceRequestError("SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed"),
            errors.AzureUnreachable,
            "where a proxy opens TLS on the way, let SSL_CERT_FILE name",
        ),
        (ServiceResponseTimeoutError("Timeout on reading"), errors.AzureUnreachable, "not reached: Timeout on reading"),
        (IncompleteReadError("payload is not completed"), errors.AzureAnswer, "the answer broke off"),
        (DecodeError("JSON is invalid"), errors.AzureAnswer, "the answer cannot be read"),
        (AttributeError("'list' object has no attribute 'get'"), errors.AzureAnswer, "the answer cannot be read"),
        (AzureError("whatever"), errors.AzureAnswer, "the answer cannot be read: AzureError: whatever"),
    ],
)
def test_every_kind_of_failure_has_its_error(raised: Exception, kind: type[errors.AzureFailed], text: str) -> None:
    found = explain(raised)
    assert type(found) is kind
    assert text in str(found)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "code", "message", "error_description", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.integers(300, 599), _JSON.map(json.dumps) | st.text(max_size=40))
def test_any_refusal_is_one_line_and_never_anything_else(status: int, body: str) -> None:
    found = explain(HttpResponseError(response=response(status, body)))
    assert "\n" not in str(found)
    assert str(found).count("; ") <= 1


def test_an_error_of_ours_and_a_timeout_pass_as_they_are() -> None:
    with pytest.raises(errors.AzureSignIn, match=r"^as it is$"), explained("x", CLOUD):
        raise errors.AzureSignIn("as it is")
    with pytest.raises(TimeoutError), explained("x", CLOUD):
        raise TimeoutError
