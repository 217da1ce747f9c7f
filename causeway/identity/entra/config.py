"""``[entra_keys]``: how a gateway, or the site, keeps the signing keys of Entra tenants."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from causeway.configuration import ConfigPath, section, setting


def _http_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.username is not None:
        raise ValueError("expected http://host:port without credentials")
    return url


@section
class EntraKeysSection:
    """How the signing keys of Entra tenants are kept."""

    proxy: Annotated[str, AfterValidator(_http_url)] | None = setting(
        "a web proxy on the way to Entra ID; where missing, it is asked directly",
        default=None,
        example="http://proxy.corp.example:3128",
    )
    proxy_user: str = setting("at the proxy, for Basic authentication; empty for none", default="")
    proxy_password_file: ConfigPath | None = setting(
        "a file with the proxy's password", default=None, example="proxy-password"
    )
    refresh_s: Annotated[float, Field(ge=60, le=86_400)] = setting(
        "how often the keys are fetched, in seconds", default=3600.0
    )
    cool_down_s: Annotated[float, Field(ge=1, le=3600)] = setting(
        "the least time between two fetches, whatever tokens with unknown keys arrive, in seconds", default=30.0
    )
    stale_s: Annotated[float, Field(ge=60, le=604_800)] = setting(
        "how long keys are used when Entra ID cannot be reached, in seconds; then its tokens are refused",
        default=86_400.0,
    )
    timeout_s: Annotated[float, Field(gt=0, le=60)] = setting("for one fetch, in seconds", default=10.0)
