"""Starts the workers, replaces those that die, passes signals on. No event loop and no threads here, so it may fork."""

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from causeway.errors import CausewayError
from causeway.files import make_private_folder
from causeway.gateway.admin import run_admin
from causeway.gateway.config import GatewayConfig
from causeway.gateway.runtime_folder import remove_left_behind, runtime_folder
from causeway.gateway.ticket_keys import TicketKeys
from causeway.gateway.tls import service_context, tunnel_context
from causeway.gateway.worker import SETTINGS_FILE, WorkerSockets
from causeway.gateway.worker_process import run_worker
from causeway.gateway_settings import SettingsStore
from causeway.observability import logging
from causeway.observability.admin import listen
from causeway.pki.keys import load_verification_key
from causeway.transport import allow_many_connections

log = structlog.get_logger()

_ADMIN = -1
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD}
_SHORT_LIFE_S = 1.0
_RESTART_PAUSE_S = 1.0
_KILL_AFTER_DRAIN_S = 5.0
_SUCCESSOR_S = 15.0


def run(config: GatewayConfig) -> None:
    """Run a gateway until SIGTERM or SIGINT. SIGHUP reloads the certificate, SIGUSR2 replaces worker by worker.

    Raises:
        OperatorError: a port is busy, a file is missing or wrong; before anything is served.
    """
    logging.configure("gateway", level=config.log.level, form=config.log.format)
    make_private_folder(config.state)
    _check_files(config)
    allow_many_connections()
    with runtime_folder() as folder:
        _Supervisor(config, folder).run()


def _check_files(config: GatewayConfig) -> None:
    """Whatever is wrong with the files shows here, once, and not in every worker."""
    SettingsStore(config.state / SETTINGS_FILE, load_verification_key(config.site_key)).load()
    service_context(config, ())
    tunnel_context(config)


