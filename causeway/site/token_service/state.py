"""What a running site knows of tokens: replaced whole whenever the database or the configuration says otherwise."""

from dataclasses import dataclass

from causeway.site.database import Database, signing_keys, site_facts
from causeway.site.token_service.issue import issuer_of
from causeway.site.token_service.sealing import Seal
from causeway.site.token_service.signing_keys import SigningKeys


@dataclass(frozen=True, slots=True)
class TokenState:
    """The keys, and whose tokens they sign."""

    keys: SigningKeys
    hierarchy_id: str

    @property
    def issuer(self) -> str:
        """What the site's tokens say in ``iss``."""
        return issuer_of(self.hierarchy_id)

    @classmethod
    def read(cls, database: Database, seal: Seal) -> "TokenState":
        """As the database has it now."""
        return cls(SigningKeys(signing_keys.everything(database), seal), site_facts.hierarchy_id(database))
