"""``GET /SMS_MP/.sms_pol?<policy>.<version>``: the body of a policy.

A protected body (``PolicyFlags`` RequiresAuth or Secret) wants the client token headers of an approved device that has
the policy. A secret one travels as plain text only inside TLS; over plain HTTP it is encrypted to the device.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from cryptography import x509
from starlette.datastructures import Headers

from causeway.messaging.assignments import PolicyFlags
from causeway.messaging.enveloped import ContentCipher, seal
from causeway.site.config import PolicyBodyEncryption
from causeway.site.context import Site
from causeway.site.database import policies
from causeway.site.database.devices import KnownDevice
from causeway.site.errors import PolicyUnknown
from causeway.site.management_point.client_token import token_sender
from causeway.site.management_point.policy_document import document
from causeway.site.peer import Client
from causeway.site.token_service.admission import Presented, require_own

_QUERY = re.compile(r"(.{1,200})\.([0-9]{1,6}_[0-9]{1,6})")
_PROTECTED = PolicyFlags.REQUIRES_AUTH | PolicyFlags.SECRET
_CIPHERS = {
    PolicyBodyEncryption.AES256_CBC: ContentCipher.AES_256_CBC,
    PolicyBodyEncryption.DES_EDE3_CBC: ContentCipher.TRIPLE_DES_CBC,
}


@dataclass(frozen=True, slots=True)
class PolicyName:
    """A policy and its version, as a location names them."""

    policy_id: str
    version: str


def parse_query(query: bytes) -> PolicyName:
    """Read ``{guid}.1_00``, with the braces raw or percent-encoded.

    Raises:
        PolicyUnknown: it names no policy.
    """
    match = _QUERY.fullmatch(unquote(query.decode("latin-1")))
    if match is None:
        raise PolicyUnknown(f"no policy is called {query[:80]!r}")
    return PolicyName(match[1], match[2].replace("_", "."))


def answer(site: Site, client: Client, query: bytes, headers: Headers, presented: Presented | None = None) -> bytes:
    """Return the body of a policy.

    Raises:
        Refused: no such policy; or it is protected, and no approved device that has it has signed for it.
    """
    name = parse_query(query)
    policy = policies.find(site.database, name.policy_id, name.version)
    if policy is None:
        raise PolicyUnknown(f"there is no policy {name.policy_id} version {name.version}")
    config = site.config.management_point
    body = document(policy.body, compress=config.compress_policies)
    flags = PolicyFlags(policy.flags)
    if not flags & _PROTECTED:
        return body
    sender = token_sender(site, headers)
    require_own(presented, sender.device.smsid)
    if not policies.is_assigned(site.database, sender.device.number, policy.policy_id):
        raise PolicyUnknown(f"{sender.device.smsid} does not have the policy {policy.policy_id}")
    if PolicyFlags.SECRET in flags and not client.secure:
        return seal(body, _encryption_certificate(sender), cipher=_CIPHERS[config.policy_body_encryption])
    return body


def _encryption_certificate(known: KnownDevice) -> x509.Certificate:
    return x509.load_der_x509_certificate(known.encryption_certificate)
