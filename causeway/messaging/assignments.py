"""Policy assignments, endpoint ``MP_PolicyManager``: which policies a client has, and where their bodies are.

Source: 2007 SDK, Management Point Message Schema ("Policy Assignment Request", "Policy Assignment Reply"). What the
schema leaves open and Causeway fixed is said at :class:`AssignmentAction`.
"""

from dataclasses import dataclass
from enum import IntFlag, StrEnum
from xml.etree.ElementTree import Element

from causeway.messaging import safe_xml
from causeway.messaging.conditions import Condition, condition_to_xml, parse_condition
from causeway.messaging.errors import FieldError
from causeway.messaging.identifiers import normalise_smsid
from causeway.messaging.safe_xml import (
    Markup,
    cdata,
    child_text,
    element,
    integer,
    member,
    required_attribute,
    required_text,
)

MAX_REQUEST_CHARACTERS = 64 * 1024
MP_PLACEHOLDER = "<mp>"
_MAX_COOKIE_CHARACTERS = 4096


class AssignmentsRequestType(StrEnum):
    """``Always`` answers with what changed since the cookie even if nothing did, ``Full`` with everything."""

    ALWAYS = "Always"
    ON_UPDATE = "OnUpdate"
    FULL = "Full"


class ResourceType(StrEnum):
    """Whose policies."""

    MACHINE = "Machine"
    USER = "User"


class ReplyType(StrEnum):
    """Whether the reply replaces what the client has, or changes it."""

    FULL = "Full"
    DELTA = "Delta"


class AssignmentAction(StrEnum):
    """What a delta does with an assignment.

    The schema has an optional ``Action`` attribute without saying its values. Causeway writes ``Delete`` for an
    assignment that ended, and no attribute for one to take.
    """

    APPLY = ""
    DELETE = "Delete"


class PolicyFlags(IntFlag):
    """The ``PolicyFlags`` bits."""

    NONE = 0
    TASK_SEQUENCE = 1
    REQUIRES_AUTH = 2
    SECRET = 4
    INTRANET_ONLY = 8
    PERSIST_WHOLE_POLICY = 16
    AUTHORIZED_DYNAMIC_DOWNLOAD = 32
    COMPRESSED = 64


@dataclass(frozen=True, slots=True)
class AssignmentsRequest:
    """A client asks for its policies. ``server_cookie`` is the last reply's, empty at first."""

    client_id: str
    site_code: str
    request_type: AssignmentsRequestType = AssignmentsRequestType.ALWAYS
    resource_type: ResourceType = ResourceType.MACHINE
    server_cookie: str = ""
    fqdn: str = ""
    netbios_name: str = ""

    def to_xml(self) -> str:
        """Return the request's body."""
        return element(
            "RequestAssignments",
            _identification(self.client_id, self.fqdn, self.netbios_name),
            element("PolicySource", f"SMS:{self.site_code}"),
            element("Resource", ResourceType=self.resource_type),
            element("ServerCookie", self.server_cookie),
            SchemaVersion="1.00",
            ACK="false",
            RequestType=self.request_type,
        )


@dataclass(frozen=True, slots=True)
class PolicyAssignment:
    """One policy assigned to the client.

    ``location`` is an URL with the literal placeholder ``<mp>`` for the host; see :func:`body_query`. ``hash_ex`` is
    ``SHA256:`` and upper-case hex, see :func:`causeway.messaging.policy.hash_body`.
    """

    assignment_id: str
    policy_id: str
    version: str
    location: str
    policy_type: str = "Machine"
    category: str = ""
    flags: PolicyFlags = PolicyFlags.NONE
    hash_ex: str = ""
    action: AssignmentAction = AssignmentAction.APPLY
    condition: Condition | None = None

    def to_xml(self) -> Markup:
        """Return the ``<PolicyAssignment>`` element; the location comes first in ``<Policy>``, as clients expect."""
        location = element("PolicyLocation", cdata(self.location), PolicyHashEx=self.hash_ex or None)
        return element(
            "PolicyAssignment",
            condition_to_xml(self.condition) if self.condition is not None else None,
            element(
                "Policy",
                location,
                PolicyID=self.policy_id,
                PolicyVersion=self.version,
                PolicyType=self.policy_type,
                PolicyCategory=self.category or None,
                PolicyFlags=self.flags.value,
            ),
            PolicyAssignmentID=self.assignment_id,
            Action=self.action or None,
        )


@dataclass(frozen=True, slots=True)
class AssignmentsReply:
    """The site's answer. The client keeps ``server_cookie`` and sends it with its next request."""

    reply_type: ReplyType
    client_id: str
    site_code: str
    server_cookie: str
    assignments: tuple[PolicyAssignment, ...]
    resource_type: ResourceType = ResourceType.MACHINE

    def to_xml(self) -> str:
        """Return the reply's body."""
        return element(
            "ReplyAssignments",
            _identification(self.client_id, "", ""),
            element("PolicySource", f"SMS:{self.site_code}"),
            element("Resource", ResourceType=self.resource_type),
            element("ServerCookie", self.server_cookie),
            *(assignment.to_xml() for assignment in self.assignments),
            SchemaVersion="1.00",
            ReplyType=self.reply_type,
        )


