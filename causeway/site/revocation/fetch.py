"""Bytes of a revocation list from a file or a URL, bounded in size and time."""

from dataclasses import dataclass
from pathlib import Path

from causeway.pki.revocation_list import MAX_LIST_BYTES, RevocationListInvalid
from causeway.site.config import RevocationConfig
from causeway.site.revocation.errors import RevocationListUnreachable
from causeway.transport import fetch as transport
from causeway.transport.httpx_proxy import httpx_proxy


@dataclass(slots=True)
class Validators:
    """What a server said of the list that it gave last, so that it need not give the same again."""

    etag: str = ""
    last_modified: str = ""


def is_url(source: str) -> bool:
    """Whether a source is a URL; otherwise it is a file."""
    return source.startswith(("http://", "https://"))


def read_file(path: Path) -> bytes:
    """A list from a file.

    Raises:
        RevocationListUnreachable: it cannot be read.
        RevocationListInvalid: it is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LIST_BYTES + 1)
    except OSError as error:
        raise RevocationListUnreachable(f"it cannot be read: {error.strerror}") from error
    if len(data) > MAX_LIST_BYTES:
        raise RevocationListInvalid(f"it has more than {MAX_LIST_BYTES} bytes")
    return data


async def fetch(url: str, config: RevocationConfig, validators: Validators) -> bytes | None:
    """A list from a URL; None where it is the one that came last. Updates ``validators``.

    Raises:
        RevocationListUnreachable: there is no answer in time, or none of status 200.
        RevocationListInvalid: it is too large.
        StateError: the file with the proxy's password cannot be read.
    """
    conditions = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
    try:
        fetched = await transport.fetch(
            url,
            most_bytes=MAX_LIST_BYTES,
            timeout_s=config.timeout_s,
            proxy=httpx_proxy(config.proxy, config.proxy_user, config.proxy_password_file),
            headers={name: value for name, value in conditions.items() if value},
        )
    except transport.FetchedTooMuch as error:
        raise RevocationListInvalid(str(error)) from error
    except transport.FetchFailed as error:
        raise RevocationListUnreachable(str(error)) from error
    if fetched.data is not None:
        validators.etag = fetched.headers.get("etag", "")[:1000]
        validators.last_modified = fetched.headers.get("last-modified", "")[:100]
    return fetched.data
