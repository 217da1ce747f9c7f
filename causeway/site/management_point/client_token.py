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
from causeway.site.management_point.sender import known_device, require_approved, signing_key

_OLDER_ID = "CCMClientID"
_OLDER_ID_SIGNATURE = "CCMClientIDSignature"
_OLDER_TIME = "CCMClientTimestamp"
_OLDER_TIME_SIGNATURES = ("CCMClientTimestampSignature", "CCMClientTimestampsSignature")
_STRADDLE_S = 2


def token_sender(site: Site, headers: Headers) -> KnownDevice:
    """The approved device that signed the token in ``headers``.

    Raises:
        TokenMissing: there is none.
        TokenWrong, TokenExpired, TokenReplayed: it does not hold, or not now.
        Refused: the device is unknown or not approved.
    """
    now = site.now()
    config = site.config.management_point
    skew = timedelta(seconds=config.clock_skew_s)
    try:
        if CLIENT_TOKEN_HEADER in headers:
            known, signature = _by_token(site, headers, now=now, skew=skew)
        elif _OLDER_ID in headers:
            known, signature = _by_older_headers(site, headers, now=now, skew=skew)
        else:
            raise TokenMissing("a protected policy was asked for without a client token")
    except MessagingError as error:
        raise TokenWrong(str(error)) from error
    if not site.tokens.use(
        signature, now=now, reuse=timedelta(seconds=config.token_reuse_s), lifetime=2 * skew + timedelta(minutes=1)
    ):
        raise TokenReplayed(f"{known.device.smsid} used this token before")
    require_approved(site, known)
    return known


def _by_token(site: Site, headers: Headers, *, now: datetime, skew: timedelta) -> tuple[KnownDevice, str]:
    text = headers[CLIENT_TOKEN_HEADER]
    signature = headers.get(CLIENT_TOKEN_SIGNATURE_HEADER, "")
    token = parse_client_token(text)
    known = known_device(site, token.client_id)
    _verify_any(signing_key(known), _spellings(text, token.issued), signature)
    _check_time(token.issued, now, skew)
    return known, signature


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


def _by_older_headers(site: Site, headers: Headers, *, now: datetime, skew: timedelta) -> tuple[KnownDevice, str]:
    client_id, moment = headers[_OLDER_ID], headers.get(_OLDER_TIME, "")
    known = known_device(site, client_id)
    key = signing_key(known)
    signature = next((headers[name] for name in _OLDER_TIME_SIGNATURES if name in headers), "")
    _verify_any(key, (client_id_bytes(client_id), token_bytes(client_id)), headers.get(_OLDER_ID_SIGNATURE, ""))
    verify(key, token_bytes(moment), signature)
    _check_time(parse_timestamp(moment), now, skew)
    return known, signature


def _verify_any(key: rsa.RSAPublicKey, candidates: Iterator[bytes] | tuple[bytes, ...], signature: str) -> None:
    for candidate in candidates:
        try:
            verify(key, candidate, signature)
        except SignatureError:
            continue
        return
    raise SignatureError("the client token's signature does not match")


def _check_time(issued: datetime, now: datetime, skew: timedelta) -> None:
    if abs(now - issued) > skew:
        raise TokenExpired(f"the client token is of {issued:%Y-%m-%dT%H:%M:%SZ}, and it is {now:%Y-%m-%dT%H:%M:%SZ}")