class _Supervisor:
    def __init__(self, config: GatewayConfig, folder: Path) -> None:
        self._config = config
        self._folder = folder
        service, tunnel = config.service, config.tunnel
        self._service = listen(service.address, service.port, "devices", shared=config.workers)
        self._tunnels = [
            listen(tunnel.address, tunnel.port + number, "connection points")[0] for number in range(config.workers)
        ]
        self._admin = listen(config.admin.address, config.admin.port, "health and metrics")[0]
        # The children hold the other end: when this process is gone, however it went, they drain.
        self._parent_read, self._parent_write = os.pipe()
        self._ticket_keys = self._new_ticket_keys()
        self._children: dict[int, tuple[int, float]] = {}
        self._leaving: set[int] = set()  # those of them that drain, since a successor serves
        self._due: dict[int, float] = {}
        self._died_young: set[int] = set()
        self._stopping = False

    def _new_ticket_keys(self) -> TicketKeys:
        return TicketKeys(time.monotonic(), tickets=self._config.service.session_tickets)

    def run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # a worker too young to hand over is not to die of it
        remove_left_behind()
        for number in (*range(self._config.workers), _ADMIN):
            self._launch(number)
        log.info(
            "gateway started",
            service=f"{self._config.service.address}:{self._config.service.port}",
            workers=self._config.workers,
        )
        while not self._stopping:
            self._wait()
        self._stop()

    def _wait(self) -> None:
        """Until a signal comes, or a dead worker's successor is due."""
        now = time.monotonic()
        pause = max(0.0, min(self._due.values(), default=now + 3600.0) - now)
        received = signal.sigtimedwait(_SIGNALS, pause)
        self._ticket_keys.context(time.monotonic())  # the keys of days that are over go here, too
        number = received.si_signo if received is not None else 0
        if number in (signal.SIGTERM, signal.SIGINT):
            self._stopping = True
        elif number == signal.SIGHUP:
            self._signal_workers(signal.SIGHUP)
        elif number == signal.SIGUSR2:
            self._roll()
        self._reap()
        for child, when in list(self._due.items()):
            if when <= time.monotonic() and not self._stopping:
                del self._due[child]
                self._launch(child)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            number, started = self._children.pop(pid, (None, 0.0))
            if number is None or self._stopping:
                continue
            if pid in self._leaving:
                self._leaving.remove(pid)
                log.info("worker replaced", worker=number, pid=pid)
                continue
            log.error("process ended", worker=number, pid=pid, exit_code=os.waitstatus_to_exitcode(status))
            self._due[number] = time.monotonic() + self._pause(number, time.monotonic() - started)

    def _pause(self, number: int, lived: float) -> float:
        """At once, unless it dies young again and again: that would only keep the processor busy."""
        if lived >= _SHORT_LIFE_S:
            self._died_young.discard(number)
            return 0.0
        again = number in self._died_young
        self._died_young.add(number)
        return _RESTART_PAUSE_S if again else 0.0

    def _roll(self) -> None:
        """Replace every worker, one after another, without a request lost.

        The successor takes over the tunnel port first; when connection points have dialled it, it accepts devices; only
        then is the old worker drained. Where no successor can serve, the old ones stay.
        """
        try:
            _check_files(self._config)
        except CausewayError as error:
            log.error("workers not replaced", reason=str(error))  # noqa: TRY400  # the operator's to mend
            return
        self._ticket_keys = self._new_ticket_keys()
        for pid, (number, _) in list(self._children.items()):
            if number == _ADMIN or pid in self._leaving:
                continue
            successor, ready = self._start(number)
            os.kill(pid, signal.SIGUSR1)
            told, _, _ = select.select([ready], [], [], _SUCCESSOR_S)
            failed = told and not os.read(ready, 1)
            os.close(ready)
            if failed:
                del self._children[successor]
                log.error("successor failed, the old workers stay", worker=number)
                return
            log.info("successor serves" if told else "successor is late", worker=number)
            self._leaving.add(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def _launch(self, number: int) -> None:
        _, ready = self._start(number)
        os.close(ready)

    def _start(self, number: int) -> tuple[int, int]:
        """Fork a process; returns it and a descriptor that reads a byte when it serves, to be closed by the caller."""
        ready_read, ready_write = os.pipe()
        pid = os.fork()
        if pid:
            os.close(ready_write)
            self._children[pid] = (number, time.monotonic())
            return pid, ready_read
        # The child. It must not return into the supervisor's code, whatever happens.
        code = 1
        try:
            os.close(self._parent_write)
            os.close(ready_read)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            self._life_of(number, ready_write)()
            code = 0
        except CausewayError as error:
            log.critical("cannot run", worker=number, reason=str(error))
        except BaseException:
            log.critical("crashed", worker=number, exc_info=True)
        finally:
            os._exit(code)

    def _life_of(self, number: int, ready: int) -> Callable[[], None]:
        if number == _ADMIN:
            _close_all(*self._service, *self._tunnels)
            return lambda: run_admin(self._config, self._admin, self._folder, self._parent_read)
        service, tunnel = self._service[number], self._tunnels[number]
        _close_all(self._admin, *(s for s in (*self._service, *self._tunnels) if s not in (service, tunnel)))
        sockets = WorkerSockets(service, tunnel, self._parent_read, ready)
        return lambda: run_worker(self._config, number, sockets, self._folder, self._ticket_keys)

    def _signal_workers(self, number: signal.Signals) -> None:
        for pid, (child, _) in self._children.items():
            if child != _ADMIN:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    def _stop(self) -> None:
        """Drain the workers while the admin process still tells of it, then end that, too."""
        _close_all(*self._service, *self._tunnels)
        self._signal_workers(signal.SIGTERM)
        deadline = time.monotonic() + self._config.limits.drain_timeout_s + _KILL_AFTER_DRAIN_S
        while any(number != _ADMIN for number, _ in self._children.values()) and time.monotonic() < deadline:
            received = signal.sigtimedwait(_SIGNALS, deadline - time.monotonic())
            if received is not None and received.si_signo == signal.SIGINT:
                deadline = time.monotonic()  # asked twice: at once
            self._reap()
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in list(self._children):
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        log.info("gateway stopped")


def _close_all(*sockets: socket.socket) -> None:
    for sock in sockets:
        sock.close()
