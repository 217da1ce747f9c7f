"""How a device shows who it is, and so which of the site's directories are for it."""

from dataclasses import dataclass
from enum import StrEnum

from causeway.device.config import DeviceConfig, ServerUrl
from causeway.device.token_store import has_tokens


class Authentication(StrEnum):
    """How a device shows who it is to a gateway or a management point."""

    CERTIFICATE = "certificate"
    TOKEN = "token"  # noqa: S105 - a kind of it
    """Tokens of the site, the first by a bulk registration token."""
    ENTRA = "entra"
    """Tokens of the site, the first by an Entra token."""
    NONE = "none"

    @property
    def by_token(self) -> bool:
        """Whether requests show a token."""
        return self in (Authentication.TOKEN, Authentication.ENTRA)


@dataclass(frozen=True, slots=True)
class Access:
    """Where a device's requests go.

    Attributes:
        authentication: how it shows who it is.
        server: the server and the gateway's prefix.
        messages: the path for messages, below the prefix.
        management_point: the directory of locations and policies, with slashes around.
    """

    authentication: Authentication
    server: ServerUrl
    messages: str
    management_point: str

    @classmethod
    def of(cls, config: DeviceConfig) -> "Access":
        """That of a device.

        One without a certificate shows tokens where it was given a bulk registration token or has an Entra token, and
        at a gateway once it has some of its own; on the internal network it needs none.
        """
        server = config.server
        if config.certificate is not None:
            return cls(Authentication.CERTIFICATE, server, "/ccm_system/request", "/SMS_MP/")
        by_token = config.bulk_token is not None or (server.prefix and has_tokens(config.state))
        if config.entra_token is not None or by_token:
            kind = Authentication.TOKEN if config.entra_token is None else Authentication.ENTRA
            return cls(kind, server.for_tokens(), "/ccm_system_tokenauth/request", "/SMS_MP_TokenAuth/")
        return cls(Authentication.NONE, server, "/ccm_system_altauth/request", "/SMS_MP_AltAuth/")
