"""Policy bodies: what ``GET /SMS_MP/.sms_pol?<id>.<version>`` answers with.

A body is a ``<Policy>`` with rules whose actions carry instances of classes with properties. Which classes a site
sends is its own matter; :class:`ClientSettings` is the one that Causeway defines.

Source: public clients, for the element names and the two ways in which a body is compressed.
"""

import binascii
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar
from xml.etree.ElementTree import Element

from causeway.messaging import safe_xml
from causeway.messaging.errors import CompressionError, FieldError, SignatureError
from causeway.messaging.message import MAX_PLAINTEXT_BYTES, decompress
from causeway.messaging.safe_xml import element, integer, required_attribute
from causeway.messaging.text import decode_document, encode_utf16

_HASH_PREFIX = "SHA256:"
_MAX_MINUTES = 366 * 24 * 60


@dataclass(frozen=True, slots=True)
class PolicyInstance:
    """An instance of a class; property names and values in order."""

    class_name: str
    properties: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str | None:
        """Return the value of the property ``name``, or None."""
        return next((value for key, value in self.properties if key == name), None)


@dataclass(frozen=True, slots=True)
class PolicyBody:
    """A policy: its identity and the instances of all its rules."""

    policy_id: str
    version: str
    instances: tuple[PolicyInstance, ...]
    policy_type: str = "Machine"

    def to_xml(self) -> str:
        """Return the ``<Policy>`` document."""
        instances = (
            element(
                "instance",
                *(element("property", element("value", value), name=name) for name, value in one.properties),
                **{"class": one.class_name},
            )
            for one in self.instances
        )
        action = element("PolicyAction", *instances, PolicyActionType="WMI-XML")
        return element(
            "Policy",
            element("PolicyRule", action, PolicyRuleID="{00000000-0000-0000-0000-000000000001}"),
            PolicyID=self.policy_id,
            PolicyVersion=self.version,
            PolicyType=self.policy_type,
        )

    def to_bytes(self) -> bytes:
        """Return the document as it is served: UTF-16 little-endian with a byte order mark."""
        return encode_utf16(self.to_xml(), byte_order_mark=True)


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How often a Causeway device does what, in minutes. The class and property names are Causeway's own."""

    CLASS_NAME: ClassVar[str] = "CCM_ClientAgentConfig"

    polling_interval_minutes: int = 60
    heartbeat_interval_minutes: int = 24 * 60
    inventory_interval_minutes: int = 7 * 24 * 60

    def to_instance(self) -> PolicyInstance:
        """Return the settings as the instance that a policy body carries."""
        return PolicyInstance(
            self.CLASS_NAME,
            (
                ("PollingIntervalMinutes", str(self.polling_interval_minutes)),
                ("HeartbeatIntervalMinutes", str(self.heartbeat_interval_minutes)),
                ("InventoryIntervalMinutes", str(self.inventory_interval_minutes)),
            ),
        )

    @classmethod
    def from_body(cls, body: PolicyBody) -> "ClientSettings | None":
        """Return the settings in ``body``, or None when it carries none. A property left out has its default.

        Raises:
            FieldError: an interval that is not 1 minute to 366 days.
        """
        instance = next((one for one in body.instances if one.class_name == cls.CLASS_NAME), None)
        if instance is None:
            return None
        default = cls()
        return cls(
            _minutes(instance, "PollingIntervalMinutes", default.polling_interval_minutes),
            _minutes(instance, "HeartbeatIntervalMinutes", default.heartbeat_interval_minutes),
            _minutes(instance, "InventoryIntervalMinutes", default.inventory_interval_minutes),
        )


def parse_policy_body(data: bytes, *, max_bytes: int = MAX_PLAINTEXT_BYTES) -> PolicyBody:
    """Parse a body in the clear, compressed or not.

    Args:
        data: the body as served, after decryption where it was encrypted.
        max_bytes: the most that a compressed body may hold.

    Raises:
        MessagingError: too large, XML that is refused, or not a policy.
    """
    text = decode_document(data)
    root = safe_xml.parse(text, max_characters=max_bytes)
    if root.tag == "PolicyXML":
        root = _decompressed(root, max_bytes)
    if root.tag != "Policy":
        raise FieldError(f"expected <Policy>, got <{root.tag[:80]}>")
    return PolicyBody(
        policy_id=required_attribute(root, "PolicyID"),
        version=required_attribute(root, "PolicyVersion"),
        instances=tuple(_parse_instances(root)),
        policy_type=root.get("PolicyType", "Machine"),
    )


def hash_body(data: bytes) -> str:
    """Return the ``PolicyHashEx`` of a body: SHA-256 of the bytes served in the clear, byte order mark included.

    The schema names the attribute without saying what it covers; this is Causeway's reading.
    """
    return _HASH_PREFIX + hashlib.sha256(data).hexdigest().upper()


def check_hash(data: bytes, hash_ex: str) -> None:
    """Check a body in the clear against its assignment; the hash may be over it with or without byte order mark.

    Raises:
        SignatureError: the hash is malformed, of another algorithm, or does not match.
    """
    if not hash_ex.startswith(_HASH_PREFIX):
        raise SignatureError("the policy's hash is not SHA-256")
    candidates = (hash_body(data), hash_body(data.removeprefix(b"\xff\xfe")))
    if not any(hmac.compare_digest(one.encode("ascii"), hash_ex.upper().encode()) for one in candidates):
        raise SignatureError("the policy body does not have the hash that its assignment names")


def _minutes(instance: PolicyInstance, name: str, default: int) -> int:
    text = instance.get(name)
    return default if text is None else integer(text, name, minimum=1, maximum=_MAX_MINUTES)


def _decompressed(node: Element, max_bytes: int) -> Element:
    if node.get("Compression", "").lower() != "zlib":
        raise CompressionError("a compressed policy names another compression than zlib")
    try:
        packed = binascii.unhexlify("".join((node.text or "").split()))
    except (binascii.Error, ValueError):
        raise CompressionError("a compressed policy is not hex") from None
    return safe_xml.parse(decode_document(decompress(packed, max_bytes=max_bytes)), max_characters=max_bytes)


def _parse_instances(root: Element) -> Iterator[PolicyInstance]:
    for node in root.iterfind("PolicyRule/PolicyAction/instance"):
        properties = tuple(
            (required_attribute(one, "name"), one.findtext("value") or "") for one in node.findall("property")
        )
        yield PolicyInstance(required_attribute(node, "class"), properties)
