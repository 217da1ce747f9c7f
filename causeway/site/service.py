"""The running site: in what order it starts, what it watches, and how it stops."""

import asyncio
import dataclasses
import functools
import logging
import signal
import socket
from pathlib import Path

import structlog
import uvloop
from starlette.concurrency import run_in_threadpool

from causeway.configuration import load
from causeway.errors import CausewayError
from causeway.observability import logging as structured_logging
from causeway.pki.in_use import CertificateInUse
from causeway.pki.issuers import Authorities
from causeway.site import refusals
from causeway.site.admin import admin_app
from causeway.site.app import SiteApp
from causeway.site.config import SiteConfig
from causeway.site.context import InForce, Site
from causeway.site.database import Database, gateway_settings, policies
from causeway.site.database.gateway_settings import Changes
from causeway.site.default_policies import default_policies
from causeway.site.http_server import SiteServer, listen, make_server
from causeway.site.peer import Client, tls_peer
from causeway.site.settings import Content, Decisions, build_content, read_decisions
from causeway.site.tls import ServerTls
from causeway.site.token_service import signing_keys
from causeway.site.token_service.state import TokenState
from causeway.site.trust import read_certificates

_WATCH_S = 1.0
_LOOK_AGAIN_S = 60.0
_ADMIN_CONNECTIONS = 100
_ADMIN_TIMEOUT_S = 10.0
# What a reload cannot change: sockets and connections that exist already.
_FIXED = ("database", "admin", "entra_keys", "log")
_FIXED_OF_SERVER = (
    "address",
    "port",
    "http_port",
    "max_connections",
    "max_buffered_bytes",
    "request_timeout_s",
    "drain_s",
)

_log = structlog.get_logger(__name__)


def run(path: Path) -> None:
    """Run the site of a configuration file until SIGTERM or SIGINT; SIGHUP reads the file again.

    Raises:
        OperatorError: the configuration, a file it names, a port or the database is not usable.
    """
    config = load(path, SiteConfig)
    structured_logging.configure("site", level=config.log.level, form=config.log.format)
    # Uvicorn's warnings are refusals, which are logged here with who and why.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_Service(path, config).run())


