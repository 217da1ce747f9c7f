"""Asks the site about certificates of which the lists say nothing: once each, down a tunnel; answers are remembered."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from causeway.gateway.asker import Asker
from causeway.gateway.exchange import Exchange
from causeway.gateway.metrics import EndpointMetrics
from causeway.gateway.publishing import Route
from causeway.gateway_settings import SettingsError, SettingsInvalid
from causeway.gateway_settings.status import (
    MAX_CERTIFICATE_BYTES,
    MAX_STATUS_BYTES,
    STATUS_ENDPOINT,
    STATUS_PATH,
    CertificateStatus,
    Standing,
    verify_status,
)
from causeway.http import parse_request_head
from causeway.refusals import Refused
from causeway.tunnel.prelude import NONE, question_of

if TYPE_CHECKING:
    from causeway.gateway.worker import Worker

log = structlog.get_logger()

_MOST_ANSWERS = 16_384
_MOST_PENDING = 256
_TIMEOUT_S = 15.0
_FAILED_S = 10.0
_HEAD_BYTES = 16 * 1024
_METHOD = b"POST"
_NOBODY = b" 0.0.0.0 - "


class CertificateStatuses:
    """What one worker was told of certificates.

    Args:
        worker: has the tunnels.
        key: the site's, which signs the answers.
    """

    def __init__(self, worker: "Worker", key: Ed25519PublicKey) -> None:
        self._worker = worker
        self._key = key
        self._answers: OrderedDict[str, CertificateStatus] = OrderedDict()
        self._pending: dict[str, _Question] = {}
        self._route = Route(
            name=STATUS_ENDPOINT.encode(),
            methods=frozenset((_METHOD,)),
            needs_certificate=False,
            max_body_bytes=MAX_CERTIFICATE_BYTES,
            connection_bound=False,
            metrics=EndpointMetrics(),
        )

    def known(self, fingerprint: str, now: float) -> CertificateStatus | None:
        """The site's answer, while it holds."""
        answer = self._answers.get(fingerprint)
        return answer if answer is not None and now < answer.until else None

    def ask(self, certificate: bytes, fingerprint: str, again: Callable[[], None]) -> bool:
        """Ask the site; ``again`` is called when the answer is known. False where it cannot be asked now."""
        question = self._pending.get(fingerprint)
        if question is None:
            if len(certificate) > MAX_CERTIFICATE_BYTES or len(self._pending) >= _MOST_PENDING:
                return False
            question = _Question(self, fingerprint)
            try:
                question.send(self._worker, self._route, certificate)
            except Refused as refused:
                self._failed(fingerprint, refused.refused_word)
                return False
            self._pending[fingerprint] = question
        question.waiting.append(again)
        return True

    def sweep(self, now: float) -> None:
        """Called every second: give up questions that nobody answers."""
        for question in list(self._pending.values()):
            if now > question.deadline:
                question.give_up()

    def answered(self, fingerprint: str, answer: bytes) -> None:
        """An HTTP answer came."""
        head, _, body = answer.partition(b"\r\n\r\n")
        status = head.split(b" ", 2)[1:2]
        try:
            if status != [b"200"]:
                line = head.partition(b"\r\n")[0].decode("latin-1")
                raise SettingsInvalid(f"the answer is {line[:100]}")
            told = verify_status(body, self._key)
            if told.fingerprint != fingerprint:
                raise SettingsInvalid("the answer is for another certificate")
        except SettingsError as error:
            self.failed(fingerprint, str(error))
            return
        self._keep(told)
        self._done(fingerprint, told.standing)

    def failed(self, fingerprint: str, reason: str) -> None:
        """No answer will come to a question under way."""
        self._failed(fingerprint, reason)
        self._done(fingerprint, "failed")

    def _failed(self, fingerprint: str, reason: str) -> None:
        log.warning("no certificate status from the site", certificate=fingerprint, reason=reason)
        self._keep(CertificateStatus(fingerprint, Standing.UNKNOWN, time.time() + _FAILED_S, f"no answer: {reason}"))

    def _done(self, fingerprint: str, result: str) -> None:
        self._worker.metrics.certificate_questions[result] += 1
        question = self._pending.pop(fingerprint, None)
        for again in question.waiting if question is not None else ():
            self._worker.loop.call_soon(again)

    def _keep(self, answer: CertificateStatus) -> None:
        self._answers[answer.fingerprint] = answer
        self._answers.move_to_end(answer.fingerprint)
        if len(self._answers) > _MOST_ANSWERS:
            self._answers.popitem(last=False)


class _Question(Asker):
    """One request of our own: to its exchange it is what a client's connection is."""

    def __init__(self, statuses: CertificateStatuses, fingerprint: str) -> None:
        super().__init__(http_1_1=False)  # so that the answer's body comes without framing
        self._statuses = statuses
        self._fingerprint = fingerprint
        self._answer = bytearray()
        self._exchange: Exchange | None = None
        self.waiting: list[Callable[[], None]] = []
        self.deadline = 0.0

    def send(self, worker: "Worker", route: Route, certificate: bytes) -> None:
        """Open a stream and send everything.

        Raises:
            Refused: no tunnel can take it.
        """
        head = parse_request_head(
            b"POST %b HTTP/1.1\r\nHost: causeway\r\nContent-Type: application/pkix-cert\r\nContent-Length: %d\r\n\r\n"
            % (STATUS_PATH.encode(), len(certificate))
        )
        tunnel = worker.tunnels.choose()
        request_id = worker.next_request_id()
        now = worker.now()
        exchange = Exchange(self, tunnel, tunnel.open(now), route, request_id, now, head)
        self._exchange = tunnel.streams[exchange.number] = exchange
        self.deadline = worker.now() + _TIMEOUT_S
        exchange.send_head(request_id + question_of(route.name, _NOBODY, NONE, head), end=False)
        exchange.send_body(certificate, end=True)

    def give_up(self) -> None:
        """Nobody answers."""
        if self._exchange is not None:
            self._exchange.client_gone()
        self._statuses.failed(self._fingerprint, "it did not answer in time")

    # What an exchange asks of a client's connection.

    def write(self, data: bytes) -> None:
        """An interim answer, or a piece of the answer."""
        self._answer += data
        if len(self._answer) > _HEAD_BYTES + MAX_STATUS_BYTES and self._exchange is not None:
            exchange, self._exchange = self._exchange, None
            exchange.client_gone()
            self._statuses.failed(self._fingerprint, "its answer is too long")

    def writelines(self, pieces: list[bytes]) -> None:
        """The answer."""
        self.write(b"".join(pieces))

    def exchange_done(self, exchange: Exchange, rest: list[bytes]) -> None:  # noqa: ARG002  # the only one
        """The answer is whole, and this is the rest of it."""
        self.writelines(rest)
        if self._exchange is not None:
            self._exchange = None
            self._statuses.answered(self._fingerprint, bytes(self._answer))

    def exchange_failed(self, exchange: Exchange, word: str) -> None:  # noqa: ARG002  # see above
        """There is none."""
        if self._exchange is not None:
            self._exchange = None
            self._statuses.failed(self._fingerprint, word)

    def pause_body(self) -> None:
        """A certificate is sent at once."""

    def resume_body(self) -> None:
        """See above."""
