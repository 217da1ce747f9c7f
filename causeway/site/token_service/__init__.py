"""The token service: signing keys, the tokens that devices get, and the bulk registration tokens of operators."""

from causeway.site.token_service.admission import Admission, Presented
from causeway.site.token_service.signing_keys import SigningKeys

__all__ = ["Admission", "Presented", "SigningKeys"]
