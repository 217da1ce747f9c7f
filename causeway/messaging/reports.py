"""Reports: heartbeat, hardware and software inventory, state messages, and others of the same skeleton.

A report has a header (who, what kind, when) and a body of instances: class names with properties. Instances of classes
that nobody here knows are kept as they are; what is not an instance is passed over.

Source: 2007 SDK, Management Point Message Schema; DMTF DSP0004 for the form of dates.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from xml.etree.ElementTree import Element

from causeway.messaging import safe_xml
from causeway.messaging.errors import FieldError, TooLargeError
from causeway.messaging.identifiers import format_cim_datetime, normalise_smsid, parse_cim_datetime
from causeway.messaging.message import MAX_PLAINTEXT_BYTES, Message
from causeway.messaging.safe_xml import Markup, child_text, element, member, required_text
from causeway.messaging.state_messages import StateMessage, parse_state_message
from causeway.messaging.text import decode_utf16, encode_utf16

MAX_INSTANCES = 100_000
CLIENT_VERSION = "5.00.9128.1000"


class ReportKind(StrEnum):
    """What a report is about; OTHER is a kind that is not known here."""

    HARDWARE_INVENTORY = "hardware-inventory"
    SOFTWARE_INVENTORY = "software-inventory"
    HEARTBEAT = "heartbeat"
    STATE_MESSAGES = "state-messages"
    SOFTWARE_METERING = "software-metering"
    OTHER = "other"


class ReportType(StrEnum):
    """Whether a report replaces what the site knows or changes it; RESYNC also restarts its numbering."""

    FULL = "Full"
    DELTA = "Delta"
    RESYNC = "Resync"


_ACTIONS = {
    ReportKind.HARDWARE_INVENTORY: "{00000000-0000-0000-0000-000000000001}",
    ReportKind.SOFTWARE_INVENTORY: "{00000000-0000-0000-0000-000000000002}",
    ReportKind.HEARTBEAT: "{00000000-0000-0000-0000-000000000003}",
}
_KINDS_BY_ACTION = {action: kind for kind, action in _ACTIONS.items()}
_CONTENTS = {
    ReportKind.STATE_MESSAGES: "State Message Data",
    ReportKind.SOFTWARE_METERING: "Software Metering Data",
}
_KINDS_BY_CONTENT = {content.lower(): kind for kind, content in _CONTENTS.items()}
_INVENTORY_CONTENT = "Inventory Data"


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance of a class: its properties in order. ``content`` is ``New``, ``Update`` or ``Delete``."""

    class_name: str
    properties: tuple[tuple[str, str], ...]
    namespace: str = ""
    content: str = "New"

    def get(self, name: str) -> str | None:
        """Return the value of the first property ``name``, or None."""
        return next((value for key, value in self.properties if key == name), None)

    def to_xml(self) -> Markup:
        """Return the ``<Instance>`` element.

        Raises:
            FieldError: the class or a property has a name that cannot be an element's.
        """
        properties = (element(name, value) for name, value in self.properties)
        return element(
            "Instance",
            element(self.class_name, *properties),
            Content=self.content,
            Namespace=self.namespace,
            Class=self.class_name,
            ParentClass=self.class_name,
        )


