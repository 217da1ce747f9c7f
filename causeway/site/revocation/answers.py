"""How one certificate stands: what its responder says, or the list at the distribution point that it names."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog
from cryptography import x509
from starlette.concurrency import run_in_threadpool

from causeway.errors import CausewayError
from causeway.gateway_settings.status import CertificateStatus, Standing
from causeway.identity.denial import Denied
from causeway.identity.examination import extension_of, places_of, read, responders_of
from causeway.pki.issuers import Authorities, issuer_id
from causeway.pki.ocsp import OcspStatus
from causeway.pki.revocation_list import urls_of
from causeway.pki.serials import serial_digest
from causeway.site.config import Ocsp
from causeway.site.database import revocation as store
from causeway.site.revocation.responder import ask_responder

if TYPE_CHECKING:
    from causeway.site.context import Site

_TIMEOUT_S = 10.0
_UNKNOWN_S = 30.0
_REVOKED_S = 3600.0
_MOST_KEPT = 16_384
_MOST_AT_ONCE = 64
_MOST_PLACES = 3

_log = structlog.get_logger(__name__)


class CertificateAnswers:
    """Answers about certificates, each worked out once while it holds, however many gateways ask."""

    def __init__(self, site: "Site") -> None:
        self._site = site
        self._kept: OrderedDict[str, CertificateStatus] = OrderedDict()
        self._asking: dict[str, asyncio.Task[CertificateStatus]] = {}

    async def of(self, certificate: bytes) -> CertificateStatus:
        """How ``certificate`` (DER) stands."""
        fingerprint = hashlib.sha256(certificate).hexdigest()
        kept = self._kept.get(fingerprint)
        if kept is not None and time.time() < kept.until:
            return kept
        task = self._asking.get(fingerprint)
        if task is None:
            if len(self._asking) >= _MOST_AT_ONCE:
                return _unknown(fingerprint, "the site is asking about too many others")
            task = self._asking[fingerprint] = asyncio.create_task(self._find_out(certificate, fingerprint))
            task.add_done_callback(lambda _task: self._asking.pop(fingerprint, None))
        # Shielded: who asked first may go away, and others wait for the same answer.
        return await asyncio.shield(task)

    async def _find_out(self, certificate: bytes, fingerprint: str) -> CertificateStatus:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                status = await self._ask(certificate, fingerprint)
            if status.standing is Standing.REVOKED:
                await run_in_threadpool(store.note_revoked, self._site.database, fingerprint, now=datetime.now(UTC))
        except TimeoutError:
            status = _unknown(fingerprint, f"nobody answered within {_TIMEOUT_S:g} s")
        except CausewayError as error:
            status = _unknown(fingerprint, f"{error.word}: {error}")
        except Exception as error:
            _log.exception("internal error", exc_info=error)
            status = _unknown(fingerprint, "internal error")
        self._site.metrics.certificate_answers.labels(status=status.standing).inc()
        _log.info("certificate asked about", certificate=fingerprint, status=status.standing, details=status.details)
        self._kept[fingerprint] = status
        self._kept.move_to_end(fingerprint)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return status

    async def _ask(self, der: bytes, fingerprint: str) -> CertificateStatus:
        in_force = self._site.in_force
        config = in_force.config.revocation
        try:
            certificate = read(der, time.time()).certificate
        except Denied as denied:
            return _unknown(fingerprint, str(denied))
        # Only what a trusted authority wrote may send us anywhere.
        issuers = await run_in_threadpool(Authorities(in_force.client_authorities).issuers_of, certificate)
        if not issuers:
            return _unknown(fingerprint, "its issuer is not among the trusted authorities")
        failures = []
        if config.ocsp is not Ocsp.NEVER:
            responders = (config.ocsp_url,) if config.ocsp_url else responders_of(certificate)[:_MOST_PLACES]
            for url in responders:
                try:
                    answer = await ask_responder(url, certificate, issuers[0], config)
                except CausewayError as error:
                    failures.append(f"the responder {url}: {error}")
                    _log.warning("responder gave no answer", responder=url, word=error.word, reason=str(error))
                    continue
                if answer.status is OcspStatus.UNKNOWN:
                    failures.append(f"the responder {url} does not know it")
                    continue
                if answer.status is OcspStatus.REVOKED:
                    return CertificateStatus(fingerprint, Standing.REVOKED, time.time() + _REVOKED_S, f"says {url}")
                until = time.time() + config.ocsp_keep_s
                if answer.next_update is not None:
                    until = min(until, answer.next_update.timestamp())
                return CertificateStatus(fingerprint, Standing.GOOD, until, f"says {url}")
        return await self._by_list(certificate, issuers[0], fingerprint, failures)

    async def _by_list(
        self, certificate: x509.Certificate, issuer: x509.Certificate, fingerprint: str, failures: list[str]
    ) -> CertificateStatus:
        points = extension_of(certificate, x509.CRLDistributionPoints)
        urls = [] if points is None else urls_of(points)[:_MOST_PLACES]
        if urls:
            await self._site.revocation.learn(urls)
        who, places = issuer_id(issuer), places_of(certificate)
        known = await run_in_threadpool(self._site.revocation_lists.now)
        covering = [one for one in known.merged if one.issuer == who and (not one.points or one.points & places)]
        digest = serial_digest(certificate.serial_number)
        if any(digest in one.revoked for one in covering):
            return CertificateStatus(fingerprint, Standing.REVOKED, time.time() + _REVOKED_S, "says its list")
        until = max((one.next_update.timestamp() for one in covering), default=0.0)
        if time.time() < until:
            keep_s = self._site.config.revocation.ocsp_keep_s
            return CertificateStatus(fingerprint, Standing.GOOD, min(until, time.time() + keep_s), "says its list")
        reasons = [*failures, *(f"{url} gave no list that has not ended" for url in urls)]
        return _unknown(fingerprint, "; ".join(reasons) or "it names nobody to ask")


def _unknown(fingerprint: str, details: str) -> CertificateStatus:
    return CertificateStatus(fingerprint, Standing.UNKNOWN, time.time() + _UNKNOWN_S, details[:500])
