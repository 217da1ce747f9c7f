"""The device: everything that a client does, one method each."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import httpx
from cryptography import x509

from causeway.device.access import Access
from causeway.device.config import DeviceConfig
from causeway.device.errors import AnswerMalformedError, NotRegisteredError, PendingApprovalError
from causeway.device.facts import read_facts
from causeway.device.identity import DeviceKeys, load_or_make_keys
from causeway.device.inventory import hardware_instances, heartbeat_instances
from causeway.device.messenger import Messenger
from causeway.device.packages import read_packages
from causeway.device.policies import Policies, PolicyChange, raise_for
from causeway.device.registration import Registration, Sleep
from causeway.device.site_tokens import Clock, SiteTokens
from causeway.device.state import DeviceState, StateFolder
from causeway.device.token_store import KeptTokens, TokenStore
from causeway.device.transport import Transport
from causeway.messaging.errors import MessagingError
from causeway.messaging.identifiers import new_guid
from causeway.messaging.keyinfo import MPList, parse_mp_list, parse_site_signing_certificate
from causeway.messaging.reports import Report, ReportKind
from causeway.messaging.signatures import decode_certificate
from causeway.messaging.state_messages import StateMessage

_HEARTBEAT = "MP_DdrEndpoint"
_HARDWARE = "MP_HinvEndpoint"
_RELAY = "MP_RelayEndpoint"
_LOCATION = ".sms_aut?"


@dataclass(frozen=True, slots=True)
class Located:
    """What the site says of itself: its management points, and the certificate that it signs with."""

    management_points: MPList
    site_signing_certificate: x509.Certificate

    @property
    def site_code(self) -> str:
        """The code of the site, empty when no management point names one."""
        return next((one.site_code for one in self.management_points.management_points if one.site_code), "")


class DeviceClient:
    """One device, for as long as it is entered as an asynchronous context manager, once.

    Whatever changes its state is on the disk when the method returns.

    Args:
        config: where the gateway is, whom to trust, where the state is.
        transport: httpx's transport, for tests; None connects with TLS.
        sleep: waits between two questions while an approval is pending; for tests.
        now: the clock by which tokens end; for tests.
    """

    def __init__(
        self,
        config: DeviceConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Sleep = asyncio.sleep,
        now: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self.config = config
        self._folder = StateFolder(config.state)
        self.access = Access.of(config)
        self._transport = Transport(config, self.access.server, transport=transport)
        self._sleep = sleep
        self._now = now
        self._state = DeviceState()
        self._keys: DeviceKeys
        self._messenger: Messenger
        self._tokens: SiteTokens

    async def __aenter__(self) -> Self:
        """Take the state folder; make keys where there are none.

        Raises:
            OperatorError: the folder, a file in it, or the PKI certificate cannot be used.
        """
        self._folder.__enter__()
        try:
            # Making an RSA key takes long enough to hold up the other devices of a simulator.
            self._keys = await asyncio.to_thread(load_or_make_keys, self.config)
            self._state = self._folder.load().for_certificate(self._keys.fingerprint)
            store = TokenStore(self.config.state)
            store.load()
        except BaseException:
            self._folder.__exit__()
            raise
        self._messenger = Messenger(self.config, self.access, self._keys.key, self._transport)
        by_token = self.access.authentication.by_token
        self._tokens = SiteTokens(
            self.config, self._keys, store, self._transport, by_token, lambda: self._state, now=self._now
        )
        if by_token:
            self._transport.credential = self._tokens
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._transport.__aexit__(kind, error, trace)
        finally:
            self._folder.__exit__()

    @property
    def state(self) -> DeviceState:
        """What the device knows now."""
        return self._state

    async def locate(self) -> Located:
        """Ask for the management points and the site's signing certificate, and note the site code.

        Raises:
            DeviceError: no answer, or none that makes sense.
        """
        path = self.access.management_point + _LOCATION
        points = (await self._transport.send("GET", path + "MPLIST")).body
        certificate = (await self._transport.send("GET", path + "SITESIGNCERT")).body
        try:
            signing = decode_certificate(parse_site_signing_certificate(certificate).certificate)
            located = Located(parse_mp_list(points), signing)
        except MessagingError as error:
            raise AnswerMalformedError(f"location: {error}") from error
        await self._save(replace(self._state, site_code=located.site_code or self._state.site_code))
        return located

    async def register(self, *, wait_s: float = 0.0) -> DeviceState:
        """Register, or ask about a registration that is pending; safe to repeat.

        Args:
            wait_s: how long to go on asking while the approval is pending.

        Returns:
            The state; its ``registered`` is False when the approval is still pending.

        Raises:
            RegistrationRejectedError: the site does not take the device.
            DeviceError: no answer, or none that makes sense.
        """
        if not self._state.site_code:
            await self.locate()
        registration = Registration(self.config, self._keys, self._messenger, sleep=self._sleep)
        await self._save(await registration.run(self._state, wait_s=wait_s))
        if self._state.registered and self._tokens.are_due:
            # While what let it register still holds.
            await self._tokens.renew(both=True)
        return self._state

    async def renew_tokens(self) -> KeptTokens:
        """Get the tokens by which this device can be managed outside, without a certificate; returns what it has.

        Raises:
            NotRegisteredError, PendingApprovalError: only an approved device gets tokens.
            DeviceError: the token service gave none.
        """
        self._require_registration()
        await self._tokens.renew(both=True)
        return self._tokens.kept

    async def policy(self, *, full: bool = False) -> PolicyChange:
        """Get the policies: what changed since the last contact, or everything.

        Raises:
            NotRegisteredError, PendingApprovalError: only an approved device has policies.
            PolicyIncompleteError: some could not be received or verified; the others are kept.
            DeviceError: no answer, or none that makes sense.
        """
        self._require_registration()
        policies = Policies(self.config, self.access, self._keys, self._messenger, self._transport)
        state, change, problems = await policies.run(self._state, full=full)
        await self._save(state)
        raise_for(problems)
        return change

    async def heartbeat(self) -> None:
        """Tell the site that the device is there, and who and where it is.

        Raises:
            NotRegisteredError, PendingApprovalError: only an approved device reports.
            DeviceError: no answer, or another status than 200.
        """
        self._require_registration()
        facts = await asyncio.to_thread(read_facts)
        instances = heartbeat_instances(facts, name=self.config.netbios_name, site_code=self._state.site_code)
        report = replace(self._report(ReportKind.HEARTBEAT), instances=instances)
        await self._messenger.tell(
            report.to_xml(body=False),
            _HEARTBEAT,
            client_id=self._state.identity,
            attachments=(report.to_attachment(new_guid()),),
        )
        await self._save(replace(self._state, heartbeat_at=report.date))

    async def inventory(self) -> Report:
        """Tell the site the machine's hardware and installed software, and return what was told.

        Raises:
            NotRegisteredError, PendingApprovalError: only an approved device reports.
            DeviceError: no answer, or another status than 200.
        """
        self._require_registration()
        facts = await asyncio.to_thread(read_facts)
        packages = await asyncio.to_thread(read_packages)
        instances = hardware_instances(facts, packages, name=self.config.netbios_name)
        report = replace(self._report(ReportKind.HARDWARE_INVENTORY), instances=instances)
        await self._messenger.tell(report.to_xml(), _HARDWARE, client_id=self._state.identity)
        await self._save(replace(self._state, inventory_at=report.date))
        return report

    async def state_message(
        self, topic_id: str, topic_type: int, state_id: int, *, parameters: tuple[str, ...] = ()
    ) -> None:
        """Tell the site one state; its numbers mean what the site and the sender agreed on.

        Raises:
            NotRegisteredError, PendingApprovalError: only an approved device reports.
            DeviceError: no answer, or another status than 200.
        """
        self._require_registration()
        report = self._report(ReportKind.STATE_MESSAGES)
        serial = self._state.message_serial + 1
        message = StateMessage(topic_id, topic_type, state_id, report.date, serial=serial, parameters=parameters)
        # The number is used up before it is sent: after a kill it is skipped rather than used twice.
        await self._save(replace(self._state, message_serial=serial))
        await self._messenger.tell(
            replace(report, state_messages=(message,)).to_xml(),
            _RELAY,
            client_id=self._state.identity,
            properties=(("FileType", "SMX"),),
        )

    async def doubt_registration(self) -> None:
        """Note that the site may not know the identity any more; the next :meth:`register` asks about it."""
        await self._save(replace(self._state, registered=False))

    def _report(self, kind: ReportKind) -> Report:
        return Report(kind, self._state.identity, datetime.now(UTC), netbios_name=self.config.netbios_name)

    def _require_registration(self) -> None:
        if not self._state.identity:
            raise NotRegisteredError(
                f"{self.config.state}: the device is not registered; `causeway device register` does that"
            )
        if not self._state.registered:
            raise PendingApprovalError(
                f"{self._state.identity} waits for approval; approve it at the site, then register again"
            )

    async def _save(self, state: DeviceState) -> None:
        if state != self._state:
            await asyncio.to_thread(self._folder.save, state)
            self._state = state
