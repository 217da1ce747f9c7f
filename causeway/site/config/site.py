"""``[site]``: its name and its signing key."""

from typing import Annotated

from pydantic import Field

from causeway.configuration import ConfigPath, section, setting

SiteCode = Annotated[str, Field(pattern=r"^[A-Z0-9]{3}$")]


@section
class IdentityConfig:
    """What the site is called, and what it signs with towards devices."""

    code: SiteCode = setting("The site code: three capital letters or digits.", example="PS1")
    name: str = setting("The site's name, for people.", default="Causeway")
    signing_certificate: ConfigPath = setting(
        "Certificate (PEM) of the key that signs towards devices; devices get it as the site signing certificate and "
        "its key as the trusted root key.",
        example="site-signing.pem",
    )
    signing_key: ConfigPath = setting("The RSA key (PEM) of that certificate.", example="site-signing.key")
