"""What Microsoft Graph refuses, read into errors of ours with their remedies. Pure: no network.

Source: Microsoft's "Microsoft Graph error responses and resource types", "Throttling guidance" and "Claims challenges".
"""

import datetime as dt
import email.utils
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, Field, ValidationError

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

_LONGEST_RETRY_AFTER_S = 86_400.0
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _SERVER_ERROR = 401, 403, 404, 500
# What Graph says instead of 404 while a new application is not known everywhere yet.
_NOT_YET = re.compile(
    r"does not reference a valid application object|must in the local tenant|must be in the local tenant"
    r"|does not exist or one of its queried reference-property objects are not present",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What Graph answered.

    Attributes:
        status: HTTP's.
        headers: of the answer, without regard to case.
        body: bounded; may hold a secret.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300


class _Error(BaseModel):
    code: str | None = None
    message: str | None = None


class _Body(BaseModel):
    error: _Error = Field(default_factory=_Error)


def code_and_message(answer: Answer) -> tuple[str, str]:
    """Graph's own word for the refusal, and its sentence, each one bounded line; empty where there is none."""
    try:
        error = _Body.model_validate_json(answer.body).error
    except ValidationError:
        return "", ""
    return one_line(error.code or ""), one_line(error.message or "")


def absent_yet(answer: Answer) -> bool:
    """Whether what was made just now may be why it is refused: Graph answers before every replica knows of it."""
    return answer.status == _NOT_FOUND or (
        answer.status in {400, _FORBIDDEN} and bool(_NOT_YET.search(code_and_message(answer)[1]))
    )


def retry_after_s(answer: Answer) -> float | None:
    """For how long to wait before the next try, as the answer says it (RFC 9110, 10.2.3); None where it does not."""
    value = answer.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(float(value), _LONGEST_RETRY_AFTER_S)
    try:
        when = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=dt.UTC)
    return min(max((when - dt.datetime.now(dt.UTC)).total_seconds(), 0.0), _LONGEST_RETRY_AFTER_S)


def refusal(answer: Answer, what: str, cloud: Cloud, tenant_id: str | None) -> AzureFailed:
    """The error for an answer that is none of what was asked for.

    Args:
        answer: not ``ok``.
        what: what was asked, for the message.
        cloud: who answered.
        tenant_id: the tenant that is meant, for remedies.
    """
    code, message = code_and_message(answer)
    said = f"{code}: {message}" if code and message else code or message or "no reason given"
    login = login_command(cloud, tenant_id)
    challenge = answer.headers.get("WWW-Authenticate", "")
    if answer.status in {_UNAUTHORIZED, _FORBIDDEN} and (
        "insufficient_claims" in challenge or "insufficient_claims" in said
    ):
        return AzureSignIn(
            f"{cloud.graph}: a Conditional Access policy wants more than this sign-in showed: {said}; sign in anew for "
            f"it: {login[:-1]} --scope https://{cloud.graph}/.default`"
        )
    return _by_status(answer.status, what, said, cloud, login)


def _by_status(status: int, what: str, said: str, cloud: Cloud, login: str) -> AzureFailed:
    host = cloud.graph
    if status >= _SERVER_ERROR:
        return AzureUnreachable(f"{host}: answers {status}: {said}; try again later")
    match status:
        case 401:
            found: AzureFailed = AzureSignIn(
                f"{host}: the sign-in is not taken, or has expired: {said}; sign in anew: {login}"
            )
        case 403:
            found = AzureForbidden(
                f"{host}: {what}: forbidden: {said}; have the roles granted that `causeway plan show` lists under "
                "Rights for Entra ID"
            )
        case 404:
            found = AzureNotFound(f"{host}: {what}: not found: {said}")
        case 429:
            found = AzureThrottled(f"{host}: too many questions: {said}; try again later")
        case _:
            found = AzureAnswer(f"{host}: {what}: answers {status}: {said}")
    return found
