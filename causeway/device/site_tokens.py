"""A device without a certificate: which token it shows, and how it comes by the next one.

With a bulk registration token, or its Entra token, it registers; at the token service it proves its key and is given
two tokens: one for daily use, which lasts for hours, and one that lasts for months and is good for nothing but a new
one of the first.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from causeway.device.config import DeviceConfig
from causeway.device.errors import AnswerMalformedError, AnswerRefusedError, DeviceError, TokenMissingError
from causeway.device.identity import DeviceKeys
from causeway.device.state import DeviceState
from causeway.device.token_store import KeptToken, KeptTokens, TokenStore
from causeway.device.transport import Answer, Transport
from causeway.messaging.errors import MessagingError
from causeway.messaging.text import decode_document
from causeway.messaging.tokens import (
    MEDIA_TYPE,
    PATH,
    TokenKind,
    TokenRequest,
    parse_token_response,
)

_UNAUTHORIZED = 401
_BOTH = (TokenKind.CCM, TokenKind.SELF_PROVE)

Clock = Callable[[], datetime]


class SiteTokens:
    """The tokens of one device.

    Args:
        config: the device, with its bulk registration token where it was given one.
        keys: what it registered with, and proves.
        store: where its tokens are kept.
        transport: asks the token service.
        shows_tokens: whether that wants to see a token first; a certificate, or the internal network, does as well.
        state: what it knows now: who it is, and of which site.
        now: the clock, for tests.
    """

    def __init__(
        self,
        config: DeviceConfig,
        keys: DeviceKeys,
        store: TokenStore,
        transport: Transport,
        shows_tokens: bool,
        state: Callable[[], DeviceState],
        *,
        now: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._config = config
        # Counts before all else until the device has tokens of its own by it: who gives it one has a reason.
        self._bulk_token = config.bulk_token
        self._keys = keys
        self._store = store
        self._transport = transport
        self._shows_tokens = shows_tokens
        self._state = state
        self._now = now

    @property
    def kept(self) -> KeptTokens:
        """What the device has."""
        return self._store.tokens

    @property
    def are_due(self) -> bool:
        """Whether the device goes by tokens, and is to get its first ones, or others by a bulk registration token."""
        return self._shows_tokens and (self._bulk_token is not None or self._own(self._store.tokens.self_prove) is None)

    async def headers(self) -> dict[str, str]:
        """What shows a token: for daily use, a new one where that is due; or what lets a newcomer register.

        Raises:
            TokenMissingError: the device has none that holds.
            DeviceError: there was to be a new one, and the token service gave none.
        """
        return self.header(await self._current())

    def header(self, token: str) -> dict[str, str]:
        """The header that shows ``token``."""
        name, _, scheme = self._config.token_header.partition(":")
        return {name: f"{scheme.strip()} {token}".strip()}

    async def _current(self) -> str:
        if self._bulk_token is not None:
            return self._bulk_token
        ccm = self._own(self._store.tokens.ccm)
        if ccm is not None and self._now() < ccm.renew_after:
            return ccm.text
        if not self._state().registered:
            # To ask whether it is known still, any token that holds will do.
            return await self._for_the_service()
        try:
            await self.renew()
        except DeviceError:
            if ccm is None:
                raise
            return ccm.text
        renewed = self._own(self._store.tokens.ccm)
        return renewed.text if renewed is not None else await self._for_the_service()

    async def renew(self, *, both: bool = False) -> None:
        """Prove the key and keep the tokens that come: the daily one, and the lasting one where that is due.

        Raises:
            TokenMissingError: outside, and without a token to come with.
            DeviceError: the token service gave none.
        """
        state, now = self._state(), self._now()
        lasting = self._own(self._store.tokens.self_prove)
        due = both or lasting is None or now >= lasting.renew_after
        request = TokenRequest(state.identity, state.site_code, _BOTH if due else (TokenKind.CCM,), now)
        content = (await asyncio.to_thread(request.to_xml, self._keys.key)).encode("utf-8")
        shown = await self._for_the_service() if self._shows_tokens else ""
        try:
            answer = await self._ask(content, shown)
        except AnswerRefusedError:
            # Tokens of its own may have been withdrawn; the one of Entra ID is always new.
            by_entra = await self._config.entra_token.token() if self._config.entra_token is not None else ""
            if by_entra in ("", shown):
                raise
            answer = await self._ask(content, by_entra)
        try:
            response = parse_token_response(decode_document(answer.body))
        except MessagingError as error:
            raise AnswerMalformedError(f"{PATH}: {error}") from error
        if response.client_id != state.identity:
            raise AnswerMalformedError(f"{PATH}: tokens of another device")
        await asyncio.to_thread(self._store.keep, state.identity, response.tokens)
        self._bulk_token = None

    async def _ask(self, content: bytes, token: str) -> Answer:
        headers = {"Content-Type": MEDIA_TYPE, **(self.header(token) if token else {})}
        return await self._transport.send("POST", PATH, headers=headers, content=content, plain=True)

    async def after_refusal(self, error: AnswerRefusedError) -> bool:
        """Whether a request that was refused is worth a second try, with a token that is new now."""
        if (
            self._bulk_token is not None
            or error.status != _UNAUTHORIZED
            or self._own(self._store.tokens.ccm) is None
            or not self._state().registered
        ):
            return False
        await asyncio.to_thread(self._store.drop_ccm)
        try:
            await self.renew()
        except DeviceError:
            return False
        return True

    async def _for_the_service(self) -> str:
        """What gets the device to the token service: the best of what it has."""
        if self._bulk_token is not None:
            return self._bulk_token
        tokens = self._store.tokens
        for token in (self._own(tokens.self_prove), self._own(tokens.ccm)):
            if token is not None:
                return token.text
        if self._config.entra_token is not None:
            return await self._config.entra_token.token()
        raise TokenMissingError(
            "the device has no token that still holds: it was away for too long; give it a bulk registration token "
            "(`causeway device register --bulk-token-file`), or bring it to the internal network"
        )

    def _own(self, token: KeptToken | None) -> KeptToken | None:
        """``token``, where it still holds and is of the identity that the device has."""
        if token is None or not token.holds(self._now()) or self._store.tokens.identity != self._state().identity:
            return None
        return token
