"""Device, gateway, tunnel, connection point and site system together, whatever each end does and whenever.

Neither a device nor a site system can end the tunnel, leave anything behind, have a site system read a request that was
not meant for it, or have a device read an answer that is none.
"""

import asyncio
from functools import cache

from causeway.refusals import REFUSALS
from fuzz.data_path import DataPath, Device, Ground, SiteSystem
from fuzz.data_path.script import Step, read
from fuzz.wire import requests_in, responses_in


def check(data: bytes) -> bool:
    """``data`` is a script; true where some request came to a site system."""
    loop, path = running()
    return loop.run_until_complete(_play(path, data))


@cache
def running() -> tuple[asyncio.AbstractEventLoop, DataPath]:
    """One data path for all inputs, and the loop that it runs on."""
    loop = asyncio.new_event_loop()

    async def make() -> DataPath:
        return DataPath(Ground())

    return loop, loop.run_until_complete(make())


async def _play(path: DataPath, script: bytes) -> bool:
    await path.open()
    stage = _Stage(path)
    for happening in read(script):
        if happening.step is Step.CONNECT:
            await stage.next_device()
        else:
            stage.do(happening.step, happening.payload)
        if not happening.at_once:
            await path.settle()
    path.stall_tunnel(on=False)
    stage.device.read(on=True)
    await path.settle()
    stage.look()
    lost = stage.tunnel_lost
    assert lost or path.upper.usable
    assert lost or not path.lower.leaving.is_set()
    reached = any(system.begun for system in path.site_systems)
    await path.clear()
    return reached


class _Stage:
    """Who is there, and what happens to them."""

    def __init__(self, path: DataPath) -> None:
        self._path = path
        self.device = path.connect()
        self.tunnel_lost = False

    @property
    def _site_system(self) -> SiteSystem | None:
        return next((system for system in reversed(self._path.site_systems) if not system.closed), None)

    def do(self, step: Step, payload: bytes) -> None:
        """One step."""
        path, device = self._path, self.device
        match step:
            case Step.SEND:
                device.send(payload)
            case Step.SEND_END:
                device.send_end()
            case Step.LEAVE:
                device.leave()
            case Step.DEVICE_STALLS | Step.DEVICE_READS:
                device.read(on=step is Step.DEVICE_READS)
            case Step.TUNNEL_STALLS | Step.TUNNEL_FLOWS:
                path.stall_tunnel(on=step is Step.TUNNEL_STALLS)
            case Step.TUNNEL_LOST:
                path.lose_tunnel()
                self.tunnel_lost = True
            case Step.UNREACHABLE | Step.REACHABLE:
                path.unreachable = step is Step.UNREACHABLE
            case _:
                self._have_site_system(step, payload)

    def _have_site_system(self, step: Step, payload: bytes) -> None:
        system = self._site_system
        if system is None:
            return
        match step:
            case Step.ANSWER:
                system.answer(payload)
            case Step.ANSWER_END:
                system.end()
            case Step.SITE_SYSTEM_LEAVES:
                system.leave()
            case Step.SITE_SYSTEM_STALLS | Step.SITE_SYSTEM_READS:
                system.read(on=step is Step.SITE_SYSTEM_READS)

    async def next_device(self) -> None:
        """The device goes, another comes."""
        self.device.leave()
        await self._path.settle()
        self.device = self._path.connect()

    def look(self) -> None:
        """At what came to each end."""
        for system in self._path.site_systems:
            only_what_was_meant(system)
        _only_answers(self._path, self.device)


def only_what_was_meant(system: SiteSystem) -> None:
    """A site system reads the requests that it was sent, and nothing else as a request."""
    meant = [head.split(b"\r\n", 1)[0] for head in system.begun]
    requests, rest = requests_in(system.received)
    found = [request.method + b" " + request.target + b" HTTP/1.1" for request in requests]
    assert found == meant[: len(found)], (found, meant)
    changes_protocol = bool(requests) and requests[-1].asks_for_change_of_protocol
    assert not rest or len(meant) > len(found) or changes_protocol, rest


def _only_answers(path: DataPath, device: Device) -> None:
    methods = path.answered_methods
    answers, rest = responses_in(device.received, methods, closed=device.closed)
    assert all(answer.complete for answer in answers[:-1])
    if len(answers) == len(methods) and answers and answers[-1].complete and answers[-1].status != 101:
        # What follows is the beginning of an answer that is still to come, or nothing.
        assert rest.startswith(b"HTTP/1.1 "[: len(rest)]), rest
    for answer in answers:
        if answer.status >= 400 and (b"x-causeway-error", answer.reason) in answer.headers:
            assert REFUSALS[answer.reason.decode()].status == answer.status
