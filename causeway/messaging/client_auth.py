"""Sign a message as a client, and verify one as a management point.

Both forms of the ``clientauth`` hook: signatures over the identity and the payload (installed clients), and a signed
token alone (media, task sequences), which proves who sends but not what. The same token in two HTTP headers guards
policy bodies.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import rsa

from causeway.messaging.errors import FieldError, SignatureError
from causeway.messaging.hooks import ClientAuth
from causeway.messaging.identifiers import format_timestamp, normalise_smsid, parse_timestamp
from causeway.messaging.message import Message
from causeway.messaging.safe_xml import integer
from causeway.messaging.signatures import (
    SHA256_WITH_RSA,
    client_id_bytes,
    decode_public_key,
    encode_public_key,
    require_sha256,
    sign,
    token_bytes,
    verify,
)

CLIENT_TOKEN_HEADER = "ClientToken"  # noqa: S105 - a header's name
CLIENT_TOKEN_SIGNATURE_HEADER = "ClientTokenSignature"  # noqa: S105 - a header's name
_CAPABILITIES = "NonSSL"
_MAX_TOKEN_CHARACTERS = 256


@dataclass(frozen=True, slots=True)
class ClientToken:
    """``GUID:…;2026-11-23T05:13:59Z;2``: who asks, and when. ``version`` is the last field; older writers omit it."""

    client_id: str
    issued: datetime
    version: int | None = 2

    def __str__(self) -> str:
        suffix = "" if self.version is None else f";{self.version}"
        return f"{self.client_id};{format_timestamp(self.issued)}{suffix}"


def parse_client_token(text: str) -> ClientToken:
    """Parse a client token; the identity may be written with ``GUID:``, in braces, or bare.

    Raises:
        FieldError: not two or three fields, or one of them is impossible.
    """
    fields = text.strip().split(";")
    if len(text) > _MAX_TOKEN_CHARACTERS or len(fields) not in {2, 3}:
        raise FieldError("a client token has two or three fields: identity, time, version")
    version = integer(fields[2], "the token's version", minimum=0, maximum=99) if len(fields) == 3 else None
    return ClientToken(normalise_smsid(fields[0]), parse_timestamp(fields[1]), version)


def sign_token_headers(key: rsa.RSAPrivateKey, client_id: str, *, now: datetime | None = None) -> dict[str, str]:
    """Return the two HTTP headers that a client adds when it fetches a protected policy body."""
    token = str(ClientToken(client_id, now or datetime.now(UTC)))
    return {CLIENT_TOKEN_HEADER: token, CLIENT_TOKEN_SIGNATURE_HEADER: sign(key, token_bytes(token))}


def verify_token(
    key: rsa.RSAPublicKey,
    token: str,
    signature: str,
    *,
    max_age: timedelta,
    now: datetime | None = None,
) -> ClientToken:
    """Check a token and its signature, from the HTTP headers or from the hook.

    Args:
        key: the registered key of the client that the token names (see :func:`parse_client_token`).
        token: the token as sent.
        signature: its signature as sent, over the token with or without a closing NUL.
        max_age: how far the token's time may lie from ours, in either direction.
        now: our time; the clock's when None.

    Raises:
        FieldError: the token is malformed.
        SignatureError: the signature does not match, or the time lies too far away.
    """
    parsed = parse_client_token(token)
    try:
        verify(key, token_bytes(token), signature)
    except SignatureError:
        verify(key, token_bytes(token, terminated=False), signature)
    if abs((now or datetime.now(UTC)) - parsed.issued) > max_age:
        raise SignatureError(f"the client token's time is further than {max_age} from ours")
    return parsed


def sign_message(message: Message, key: rsa.RSAPrivateKey, client_id: str) -> Message:
    """Return ``message`` from ``client_id``, signed over the identity and over the payload as transmitted."""
    client_auth = ClientAuth(
        sender_machine=message.header.source_host,
        public_key=encode_public_key(key.public_key()),
        client_id_signature=sign(key, client_id_bytes(client_id)),
        payload_signature=sign(key, message.payload),
        capabilities=_CAPABILITIES,
        hash_algorithm=SHA256_WITH_RSA,
    )
    hooks = replace(message.header.hooks, client_auth=client_auth)
    return replace(message, header=replace(message.header, source_id=client_id, hooks=hooks))


def verify_message(message: Message, key: rsa.RSAPublicKey) -> str:
    """Check that the owner of ``key`` sent this payload under the identity in its header; return that identity.

    Args:
        message: as decoded, not yet decompressed.
        key: the key that was registered for the identity that the header claims; the one in the hook is only compared.

    Raises:
        SignatureError: the hook or a signature is missing, does not match, or names another key.
        UnsupportedError: another algorithm than RSA with SHA-256.
        FieldError: the header names no identity.
    """
    auth = message.header.hooks.client_auth
    if auth is None or not auth.payload_signature:
        raise SignatureError("the message is not signed")
    require_sha256(auth.hash_algorithm)
    client_id = normalise_smsid(message.header.source_id)
    if auth.public_key and decode_public_key(auth.public_key).public_numbers() != key.public_numbers():
        raise SignatureError("the message is signed with another key than the registered one")
    # Some clients sign the payload alone. That still proves the sender: the key belongs to the identity that was
    # looked up, so a payload signature by it cannot come from another client.
    if auth.client_id_signature:
        verify(key, client_id_bytes(client_id), auth.client_id_signature)
    verify(key, message.payload, auth.payload_signature)
    return client_id
