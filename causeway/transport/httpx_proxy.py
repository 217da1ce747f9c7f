"""A web proxy on the way of an HTTP client, with credentials that stand in no URL and so in no log."""

from pathlib import Path

import httpx

from causeway.transport.proxy import proxy_password


def httpx_proxy(url: str | None, user: str = "", password_file: Path | None = None) -> httpx.Proxy | None:
    """What ``httpx`` takes as its proxy; None where there is none.

    Raises:
        StateError: the password file cannot be read, or has more than one line.
    """
    if url is None:
        return None
    return httpx.Proxy(url, auth=(user, proxy_password(password_file).decode("utf-8", "replace")) if user else None)
