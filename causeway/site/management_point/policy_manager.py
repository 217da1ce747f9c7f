"""``MP_PolicyManager``: which policies a device has, all of them or what changed.

The server cookie names what the reply lists, so the site keeps nothing for each device: the next request brings the
cookie back, and what differs since then is the delta.
"""

import hashlib
import json

from causeway.messaging.assignments import (
    AssignmentAction,
    AssignmentsReply,
    AssignmentsRequest,
    AssignmentsRequestType,
    PolicyAssignment,
    PolicyFlags,
    ReplyType,
    ResourceType,
    body_location,
    parse_assignments_request,
)
from causeway.messaging.policy import hash_body
from causeway.site.database import devices, policies
from causeway.site.database.devices import DeviceRow
from causeway.site.database.policies import AssignedPolicy, SnapshotEntry
from causeway.site.errors import IdentityMismatch
from causeway.site.management_point.exchange import Exchange
from causeway.site.management_point.policy_document import document
from causeway.site.management_point.sender import approved_asker

ENDPOINT = "MP_PolicyManager"


def answer(exchange: Exchange) -> str:
    """Return the body of the reply to a signed request for assignments.

    Raises:
        MessagingError: it cannot be read, or is not signed by the device that it names.
        Refused: the device is unknown, not approved, or the body speaks for another one.
    """
    device = approved_asker(exchange)
    request = parse_assignments_request(exchange.body())
    if request.client_id != device.smsid:
        raise IdentityMismatch(f"{device.smsid} asks for the policy of {request.client_id}")
    devices.note_policy_request(exchange.site.database, device, now=exchange.now)
    if request.resource_type is ResourceType.USER:
        return _reply(exchange, request, ReplyType.FULL, "", [])
    return _machine_policy(exchange, device, request)


def _machine_policy(exchange: Exchange, device: DeviceRow, request: AssignmentsRequest) -> str:
    database = exchange.site.database
    compress = exchange.config.compress_policies
    assigned = [_assignment(one, compress=compress) for one in policies.assigned_to(database, device.number)]
    entries = [_entry(one) for one in assigned]
    cookie = _cookie(entries)
    policies.keep_snapshot(database, cookie, entries, now=exchange.now)
    before = None
    if request.server_cookie and request.request_type is not AssignmentsRequestType.FULL:
        before = policies.snapshot(database, request.server_cookie)
    if before is None:
        return _reply(exchange, request, ReplyType.FULL, cookie, assigned)
    return _reply(exchange, request, ReplyType.DELTA, cookie, _delta(before, assigned))


def _delta(before: tuple[SnapshotEntry, ...], now: list[PolicyAssignment]) -> list[PolicyAssignment]:
    changed = [one for one in now if _entry(one) not in before]
    present = {one.assignment_id for one in now}
    ended = [
        PolicyAssignment(one.assignment_id, one.policy_id, one.version, location="", action=AssignmentAction.DELETE)
        for one in before
        if one.assignment_id not in present
    ]
    return changed + ended


def _assignment(one: AssignedPolicy, *, compress: bool) -> PolicyAssignment:
    policy = one.policy
    flags = PolicyFlags(policy.flags) | (PolicyFlags.COMPRESSED if compress else PolicyFlags.NONE)
    return PolicyAssignment(
        assignment_id=one.assignment_id,
        policy_id=policy.policy_id,
        version=policy.version,
        location=body_location(policy.policy_id, policy.version),
        category=policy.category,
        flags=flags,
        hash_ex=hash_body(document(policy.body, compress=compress)),
    )


def _entry(one: PolicyAssignment) -> SnapshotEntry:
    digest = hashlib.sha256(f"{one.hash_ex} {one.flags.value} {one.category}".encode()).hexdigest()
    return SnapshotEntry(one.assignment_id, one.policy_id, one.version, digest)


def _cookie(entries: list[SnapshotEntry]) -> str:
    text = json.dumps(sorted((one.assignment_id, one.policy_id, one.version, one.digest) for one in entries))
    return hashlib.sha256(text.encode()).hexdigest()


def _reply(
    exchange: Exchange,
    request: AssignmentsRequest,
    reply_type: ReplyType,
    cookie: str,
    assignments: list[PolicyAssignment],
) -> str:
    return AssignmentsReply(
        reply_type=reply_type,
        client_id=request.client_id,
        site_code=exchange.in_force.config.site.code,
        server_cookie=cookie,
        assignments=tuple(assignments),
        resource_type=request.resource_type,
    ).to_xml()
