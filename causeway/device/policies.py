"""How a device gets its policies: assignments first, in full or what changed, then the bodies that it lacks."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from causeway.device.access import Access
from causeway.device.config import DeviceConfig
from causeway.device.errors import AnswerMalformedError, DeviceError, PolicyIncompleteError
from causeway.device.identity import DeviceKeys
from causeway.device.messenger import Messenger
from causeway.device.state import DeviceState, StoredPolicy
from causeway.device.transport import Transport
from causeway.messaging.assignments import (
    AssignmentAction,
    AssignmentsReply,
    AssignmentsRequest,
    AssignmentsRequestType,
    PolicyAssignment,
    PolicyFlags,
    ReplyType,
    body_target,
    parse_assignments_reply,
)
from causeway.messaging.client_auth import sign_token_headers
from causeway.messaging.enveloped import is_enveloped, unseal
from causeway.messaging.errors import MessagingError
from causeway.messaging.policy import check_hash
from causeway.messaging.text import decode_document

_ENDPOINT = "MP_PolicyManager"
_MAX_POLICIES = 10_000
_MAX_STORED_CHARACTERS = 64 * 1024 * 1024
_PROTECTED = PolicyFlags.REQUIRES_AUTH | PolicyFlags.SECRET
_DIRECTORY = "/SMS_MP/"


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """What a contact brought: whether the site sent everything or a difference, and how many came and went."""

    reply_type: ReplyType
    received: int
    removed: int


class Policies:
    """Gets the policies of one device."""

    def __init__(
        self, config: DeviceConfig, access: Access, keys: DeviceKeys, messenger: Messenger, transport: Transport
    ) -> None:
        self._config = config
        self._directory = access.management_point
        self._keys = keys
        self._messenger = messenger
        self._transport = transport

    async def run(self, state: DeviceState, *, full: bool) -> tuple[DeviceState, PolicyChange, list[str]]:
        """Return the new state, what changed, and what went wrong with single bodies.

        When something went wrong the state keeps the old cookie, so that the site names the missing policies again.

        Raises:
            DeviceError: no answer to the request for assignments, or none that makes sense.
        """
        reply = await self._assignments(state, full=full)
        kept = {one.assignment_id: one for one in state.policies}
        wanted = dict(kept) if reply.reply_type is ReplyType.DELTA else {}
        received = 0
        problems: list[str] = []
        for assignment in reply.assignments:
            if assignment.action is AssignmentAction.DELETE:
                wanted.pop(assignment.assignment_id, None)
                continue
            known = kept.get(assignment.assignment_id)
            try:
                if known is not None and _is_same(known, assignment):
                    wanted[assignment.assignment_id] = known
                else:
                    wanted[assignment.assignment_id] = await self._receive(assignment, state.identity)
                    received += 1
            except (DeviceError, MessagingError) as error:
                problems.append(f"policy {assignment.policy_id}: {error}")
                if known is not None:
                    # An older version holds until the newer one is here.
                    wanted[assignment.assignment_id] = known
        if sum(len(one.body) for one in wanted.values()) > _MAX_STORED_CHARACTERS:
            raise AnswerMalformedError(f"policies of together more than {_MAX_STORED_CHARACTERS} characters")
        new = replace(
            state,
            site_code=reply.site_code or state.site_code,
            server_cookie=state.server_cookie if problems else reply.server_cookie,
            policies=tuple(wanted.values()),
            policy_at=state.policy_at if problems else datetime.now(UTC),
        )
        return new, PolicyChange(reply.reply_type, received, len(kept.keys() - wanted.keys())), problems

    async def _assignments(self, state: DeviceState, *, full: bool) -> AssignmentsReply:
        request = AssignmentsRequest(
            client_id=state.identity,
            site_code=state.site_code,
            request_type=AssignmentsRequestType.FULL if full else AssignmentsRequestType.ALWAYS,
            server_cookie="" if full else state.server_cookie,
            fqdn=self._config.name,
            netbios_name=self._config.netbios_name,
        )
        text = await self._messenger.ask(request.to_xml(), _ENDPOINT, client_id=state.identity)
        try:
            reply = parse_assignments_reply(text)
        except MessagingError as error:
            raise AnswerMalformedError(f"{_ENDPOINT}: {error}") from error
        if reply.client_id and reply.client_id != state.identity:
            raise AnswerMalformedError(f"{_ENDPOINT}: the policies of another client")
        if len(reply.assignments) > _MAX_POLICIES:
            raise AnswerMalformedError(f"{_ENDPOINT}: more than {_MAX_POLICIES} policies")
        return reply

    async def _receive(self, assignment: PolicyAssignment, identity: str) -> StoredPolicy:
        stored = StoredPolicy(
            assignment_id=assignment.assignment_id,
            policy_id=assignment.policy_id,
            version=assignment.version,
            hash_ex=assignment.hash_ex,
            category=assignment.category,
            conditional=assignment.condition is not None,
        )
        # On the internet, what is meant for the intranet alone is noted and not fetched.
        if PolicyFlags.INTRANET_ONLY in assignment.flags and self._config.server.prefix:
            return stored
        target = body_target(assignment.location)
        if target.lower().startswith(_DIRECTORY.lower()):
            target = self._directory + target[len(_DIRECTORY) :]
        headers = sign_token_headers(self._keys.key, identity) if assignment.flags & _PROTECTED else {}
        body = (await self._transport.send("GET", target, headers=headers)).body
        if is_enveloped(body):
            body = unseal(body, self._keys.certificate, self._keys.key)
        if assignment.hash_ex:
            check_hash(body, assignment.hash_ex)
        return replace(stored, body=decode_document(body))


def raise_for(problems: list[str]) -> None:
    """Turn what went wrong with single bodies into one error.

    Raises:
        PolicyIncompleteError: something did.
    """
    if problems:
        more = f"; and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise PolicyIncompleteError(problems[0] + more)


def _is_same(known: StoredPolicy, assignment: PolicyAssignment) -> bool:
    same_policy = (known.policy_id, known.version) == (assignment.policy_id, assignment.version)
    return same_policy and known.hash_ex == assignment.hash_ex
