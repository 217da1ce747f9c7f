"""How a server certificate was had, kept beside it, so that it can be renewed the same way. Holds no secret."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from causeway.configuration import ConfigPath, load, section, setting, to_toml
from causeway.files import write_atomically
from causeway.pki.requests import ServerNames
from causeway.plan.values import KeyType

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
_HEADING = "How this certificate was had; `causeway cert renew` does it again. Edit it as you like: it holds no secret."


class Source(StrEnum):
    """Who issues the certificate."""

    REQUEST = "request"
    """An authority that takes a request file: a public one by its web page, or AD CS."""
    AUTHORITY = "authority"
    """Causeway's own authority, in a folder."""
    ACME = "acme"
    """A public authority, by ACME."""


class DnsMethod(StrEnum):
    """Who puts the record of a challenge into the zone."""

    MANUAL = "manual"
    HOOK = "hook"
    LEXICON = "lexicon"


@section
class AcmeSection:
    """The order at a public authority."""

    directory: str = setting("The authority's ACME directory.", default=LETS_ENCRYPT)
    account_key: ConfigPath = setting("The account's key.", default=Path("account.key"))
    email: str | None = setting("Where the authority writes to.", default=None, example="pki@example.com")
    agree: bool = setting("Whether you agree to the authority's terms of service.", default=False)
    external_account: str | None = setting(
        "Key id of an external account, where the authority wants one.", default=None, example="kid-1"
    )
    external_account_key_file: ConfigPath | None = setting(
        "File with its MAC key, base64url.", default=None, example="eab.key"
    )
    ca_file: ConfigPath | None = setting(
        "Roots to trust for the authority's own server, instead of this machine's.", default=None, example="ca.pem"
    )
    dns: DnsMethod = setting('Who writes the TXT record: "manual", "hook" or "lexicon".', default=DnsMethod.MANUAL)
    hook: tuple[str, ...] = setting(
        "The command of `hook`; called with present or clean-up, the record's name and its value.", default=()
    )
    provider: str = setting("The DNS service of `lexicon`; its credentials come from LEXICON_… variables.", default="")
    zone: str = setting(
        "The zone at that service, where it is not the name's domain by the public suffixes.", default=""
    )
    servers: tuple[str, ...] = setting(
        "Name servers (ADDRESS or ADDRESS:PORT) to ask for the record, instead of the zone's own.", default=()
    )
    propagation_s: Annotated[float, Field(gt=0)] = setting("How long the record may take, in seconds.", default=300.0)


@section
class Recipe:
    """How a certificate was had."""

    source: Source = setting('"request", "authority" or "acme".', example="acme")
    common_name: str = setting("The name in its subject.", example="gateway.example.com")
    organisation: str = setting("The organisation in its subject; empty for none.", default="")
    alternative_names: tuple[str, ...] = setting("Further names.", default=())
    key: KeyType = setting('"rsa-2048", "rsa-3072", "rsa-4096", "p-256" or "p-384".', default=KeyType.RSA_2048)
    authority: ConfigPath | None = setting(
        "The folder of Causeway's own authority.", default=None, example="../authority"
    )
    deploy_hook: tuple[str, ...] = setting(
        "A command to run when a new certificate is in place, such as one that loads it into a key vault. A gateway "
        "that reads the files needs none.",
        default=(),
    )
    acme: AcmeSection = setting("The order at a public authority.", factory=AcmeSection)

    @property
    def names(self) -> ServerNames:
        """Whom the certificate is for."""
        return ServerNames(self.common_name, self.organisation, self.alternative_names)


def read_recipe(path: Path) -> Recipe:
    """Read one.

    Raises:
        ConfigurationError: there is none, or it is wrong; the message names file, line, key and what was expected.
    """
    return load(path, Recipe, remedy="name the folder of a certificate that `causeway cert` made, with --folder")


def write_recipe(path: Path, recipe: Recipe) -> None:
    """Write it aside, then rename.

    Raises:
        StateError: it cannot be written.
    """
    write_atomically(path, to_toml(recipe, _HEADING).encode(), mode=0o644)
