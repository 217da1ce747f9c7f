"""``causeway up`` from start to drain."""

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from causeway.device.access import Authentication
from causeway.device.simulator import DeviceResult, simulate
from causeway.errors import Cause, CausewayError
from causeway.observability.checks import CheckResult, Status, passed
from causeway.pki.authority import Authority
from causeway.pki.authority_revocation import keep_fresh
from causeway.up.fake_broker import FakeBroker
from causeway.up.fake_tenant_server import serving
from causeway.up.home import Home, Ports, hold, prepare
from causeway.up.journey import check_the_way
from causeway.up.parts import Part, Parts
from causeway.up.registration_token import registration_token
from causeway.up.view import View, device_table, through_by_kind

_HEARTBEAT_S = 30.0
_WATCH_S = 0.5
_RENEW_LIST_S = 3600.0


class PartEnded(CausewayError):
    """One of the parts ended while it was to serve."""

    cause = Cause.SITE
    word = "PartEnded"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        home: the folder of everything.
        name: the DNS name or address by which devices reach the gateway.
        address: the IP address that the gateway listens on.
        port: the first of the block of ports.
        devices: how many devices are simulated.
        once: end after the check and the devices.
    """

    home: Path
    name: str
    address: str
    port: int
    devices: int
    once: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was seen."""

    home: Home
    checks: tuple[CheckResult, ...]
    devices: tuple[DeviceResult, ...]

    @property
    def ok(self) -> bool:
        """Whether every check passed and every device got through."""
        return passed(self.checks) and all(device.ok for device in self.devices)


def run(options: Options, console: Console) -> Outcome:
    """Run the whole system; returns when it has drained.

    Raises:
        OperatorError: the home, a port or a part cannot be used; one line.
    """
    held = hold(options.home)
    try:
        with console.status("Making certificates and configuration …"):
            home = prepare(
                options.home.absolute(),
                name=options.name,
                address=options.address,
                ports=Ports(options.port),
                devices=max(options.devices, 1),
            )
        return asyncio.run(_Session(home, options, console).run())
    finally:
        os.close(held)


class _Session:
    def __init__(self, home: Home, options: Options, console: Console) -> None:
        self._home = home
        self._options = options
        self._console = console
        self._stop = asyncio.Event()
        self._checks: list[CheckResult] = []
        self._bulk_token: str | None = None
        self._came_in: set[str] = set()
        self._broker = None if home.tenant is None else FakeBroker(home.tenant, home.authority)

    async def run(self) -> Outcome:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        parts = Parts(self._home)
        devices: dict[str, DeviceResult] = {}
        # The tenant outlives the others, who fetch its keys.
        tenant = contextlib.AsyncExitStack()
        try:
            started = asyncio.create_task(self._start(parts, tenant))
            stopped = asyncio.create_task(self._stop.wait())
            await asyncio.wait({started, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if started.done():
                await started
                self._print_addresses()
                view = View(self._console, self._home)
                devices = view.devices
                if self._options.once:
                    await self._let_devices_in(view)
                else:
                    await self._serve(view, parts)
            else:
                started.cancel()
        finally:
            with self._console.status("Draining …"):
                await parts.stop()
                await tenant.aclose()
        if self._options.once:
            self._print_summary(list(devices.values()))
        return Outcome(self._home, tuple(self._checks), tuple(devices.values()))

    async def _start(self, parts: Parts, tenant: contextlib.AsyncExitStack) -> None:
        home = self._home
        with self._console.status("Starting site, gateway and connection point …"):
            parts.check_ports()
            if home.tenant is not None:
                certificate, key = home.tenant_pair
                port = home.ports.fake_tenant
                await tenant.enter_async_context(serving(home.tenant, port=port, certificate=certificate, key=key))
            await parts.start()
        with self._console.status("Sending a request all the way …"):
            async for result in check_the_way(self._home):
                self._checks.append(result)

    def _print_addresses(self) -> None:
        home, device = self._home, self._home.devices[0]
        rows = {
            "service URL": home.service_url,
            "management point": home.management_point_url,
            "authority": str(home.authority),
            "certificate": str(device.certificate),
            "key": str(device.key),
            "logs": str(home.logs),
        }
        for name, value in rows.items():
            self._console.print(f"{name:<17} {value}", markup=False, soft_wrap=True)
        for check in self._checks:
            colour = "green" if check.status is Status.PASS else "red"
            self._console.print(f"[{colour}]{check.status}[/{colour}] {check.name}: {check.details}", soft_wrap=True)
        self._console.print("\nTry it:", markup=False)
        self._console.print(
            f"curl --cacert {home.authority} --cert {device.certificate} --key {device.key}"
            f" '{home.management_point_url}/SMS_MP/.sms_aut?MPLIST'\n",
            markup=False,
            soft_wrap=True,
        )

    async def _let_devices_in(self, view: View) -> None:
        """Every device registers, fetches its policy and says that it is alive."""
        devices = self._home.devices[: self._options.devices]
        by_token = sum(paths.authentication is Authentication.TOKEN for paths in devices)
        if by_token and self._bulk_token is None:
            self._bulk_token = await asyncio.to_thread(registration_token, self._home.site.config, by_token)
        if self._broker is not None:
            await self._broker.keep(paths for paths in devices if paths.authentication is Authentication.ENTRA)
        configs = [
            # Once it is in, a device has tokens of its own, and lives by them.
            self._home.device_config(paths, None if paths.name in self._came_in else self._bulk_token)
            for paths in devices
        ]
        for config in configs:
            view.devices.setdefault(config.name, DeviceResult.not_yet(config))
        async for result in simulate(configs):
            view.devices[result.name] = result
            if result.registered:
                self._came_in.add(result.name)

    async def _serve(self, view: View, parts: Parts) -> None:
        """Show what happens while the devices come back at their intervals, until asked to stop.

        Raises:
            PartEnded: a part ended by itself.
        """

        async def come_and_go() -> None:
            while not self._stop.is_set():
                await self._let_devices_in(view)
                await asyncio.sleep(_HEARTBEAT_S)

        ended: list[Part] = []

        async def watch() -> None:
            while not ended:
                await asyncio.sleep(_WATCH_S)
                ended.extend(part for part in parts.all if part.ended())
            self._stop.set()

        async def keep_revocations_fresh() -> None:
            folder = self._home.authority.parent
            while True:
                await asyncio.sleep(_RENEW_LIST_S)
                await asyncio.to_thread(keep_fresh, folder, Authority.open(folder))

        tasks = [asyncio.create_task(each()) for each in (come_and_go, watch, keep_revocations_fresh)]
        await view.show(self._stop)
        for task in tasks:
            task.cancel()
        if ended:
            raise PartEnded(f"the {ended[0].name} ended by itself: {ended[0].last_words()}")

    def _print_summary(self, devices: list[DeviceResult]) -> None:
        if devices:
            self._console.print(device_table(devices))
        for device in devices:
            if device.error:
                self._console.print(f"{device.name}: {device.error}", markup=False, soft_wrap=True)
        done = sum(device.ok for device in devices)
        kinds = f" ({through_by_kind(devices)})" if devices else ""
        good = sum(check.status is Status.PASS for check in self._checks)
        self._console.print(
            f"{good} of {len(self._checks)} checks passed; {done} of {len(devices)} devices registered, "
            f"got their policy and sent a heartbeat{kinds}.",
            soft_wrap=True,
        )
