"""How a device registers: introduce itself, and ask again while its approval is pending."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

from causeway import __version__
from causeway.device.config import DeviceConfig
from causeway.device.errors import AnswerEmptyError, AnswerMalformedError, RegistrationRejectedError
from causeway.device.identity import DeviceKeys
from causeway.device.messenger import Messenger
from causeway.device.state import DeviceState
from causeway.messaging.errors import MessagingError
from causeway.messaging.registration import (
    AgentInformation,
    ApprovalStatus,
    RegistrationRequest,
    RegistrationResponse,
    RegistrationStatus,
    RequestType,
    parse_registration_response,
)

_ENDPOINT = "MP_ClientRegistration"
_POLL_S = 5.0
_RESETS = frozenset({RegistrationStatus.RESET, RegistrationStatus.CERTIFICATE_RESET})

Sleep = Callable[[float], Awaitable[object]]


class Registration:
    """Registers one device.

    Args:
        config: the device.
        keys: what it registers with.
        messenger: sends for it.
        sleep: waits some seconds between two questions; for tests.
    """

    def __init__(
        self, config: DeviceConfig, keys: DeviceKeys, messenger: Messenger, *, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._config = config
        self._keys = keys
        self._messenger = messenger
        self._sleep = sleep

    async def run(self, state: DeviceState, *, wait_s: float) -> DeviceState:
        """Register and return the new state; ``registered`` is False in it while the approval is pending.

        Args:
            state: the state so far; an identity whose approval was pending is asked about, not introduced again.
            wait_s: how long to go on asking while the approval is pending.

        Raises:
            RegistrationRejectedError: the site does not take the device.
            DeviceError: no answer, or none that makes sense.
        """
        kind = RequestType.CONFIRMATION if state.identity and not state.registered else RequestType.REGISTRATION
        waited_s = 0.0
        was_reset = False
        while True:
            response = await self._ask(kind, state.identity)
            if response.status is RegistrationStatus.REJECTED or (response.status in _RESETS and was_reset):
                raise RegistrationRejectedError(
                    "the site rejects this device: it is blocked, or its certificate is not trusted"
                )
            if response.status in _RESETS:
                # The site does not know the identity any more: start over, once.
                was_reset = True
                state = DeviceState(fingerprint=state.fingerprint, site_code=state.site_code)
                kind = RequestType.REGISTRATION
                continue
            state = self._noted(state, response)
            if state.registered or waited_s >= wait_s:
                return state
            await self._sleep(min(_POLL_S, wait_s - waited_s))
            waited_s += _POLL_S
            kind = RequestType.CONFIRMATION

    def _noted(self, state: DeviceState, response: RegistrationResponse) -> DeviceState:
        if not response.smsid:
            raise AnswerMalformedError("the site registered the device without giving it an identity")
        if response.smsid != state.identity:
            # Cookie and policies were another identity's.
            state = DeviceState(fingerprint=self._keys.fingerprint, site_code=state.site_code)
        registered = response.status is RegistrationStatus.REGISTERED
        return replace(
            state,
            identity=response.smsid,
            registered=registered,
            approval=response.approval.name.lower(),
            registered_at=datetime.now(UTC) if registered else state.registered_at,
        )

    async def _ask(self, kind: RequestType, identity: str) -> RegistrationResponse:
        request = RegistrationRequest(
            request_type=kind,
            signing_certificate=self._keys.certificate,
            encryption_certificate=self._keys.certificate,
            agent=AgentInformation("Causeway", __version__),
            properties={
                "Netbios Name": self._config.netbios_name,
                "FQ Name": self._config.name,
                "Locale ID": "1033",
                "InternetFlag": "1" if self._config.server.prefix else "0",
            },
            timestamp=datetime.now(UTC),
            smsid=identity,
        )
        try:
            reply = await self._messenger.ask(request.to_xml(self._keys.key), _ENDPOINT)
        except AnswerEmptyError:
            if kind is RequestType.REGISTRATION:
                raise
            # Some management points say so that they do not know the identity.
            return RegistrationResponse(kind, RegistrationStatus.RESET, "", ApprovalStatus.UNKNOWN, request.timestamp)
        try:
            return parse_registration_response(reply)
        except MessagingError as error:
            raise AnswerMalformedError(f"{_ENDPOINT}: {error}") from error
