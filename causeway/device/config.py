"""What a device must be told: where the gateway is, whom to trust, and where to keep its state."""

import os
import re
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from causeway.device.entra import EntraTokenSource
from causeway.errors import ConfigurationError

_MUTUAL_AUTH = re.compile(r"^/CCM_Proxy_MutualAuth/", re.IGNORECASE)
_TOKEN_HEADER = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64})(?:: ?([!#$%&'*+\-.^_`|~0-9A-Za-z]{0,32}))?")
_PREFIX = re.compile(r"(/CCM_Proxy_(?:MutualAuth|ServerAuth)/[0-9]{1,20})?/?", re.IGNORECASE | re.ASCII)


DEFAULT_TOKEN_HEADER = "Authorization: Bearer"  # noqa: S105 - where it goes
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,8000}(?:\.[A-Za-z0-9_-]{1,8000}){2}")


def default_state_folder() -> Path:
    """Where a device keeps its state when it is not told otherwise."""
    if os.geteuid() == 0:
        return Path("/var/lib/causeway-device")
    return Path.home() / ".local" / "state" / "causeway-device"


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """``https://host:port``, and the path prefix of a gateway's endpoint or an empty one."""

    origin: str
    prefix: str = ""

    @classmethod
    def parse(cls, text: str) -> "ServerUrl":
        """Read a URL: of a management point, or ``https://gateway/CCM_Proxy_MutualAuth/<id>`` (or ``ServerAuth``).

        Raises:
            ConfigurationError: anything else; the message shows what was expected.
        """
        try:
            parts = urlsplit(text.strip())
            port = parts.port
        except ValueError:
            raise ConfigurationError(f"{text[:200]!r} is not a URL") from None
        prefix = _PREFIX.fullmatch(parts.path)
        wrong = parts.query or parts.fragment or parts.username is not None
        if parts.scheme != "https" or not parts.hostname or prefix is None or wrong:
            raise ConfigurationError(
                f"{text[:200]!r} is not the URL of a management point or gateway; expected https://host[:port] or "
                "https://host[:port]/CCM_Proxy_MutualAuth/<id> (or /CCM_Proxy_ServerAuth/<id>)"
            )
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return cls(f"https://{host}" + (f":{port}" if port is not None else ""), prefix[1] or "")

    def for_tokens(self) -> "ServerUrl":
        """The same where clients without a certificate go: a client that is told the one prefix uses both."""
        return ServerUrl(self.origin, _MUTUAL_AUTH.sub("/CCM_Proxy_ServerAuth/", self.prefix))


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """One device.

    ``url`` is of a gateway's endpoint or of a management point. ``state`` is the folder for its keys, identity and
    policies. ``ca`` is a PEM file with the authorities to trust; None: the system's. ``certificate`` and ``key`` are a
    PKI certificate (PEM, with its chain) for TLS, which is the registration certificate too when it is RSA; without
    them the device proves itself by its registration alone. ``name`` is the device's host name. ``keep_connections``
    keeps a connection for the next message; native clients open a new one for each. ``timeout_s`` bounds one exchange.
    ``proxy`` is an HTTP proxy's URL on the way to the gateway. ``bulk_token`` is a bulk registration token, for a
    device that has nothing else yet. ``token_header`` is the header that a token goes in, with the word before it: how
    Configuration Manager's clients send theirs is not public. ``entra_token`` is where the device's Entra token comes
    from, for a device that has an identity there.
    """

    url: str
    state: Path = field(default_factory=default_state_folder)
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    name: str = field(default_factory=socket.gethostname)
    keep_connections: bool = False
    timeout_s: float = 60.0
    proxy: str | None = None
    bulk_token: str | None = field(default=None, repr=False)
    token_header: str = DEFAULT_TOKEN_HEADER
    entra_token: EntraTokenSource | None = None

    def __post_init__(self) -> None:
        ServerUrl.parse(self.url)
        if (self.certificate is None) != (self.key is None):
            raise ConfigurationError("a certificate needs its key and a key its certificate: give both or neither")
        if self.certificate is not None and self.bulk_token is not None:
            raise ConfigurationError("a device has a certificate or a bulk registration token: give one of them")
        if self.entra_token is not None and (self.certificate is not None or self.bulk_token is not None):
            raise ConfigurationError(
                "a device has an Entra token, a certificate or a bulk registration token: give one"
            )
        if self.bulk_token is not None and not _TOKEN.fullmatch(self.bulk_token):
            raise ConfigurationError("that is no bulk registration token: it is one word with two dots in it")
        if _TOKEN_HEADER.fullmatch(self.token_header) is None:
            raise ConfigurationError(
                f"{self.token_header[:100]!r} is no header for a token; expected a name and perhaps a word, such as "
                f"{DEFAULT_TOKEN_HEADER!r}"
            )

    @property
    def server(self) -> ServerUrl:
        """The parsed URL."""
        return ServerUrl.parse(self.url)

    @property
    def netbios_name(self) -> str:
        """The name in the short form that inventories use: 15 characters, upper case, no domain."""
        return self.name.partition(".")[0][:15].upper()


def tls_context(config: DeviceConfig) -> ssl.SSLContext:
    """Return the TLS settings of a device: the server is always verified, by chain and by name.

    Raises:
        ConfigurationError: a file is missing, unreadable, or does not hold what it should; the message names it.
    """
    try:
        context = ssl.create_default_context(cafile=str(config.ca) if config.ca is not None else None)
    except OSError as error:
        raise ConfigurationError(
            f"{config.ca}: authorities cannot be read: {_reason(error)}; expected a PEM file"
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if config.certificate is not None and config.key is not None:
        for path in (config.certificate, config.key):
            if not path.is_file():  # which of the two it is, the library does not say
                raise ConfigurationError(f"{path}: no such file; expected PEM files of a certificate and of its key")
        try:
            # A passphrase is refused rather than asked for on a terminal that nobody may sit at.
            context.load_cert_chain(config.certificate, config.key, password=lambda: "")
        except OSError as error:
            raise ConfigurationError(
                f"{config.certificate} with {config.key}: cannot be used: {_reason(error)}; expected PEM files of a "
                "certificate and of its key without a passphrase"
            ) from None
    return context


def _reason(error: OSError) -> str:
    """What the library found, without its numbers and the line of its source."""
    if isinstance(error, ssl.SSLError):
        known = {
            "KEY_VALUES_MISMATCH": "the key is another certificate's",
            "NO_CERTIFICATE_OR_CRL_FOUND": "none is there",
        }
        return known.get(error.reason or "", "not what it should be")
    return str(error.strerror)