@dataclass(frozen=True, slots=True)
class Report:
    """A report as parsed or to be sent.

    ``action_id`` is the InventoryActionID in braces; empty in reports that have none, and filled from the kind when a
    report is written.
    """

    kind: ReportKind
    client_id: str
    date: datetime
    type: ReportType = ReportType.FULL
    instances: tuple[Instance, ...] = ()
    state_messages: tuple[StateMessage, ...] = ()
    netbios_name: str = ""
    client_version: str = CLIENT_VERSION
    content: str = ""
    action_id: str = ""

    def by_class(self) -> dict[str, list[dict[str, str]]]:
        """Return the instances as class name → properties of each instance; of a repeated property the last value."""
        found: dict[str, list[dict[str, str]]] = {}
        for instance in self.instances:
            found.setdefault(instance.class_name, []).append(dict(instance.properties))
        return found

    def to_xml(self, *, body: bool = True) -> str:
        """Return the ``<Report>``; without its ``<ReportBody>`` when only the header is wanted.

        Raises:
            FieldError: a class or property has a name that cannot be an element's.
        """
        action_id = self.action_id or _ACTIONS.get(self.kind, "")
        action = element("InventoryAction", element("InventoryActionID", action_id), ActionType="Predefined")
        header = element(
            "ReportHeader",
            element("Identification", self._machine()),
            element(
                "ReportDetails",
                element("ReportContent", self.content or _CONTENTS.get(self.kind, _INVENTORY_CONTENT)),
                element("ReportType", self.type),
                element("Date", format_cim_datetime(self.date)),
                element("Version", "1.0"),
                element("Format", "1.1"),
            ),
            action if action_id else None,
        )
        if not body:
            return element("Report", header)
        instances = [instance.to_xml() for instance in self.instances]
        states = [state.to_xml() for state in self.state_messages]
        return element("Report", header, element("ReportBody", *instances, *states))

    def to_attachment(self, name: str) -> tuple[str, bytes]:
        """Return the whole report as an attachment of a message, whose body then holds the header alone."""
        return name, encode_utf16(self.to_xml(), terminated=True)

    def _machine(self) -> Markup:
        return element(
            "Machine",
            element("ClientInstalled", "1"),
            element("ClientType", "1"),
            element("ClientID", self.client_id),
            element("ClientVersion", self.client_version),
            element("NetBIOSName", self.netbios_name),
            element("CodePage", "437"),
            element("SystemDefaultLCID", "1033"),
            element("Priority", "5"),
        )


def parse_report(text: str) -> Report:
    """Parse one report.

    Raises:
        MessagingError: XML that is refused, too many instances, or a header without client identity or date.
    """
    root = safe_xml.parse(text, root="Report")
    header = root.find("ReportHeader")
    if header is None:
        raise FieldError("<Report> needs a <ReportHeader>")
    content = child_text(header, "ReportDetails/ReportContent")
    action_id = child_text(header, "InventoryAction/InventoryActionID")
    body = root.find("ReportBody")
    if body is not None and len(body) > MAX_INSTANCES:
        raise TooLargeError(f"a report with more than {MAX_INSTANCES} instances")
    machine = "Identification/Machine/"
    return Report(
        kind=_kind_of(action_id, content),
        client_id=normalise_smsid(required_text(header, machine + "ClientID")),
        date=parse_cim_datetime(required_text(header, "ReportDetails/Date")),
        type=member(ReportType, child_text(header, "ReportDetails/ReportType", "Full"), "ReportType"),
        instances=tuple(_parse_instances(body)) if body is not None else (),
        state_messages=tuple(parse_state_message(node) for node in body.findall("StateMessage"))
        if body is not None
        else (),
        netbios_name=child_text(header, machine + "NetBIOSName"),
        client_version=child_text(header, machine + "ClientVersion"),
        content=content,
        action_id=action_id,
    )


def report_of(message: Message, *, max_bytes: int = MAX_PLAINTEXT_BYTES) -> Report:
    """Return the report that a message carries.

    A heartbeat's body is the header of its report, and the whole report is an attachment; others have it in the body.

    Raises:
        MessagingError: as :meth:`Message.attachments` and :func:`parse_report`; or the attachment is of another client
            than the body.
    """
    report = parse_report(message.body_text(max_bytes=max_bytes))
    for content in message.attachments(max_bytes=max_bytes).values():
        attached = parse_report(decode_utf16(content))
        if attached.client_id != report.client_id:
            raise FieldError("the attached report is another client's")
        if attached.instances:
            return attached
    return report


def _kind_of(action_id: str, content: str) -> ReportKind:
    by_content = _KINDS_BY_CONTENT.get(content.lower())
    return by_content or _KINDS_BY_ACTION.get(action_id.lower(), ReportKind.OTHER)


def _parse_instances(body: Element) -> Iterator[Instance]:
    for node in body.iterfind("Instance"):
        name = node.get("Class", "")
        # The properties are one level down, in an element that repeats the class name.
        inner = node.find("./*")
        if not name and inner is not None:
            name = inner.tag
        if not name:
            continue
        yield Instance(
            class_name=name,
            properties=tuple((child.tag, child.text or "") for child in inner) if inner is not None else (),
            namespace=node.get("Namespace", ""),
            content=node.get("Content", "New"),
        )
