"""State messages: small facts that a client tells when they change, carried in a report of their own.

Source: the messages that client logs in the product's documentation show ("State messaging in Configuration Manager").
What a topic type and a state mean is agreed between the site and the client.
"""

from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element

from causeway.messaging.errors import FieldError
from causeway.messaging.identifiers import format_cim_datetime, parse_cim_datetime
from causeway.messaging.safe_xml import Markup, element, integer, required_attribute


@dataclass(frozen=True, slots=True)
class StateMessage:
    """One state: of topic ``topic_id`` in the family ``topic_type``, since ``time``.

    ``criticality`` is 0 for information and grows; ``serial`` counts the client's messages; ``parameters`` are texts
    whose meaning the topic defines.
    """

    topic_id: str
    topic_type: int
    state_id: int
    time: datetime
    criticality: int = 0
    serial: int = 0
    parameters: tuple[str, ...] = ()

    def to_xml(self) -> Markup:
        """Return the ``<StateMessage>`` element."""
        return element(
            "StateMessage",
            element("Topic", ID=self.topic_id, Type=self.topic_type, IDType=0, User="", UserSID=""),
            element("State", ID=self.state_id, Criticality=self.criticality),
            element("StateDetails", Type=0),
            element(
                "UserParameters",
                *(element("Param", parameter) for parameter in self.parameters),
                Flags=0,
                Count=len(self.parameters),
            ),
            MessageTime=format_cim_datetime(self.time),
            SerialNumber=self.serial,
        )


def parse_state_message(node: Element) -> StateMessage:
    """Read a ``<StateMessage>`` element.

    Raises:
        FieldError: no topic or state, or a value that is impossible.
    """
    topic, state = node.find("Topic"), node.find("State")
    if topic is None or state is None:
        raise FieldError("<StateMessage> needs a <Topic> and a <State>")
    return StateMessage(
        topic_id=topic.get("ID", ""),
        topic_type=integer(required_attribute(topic, "Type"), "Type"),
        state_id=integer(required_attribute(state, "ID"), "ID"),
        time=parse_cim_datetime(required_attribute(node, "MessageTime")),
        criticality=integer(state.get("Criticality") or "0", "Criticality"),
        serial=integer(node.get("SerialNumber") or "0", "SerialNumber", minimum=0),
        parameters=tuple(child.text or "" for child in node.findall("UserParameters/Param")),
    )