class _Service:
    def __init__(self, path: Path, config: SiteConfig) -> None:
        self._path = path
        self._database = Database(config.database)
        self._site = Site(InForce.read(config), self._database)
        self._tls = ServerTls(
            config.server, functools.partial(refusals.note, self._site.metrics, Client("", "", True, None, None))
        )
        self._certificate = self._follow_certificate()
        self._changes = Changes(0, 0)
        self._published_at = 0.0
        self._stop = asyncio.Event()
        self._publishing = asyncio.Lock()

    async def run(self) -> None:
        # The ports first: a second site on the same home ends here, before it touches the database.
        servers = self._servers()
        try:
            await run_in_threadpool(self._database.open)
            self._warn(self._site.in_force)
            # What the files of revocation lists say is in force from the first version on.
            await self._site.revocation.read_files()
            await self._apply(self._site.in_force)
            async with asyncio.TaskGroup() as tasks:
                self._handle_signals(tasks)
                watches = [tasks.create_task(self._watch()), tasks.create_task(self._site.revocation.run())]
                serving = [tasks.create_task(server.serve([listener])) for server, listener in servers]
                config = self._site.config
                _log.info("serving", address=config.server.address, port=config.server.port, site=config.site.code)
                await self._stop.wait()
                # New requests are refused by closed ports; those in flight, waiting connection points first, finish.
                self._site.draining = True
                self._site.publisher.close()
                for server, _ in servers:
                    server.should_exit = True
                await asyncio.wait(serving)
                for watch in watches:
                    watch.cancel()
            _log.info("stopped")
        finally:
            self._site.entra_keys.close()
            for _, listener in servers:
                listener.close()
            self._database.close()

    def _servers(self) -> list[tuple[SiteServer, socket.socket]]:
        config = self._site.config
        server = config.server
        make = functools.partial(
            make_server,
            drain_s=server.drain_s,
            on_refused=functools.partial(refusals.note, self._site.metrics),
            identify=lambda der: tls_peer(der, self._site.in_force.connection_point_roots),
        )
        app = SiteApp(self._site)
        public = functools.partial(
            make, app, request_timeout_s=server.request_timeout_s, max_connections=server.max_connections
        )
        servers = [(public(context=self._tls.context), listen(server.address, server.port, "server"))]
        if server.http_port is not None:
            servers.append((public(context=None), listen(server.address, server.http_port, "server (plain HTTP)")))
        admin = make(
            admin_app(self._site),
            context=None,
            request_timeout_s=_ADMIN_TIMEOUT_S,
            max_connections=_ADMIN_CONNECTIONS,
        )
        servers.append((admin, listen(config.admin.address, config.admin.port, "admin")))
        return servers

    def _handle_signals(self, tasks: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: tasks.create_task(self._reload()))

    async def _watch(self) -> None:
        """Notice what the command line, or another server of the site, has changed in the database."""
        while True:
            await asyncio.sleep(_WATCH_S)
            self._certificate.look()
            try:
                changes = await run_in_threadpool(gateway_settings.changes, self._database)
                if changes.counter != self._changes.counter or self._is_time():
                    await self._publish(self._site.in_force)
                elif changes.version > self._site.publisher.version:
                    await self._site.publisher.look()
            except CausewayError as error:
                _log.error("watching the database failed", word=error.word, reason=str(error))
            except Exception:
                # A fault of ours in here must not stop the site; the next second tries again.
                _log.exception("watching the database failed")

    def _is_time(self) -> bool:
        """Keys of tokens are made, take over, and end by the clock."""
        return asyncio.get_running_loop().time() - self._published_at > _LOOK_AGAIN_S

    async def _reload(self) -> None:
        try:
            await self._read_again()
        except CausewayError as error:
            _log.error("reload refused; what was in force stays", word=error.word, reason=str(error))
        except Exception:
            _log.exception("reload failed; what was in force stays")

    async def _read_again(self) -> None:
        config = await run_in_threadpool(load, self._path, SiteConfig)
        before = self._site.config
        fixed = [name for name in _FIXED if getattr(config, name) != getattr(before, name)]
        if _listens_elsewhere(before, config):
            fixed.append("server")
        if fixed:
            _log.warning("reloaded in part: restart the site for the rest", tables=fixed)
        in_force = await run_in_threadpool(InForce.read, config)
        await run_in_threadpool(self._tls.load, config.server)
        self._warn(in_force)
        await self._apply(in_force)
        self._certificate = self._follow_certificate()
        _log.info("reloaded", gateway_settings_version=self._site.publisher.version)

    @staticmethod
    def _warn(in_force: InForce) -> None:
        """Say what is allowed and most likely not meant."""
        if not in_force.config.revocation.check:
            _log.warning("revocation is switched off: revoked client certificates are accepted", key="revocation.check")
        for name, missing in Authorities(in_force.client_authorities).incomplete().items():
            _log.warning("a certificate is missing among gateway.trusted_roots", missing=missing, issuer_of=name)

    async def _apply(self, in_force: InForce) -> None:
        # First what may be refused, so that a wrong file changes nothing.
        await run_in_threadpool(build_content, in_force.config)
        await run_in_threadpool(policies.keep_site_policies, self._database, default_policies(in_force.config))
        await self._publish(in_force)
        self._site.in_force = in_force
        signing = in_force.site_signing.certificate
        self._site.metrics.certificate_not_after.labels("signing").set(signing.not_valid_after_utc.timestamp())

    def _follow_certificate(self) -> CertificateInUse:
        server = self._site.config.server
        followed = CertificateInUse(
            "server", server.certificate, server.key, server.client_authority, take=self._take_certificate
        )
        followed.renew()
        return followed

    def _take_certificate(self) -> None:
        """What devices are told of the management point's certificate goes with what the server shows."""
        config = self._site.config
        certificate = read_certificates([config.server.certificate])[0]
        self._tls.load(config.server)
        self._site.in_force = dataclasses.replace(self._site.in_force, server_certificate=certificate)
        ends = certificate.not_valid_after_utc.timestamp()
        self._site.metrics.certificate_not_after.labels("server").set(ends)

    async def _publish(self, in_force: InForce) -> None:
        def read() -> tuple[Changes, TokenState, Decisions, Content]:
            now = self._site.now()
            signing_keys.keep_going(self._database, in_force.config.tokens, in_force.seal, now=now)
            # The counter first: what changes meanwhile is seen again in a second.
            changes = gateway_settings.changes(self._database)
            tokens = TokenState.read(self._database, in_force.seal)
            decisions = read_decisions(self._database, in_force.config, tokens, self._site.revocation_lists, now=now)
            return changes, tokens, decisions, build_content(in_force.config, decisions)

        async with self._publishing:
            changes, tokens, decisions, content = await run_in_threadpool(read)
            self._site.block(decisions.blocked_certificates, decisions.blocked_names)
            self._site.admit(tokens, content.settings)
            await self._site.publisher.publish(content, in_force.settings_key)
            self._changes = changes
            self._published_at = asyncio.get_running_loop().time()


def _listens_elsewhere(before: SiteConfig, after: SiteConfig) -> bool:
    return any(getattr(before.server, name) != getattr(after.server, name) for name in _FIXED_OF_SERVER)
