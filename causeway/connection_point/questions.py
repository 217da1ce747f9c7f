"""What a gateway asks, checked as strictly as the gateway did: where it goes, and the head for the site system."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from causeway.connection_point.route import SiteSystemRoute
from causeway.http import BadRequest, RequestHead, parse_request_head
from causeway.identity import Identity
from causeway.recent import Recent
from causeway.refusals import Refused
from causeway.tunnel.prelude import Prelude, split_question, upgrade_fields


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A request but for its id.

    Attributes:
        prelude: what the gateway says of it.
        route: where it goes.
        method: as the device sent it.
        path: at the site system, without the query.
        chunked: the body comes in chunks.
        content_length: of the body; 0 where there is none, or it is not known.
        upgrade: the change of protocol that is asked for, or empty.
        goes_on: something follows the head: a body, or another protocol.
        before_id: the head for the site system up to the request's id, with which a line ends; identity headers are
            ours, hop-by-hop headers are gone.
        after_id: the lines behind the one with the id.
    """

    prelude: Prelude
    route: SiteSystemRoute
    method: bytes
    path: bytes
    chunked: bool
    content_length: int
    upgrade: bytes
    goes_on: bool
    before_id: bytes
    after_id: bytes


@dataclass(frozen=True, slots=True, eq=False)
class BadQuestion:
    """One that goes nowhere.

    Attributes:
        word: the refusal.
        details: why, for the log.
    """

    prelude: Prelude
    word: str
    details: str


class Questions:
    """Reads questions under one version of the settings, and remembers those that can hold no secret."""

    def __init__(self, routes: Mapping[bytes, SiteSystemRoute]) -> None:
        self._routes = routes
        self._recent: Recent[Question] = Recent(most=1024, most_bytes=2048)
        self.get = self._recent.get

    def read(self, question: bytes) -> Question | BadQuestion:
        """Read one that is not remembered.

        Raises:
            TunnelError: there is no well-formed prelude.
        """
        prelude, head_bytes = split_question(question)
        try:
            head = parse_request_head(head_bytes)
            read = self._accepted(prelude, head)
        except (BadRequest, Refused, ValueError) as error:
            word = error.refused_word if isinstance(error, Refused) else "CMGConnector_BadRequest"
            return BadQuestion(prelude, word, str(error))
        if head.plain and not read.route.connection_bound:
            self._recent.keep(question, read)
        return read

    def _accepted(self, prelude: Prelude, head: RequestHead) -> Question:
        route = self._routes.get(prelude.endpoint)
        if route is None:
            raise Refused("CMGConnector_NotPublished")
        if head.forged:
            raise BadRequest("the gateway passed on headers that are its own to set")
        if head.upgrade and head.upgrade not in route.upgrades:
            raise Refused("CMGConnector_NotPublished", "the change of protocol is not published")
        target = route.internal_target(head)
        identity = _identity_headers(prelude.identity, prelude.peer)
        return Question(
            prelude,
            route,
            head.method,
            target.partition(b"?")[0],
            head.chunked,
            head.content_length or 0,
            head.upgrade,
            head.has_body or bool(head.upgrade),
            b"".join(
                (
                    *(head.method, b" ", target, b" HTTP/1.1\r\nHost: ", route.host, b"\r\n"),
                    *(identity, b"X-Forwarded-Host: ", head.host, b"\r\nX-Request-Id: "),
                )
            ),
            upgrade_fields(head.upgrade) + head.tail,
        )


@lru_cache(maxsize=8192)
def _identity_headers(identity: bytes, peer: bytes) -> bytes:
    """The header lines that tell a site system who the client of a prelude is; clients come back.

    Raises:
        ValueError: the identity is of no known form.
    """
    return Identity.decode(identity).headers(peer.decode())
