"""Client tokens in HTTP headers: a device proves, for one moment, that it asks.

Two forms. ``ClientToken`` with ``ClientTokenSignature``; and the older ``CCMClientID`` and ``CCMClientTimestamp``, each
with a signature of its own, which media use. Source: public clients.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.datastructures import Headers

from causeway.messaging.client_auth import CLIENT_TOKEN_HEADER, CLIENT_TOKEN_SIGNATURE_HEADER, parse_client_token
from causeway.messaging.errors import MessagingError, SignatureError
from causeway.messaging.identifiers import format_timestamp, parse_timestamp
from causeway.messaging.signatures import client_id_bytes, token_bytes, verify
from causeway.site.context import Site
from causeway.site.database.devices import KnownDevice
from causeway.site.errors import TokenExpired, TokenMissing, TokenReplayed, TokenWrong
from causeway.site.management_point.device import known_device, require_approved, signing_key

_OLDER_ID = "CCMClientID"
_OLDER_ID_SIGNATURE = "CCMClientIDSignature"
_OLDER_TIME = "CCMClientTimestamp"
_OLDER_TIME_SIGNATURES = ("CCMClientTimestampSignature", "CCMClientTimestampsSignature")
_STRADDLE_S = 2
_LEDGER_MARGIN = timedelta(minutes=1)


def token_sender(site: Site, headers: Headers) -> KnownDevice:
    """The approved device that signed the token in ``headers``.

    Raises:
        TokenMissing: there is none.
        TokenWrong, TokenExpired, TokenReplayed: it does not hold, or not now.
        Refused: the device is unknown or not approved.
    """
    try:
        if CLIENT_TOKEN_HEADER in headers:
            known = token_holder(site, headers[CLIENT_TOKEN_HEADER], headers.get(CLIENT_TOKEN_SIGNATURE_HEADER, ""))
        elif _OLDER_ID in headers:
            known = _older_headers_holder(site, headers)
        else:
            raise TokenMissing("a protected policy was asked for without a client token")
    except MessagingError as error:
        raise TokenWrong(str(error)) from error
    require_approved(site, known)
    return known


def token_holder(site: Site, text: str, signature: str) -> KnownDevice:
    """The device, approved or not, that signed a token.

    Raises:
        MessagingError: malformed, or the signature does not match.
        TokenExpired, TokenReplayed: it holds, but not now.
        DeviceUnknown: the device is not registered.
    """
    token = parse_client_token(text)
    known = known_device(site, token.client_id)
    _verify_any(signing_key(known), _spellings(text, token.issued), signature)
    _use(site, known, token.issued, signature)
    return known


def _older_headers_holder(site: Site, headers: Headers) -> KnownDevice:
    client_id, moment = headers[_OLDER_ID], headers.get(_OLDER_TIME, "")
    known = known_device(site, client_id)
    key = signing_key(known)
    _verify_any(key, (client_id_bytes(client_id), token_bytes(client_id)), headers.get(_OLDER_ID_SIGNATURE, ""))
    signature = next((headers[name] for name in _OLDER_TIME_SIGNATURES if name in headers), "")
    verify(key, token_bytes(moment), signature)
    _use(site, known, parse_timestamp(moment), signature)
    return known


def _use(site: Site, known: KnownDevice, issued: datetime, signature: str) -> None:
    config, now = site.config.management_point, site.now()
    skew = timedelta(seconds=config.clock_skew_s)
    if abs(now - issued) > skew:
        raise TokenExpired(f"the client token is of {issued:%Y-%m-%dT%H:%M:%SZ}, and it is {now:%Y-%m-%dT%H:%M:%SZ}")
    reuse = timedelta(seconds=config.token_reuse_s)
    if not site.tokens.use(signature, now=now, reuse=reuse, lifetime=2 * skew + _LEDGER_MARGIN):
        raise TokenReplayed(f"{known.device.smsid} used this token before")


def _spellings(text: str, issued: datetime) -> Iterator[bytes]:
    """What a client may have signed: its token, with or without the closing NUL, or the token of a second beside.

    A client that writes the token and signs it with two looks at its clock may see the second change in between.
    """
    before, _, rest = text.partition(";")
    _, semicolon, version = rest.partition(";")
    offsets = sorted(range(-_STRADDLE_S, _STRADDLE_S + 1), key=abs)
    for offset in offsets:
        moment = format_timestamp(issued + timedelta(seconds=offset))
        candidate = text if offset == 0 else f"{before};{moment}{semicolon}{version}"
        yield token_bytes(candidate)
        yield token_bytes(candidate, terminated=False)


def _verify_any(key: rsa.RSAPublicKey, candidates: Iterator[bytes] | tuple[bytes, ...], signature: str) -> None:
    for candidate in candidates:
        try:
            verify(key, candidate, signature)
        except SignatureError:
            continue
        return
    raise SignatureError("the client token's signature does not match")
