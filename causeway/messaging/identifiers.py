"""SMSIDs, GUIDs and times as the protocol spells them."""

import re
import uuid
from datetime import UTC, datetime, timedelta, timezone

from causeway.messaging.errors import FieldError

_HEX_GUID = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
_SMSID = re.compile(rf"(?:GUID:|\{{)?({_HEX_GUID})\}}?", re.IGNORECASE)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII)
_CIM = re.compile(r"(\d{14})\.(\d{6})([+-])(\d{3})", re.ASCII)


def new_guid() -> str:
    """Return a new random GUID in braces, lower case."""
    return f"{{{uuid.uuid4()}}}"


def new_smsid() -> str:
    """Return a new random client identity, ``GUID:`` and upper-case hex."""
    return f"GUID:{uuid.uuid4()}".upper()


def normalise_smsid(text: str) -> str:
    """Return a client identity as ``GUID:XXXXXXXX-…`` from that form, from braces, or from a bare GUID.

    Raises:
        FieldError: it is none of them.
    """
    match = _SMSID.fullmatch(text.strip())
    if match is None:
        raise FieldError(f"not a client identity: {text[:60]!r}")
    return "GUID:" + match[1].upper()


def format_timestamp(moment: datetime) -> str:
    """Return a moment as ``2026-11-23T05:06:08Z``."""
    utc = moment.astimezone(UTC)
    return f"{utc.year:04d}-{utc:%m-%dT%H:%M:%SZ}"  # %Y alone has no leading zeroes


def parse_timestamp(text: str) -> datetime:
    """Return an ISO 8601 moment in UTC; one without a zone is taken as UTC.

    Raises:
        FieldError: not a moment.
    """
    if not _TIMESTAMP.fullmatch(text.strip()):
        raise FieldError(f"not a time: {text[:40]!r}")
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise FieldError(f"not a time: {text[:40]!r}") from None


def format_cim_datetime(moment: datetime) -> str:
    """Return a moment as a CIM datetime in UTC, ``20261123051543.855000+000``."""
    utc = moment.astimezone(UTC)
    return f"{utc.year:04d}{utc:%m%d%H%M%S.%f+000}"


def parse_cim_datetime(text: str) -> datetime:
    """Return a CIM datetime in UTC; its last three digits are the zone in minutes (DMTF DSP0004, 5.2.4).

    Raises:
        FieldError: not a moment.
    """
    match = _CIM.fullmatch(text.strip())
    if match is None:
        raise FieldError(f"not a CIM datetime: {text[:40]!r}")
    minutes = int(match[4]) if match[3] == "+" else -int(match[4])
    try:
        moment = datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S%f").replace(
            tzinfo=timezone(timedelta(minutes=minutes))
        )
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise FieldError(f"not a CIM datetime: {text[:40]!r}") from None