def body_location(policy_id: str, version: str, *, scheme: str = "https") -> str:
    """Return where a body is, as an assignment says it: ``https://<mp>/SMS_MP/.sms_pol?{guid}.1_00``."""
    return f"{scheme}://{MP_PLACEHOLDER}/SMS_MP/.sms_pol?{policy_id}.{version.replace('.', '_')}"


def body_target(location: str) -> str:
    """Return the path and query of a location, from ``/`` on, for the client to append to the prefix that it uses.

    Raises:
        FieldError: the location has no placeholder for the host: a client must not follow it elsewhere.
    """
    scheme, separator, rest = location.partition("://")
    host, slash, target = rest.partition("/")
    if not separator or scheme.lower() not in {"http", "https"} or host.lower() != MP_PLACEHOLDER or not slash:
        raise FieldError(f"policy location without the placeholder {MP_PLACEHOLDER}: {location[:120]!r}")
    if not target.isascii() or not target.isprintable() or " " in target:
        raise FieldError("policy location with characters that no request target has")
    return slash + target


def parse_assignments_request(text: str) -> AssignmentsRequest:
    """Parse a request for assignments.

    Raises:
        MessagingError: XML that is refused, or a value that is missing or impossible.
    """
    root = safe_xml.parse(text, root="RequestAssignments", max_characters=MAX_REQUEST_CHARACTERS)
    machine = root.find("Identification/Machine")
    if machine is None:
        raise FieldError("<RequestAssignments> needs an <Identification> with a <Machine>")
    return AssignmentsRequest(
        client_id=normalise_smsid(required_text(machine, "ClientID")),
        site_code=_site_code(root),
        request_type=member(AssignmentsRequestType, root.get("RequestType", "Always"), "RequestType"),
        resource_type=_resource_type(root),
        server_cookie=_cookie(root),
        fqdn=child_text(machine, "FQDN"),
        netbios_name=child_text(machine, "NetBIOSName"),
    )


def parse_assignments_reply(text: str) -> AssignmentsReply:
    """Parse the site's answer. Elements that are not known are passed over.

    Raises:
        MessagingError: XML that is refused, or a value that is missing or impossible.
    """
    root = safe_xml.parse(text, root="ReplyAssignments")
    client_id = child_text(root, "Identification/Machine/ClientID")
    return AssignmentsReply(
        reply_type=member(ReplyType, root.get("ReplyType", "Full"), "ReplyType"),
        client_id=normalise_smsid(client_id) if client_id else "",
        site_code=_site_code(root),
        server_cookie=_cookie(root),
        assignments=tuple(_parse_assignment(node) for node in root.findall("PolicyAssignment")),
        resource_type=_resource_type(root),
    )


def _parse_assignment(node: Element) -> PolicyAssignment:
    policy = node.find("Policy")
    if policy is None:
        raise FieldError("<PolicyAssignment> needs a <Policy>")
    action = member(AssignmentAction, node.get("Action", ""), "Action")
    location = policy.find("PolicyLocation")
    if location is None and action is not AssignmentAction.DELETE:
        raise FieldError("<Policy> needs a <PolicyLocation>")
    condition = node.find("Condition")
    return PolicyAssignment(
        assignment_id=required_attribute(node, "PolicyAssignmentID"),
        policy_id=required_attribute(policy, "PolicyID"),
        version=required_attribute(policy, "PolicyVersion"),
        location=(location.text or "").strip() if location is not None else "",
        policy_type=policy.get("PolicyType", "Machine"),
        category=policy.get("PolicyCategory", ""),
        flags=PolicyFlags(integer(policy.get("PolicyFlags") or "0", "PolicyFlags", minimum=0, maximum=2**31)),
        hash_ex=location.get("PolicyHashEx", "") if location is not None else "",
        action=action,
        condition=parse_condition(condition) if condition is not None else None,
    )


def _identification(client_id: str, fqdn: str, netbios_name: str) -> Markup:
    machine = element(
        "Machine",
        element("ClientID", client_id),
        element("FQDN", fqdn),
        element("NetBIOSName", netbios_name),
        element("SID"),
    )
    return element("Identification", machine, element("User"))


def _site_code(root: Element) -> str:
    return child_text(root, "PolicySource").removeprefix("SMS:")


def _cookie(root: Element) -> str:
    cookie = child_text(root, "ServerCookie")
    if len(cookie) > _MAX_COOKIE_CHARACTERS:
        raise FieldError(f"ServerCookie is longer than {_MAX_COOKIE_CHARACTERS} characters")
    return cookie


def _resource_type(root: Element) -> ResourceType:
    node = root.find("Resource")
    return member(ResourceType, node.get("ResourceType", "Machine") if node is not None else "Machine", "ResourceType")
