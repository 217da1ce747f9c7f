"""Location, endpoint ``MP_LocationManager``: the site, and its management points.

Requests and replies in both directions; :mod:`causeway.messaging.content_location` has those for content and updates.

Source: 2007 SDK, Management Point Message Schema; and what public clients send and accept.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from xml.etree.ElementTree import Element

from causeway.messaging import safe_xml
from causeway.messaging.safe_xml import Markup, child_text, element, member, required_attribute
from causeway.messaging.site_description import Site

MAX_REQUEST_CHARACTERS = 256 * 1024
SCHEMA_VERSION = "1.00"


@dataclass(frozen=True, slots=True)
class SiteInformationRequest:
    """What is the site ``site_code``? Answered with :class:`SiteInformationReply`."""

    ROOT: ClassVar[str] = "SiteInformationRequest"

    site_code: str

    def to_xml(self) -> str:
        """Return the request's body."""
        return element(self.ROOT, element("SiteCode", Name=self.site_code), SchemaVersion=SCHEMA_VERSION)

    @classmethod
    def from_element(cls, root: Element) -> "SiteInformationRequest":
        """Read the request from its root element."""
        return cls(site_code_of(root, "SiteCode", "Name"))


@dataclass(frozen=True, slots=True)
class AssignedSiteRequest:
    """Which site is mine? Answered with :class:`AssignedSiteReply`."""

    ROOT: ClassVar[str] = "AssignedSiteRequest"

    def to_xml(self) -> str:
        """Return the request's body."""
        return element(self.ROOT, SchemaVersion=SCHEMA_VERSION)

    @classmethod
    def from_element(cls, root: Element) -> "AssignedSiteRequest":  # noqa: ARG003 - it says nothing but its name
        """Read the request from its root element."""
        return cls()


class MPRequestType(StrEnum):
    """Which management points are asked for."""

    ASSIGNED = "Assigned"
    PROXY = "Proxy"
    LOCAL = "Local"


@dataclass(frozen=True, slots=True)
class MPLocationRequest:
    """Which management points does the site have? Answered with :class:`MPLocationReply`."""

    ROOT: ClassVar[str] = "EnumerateMPLocationRequest"

    site_code: str
    request_type: MPRequestType = MPRequestType.ASSIGNED
    on_internet: bool = True

    def to_xml(self) -> str:
        """Return the request's body."""
        return element(
            self.ROOT,
            element("ClientLocationInfo", element("ADSite"), element("IPAddresses"), OnInternet=int(self.on_internet)),
            element("SiteCode", Name=self.site_code),
            SchemaVersion=SCHEMA_VERSION,
            RequestType=self.request_type,
        )

    @classmethod
    def from_element(cls, root: Element) -> "MPLocationRequest":
        """Read the request from its root element.

        Raises:
            FieldError: a request type that is not known.
        """
        information = root.find("ClientLocationInfo")
        return cls(
            site_code_of(root, "SiteCode", "Name"),
            member(MPRequestType, root.get("RequestType", MPRequestType.ASSIGNED), "RequestType"),
            information is not None and flag(information, "OnInternet"),
        )


@dataclass(frozen=True, slots=True)
class SiteInformationReply:
    """The sites that were asked for; none when the code is not known."""

    sites: tuple[Site, ...]

    def to_xml(self) -> str:
        """Return the reply's body."""
        sites = element("Sites", *(site.to_xml() for site in self.sites))
        return element("SiteInfoReply", sites, SchemaVersion=SCHEMA_VERSION)


@dataclass(frozen=True, slots=True)
class AssignedSiteReply:
    """The site that the client belongs to."""

    site: Site

    def to_xml(self) -> str:
        """Return the reply's body."""
        return element("AssignedSiteReply", self.site.to_xml(), SchemaVersion=SCHEMA_VERSION)


@dataclass(frozen=True, slots=True)
class MPRecord:
    """A management point: its names towards the internet and the intranet (either may be empty), and its build."""

    internet_name: str
    intranet_name: str
    version: str = ""
    capabilities: tuple[tuple[str, str], ...] = ()

    def to_xml(self) -> Markup:
        """Return the ``<LocationRecord>`` element."""
        return element(
            "LocationRecord",
            capabilities_to_xml(self.capabilities),
            element("InternetName", Value=self.internet_name),
            element("IntranetName", Value=self.intranet_name),
            element("Windows", Trust=0),
            element("Version", self.version),
        )


@dataclass(frozen=True, slots=True)
class MPLocationReply:
    """The site's management points, the preferred one first."""

    site_code: str
    records: tuple[MPRecord, ...]

    def to_xml(self) -> str:
        """Return the reply's body."""
        records = element("LocationRecords", *(record.to_xml() for record in self.records))
        return element(
            "EnumerateMPLocationReply",
            element("MPSite", SiteCode=self.site_code),
            records,
            SchemaVersion=SCHEMA_VERSION,
        )


def parse_site_information_reply(text: str) -> SiteInformationReply:
    """Parse the reply to a :class:`SiteInformationRequest`.

    Raises:
        MessagingError: XML that is refused, or a value that is missing or impossible.
    """
    root = safe_xml.parse(text, root="SiteInfoReply")
    return SiteInformationReply(tuple(Site.from_element(node) for node in root.findall("Sites/Site")))


def parse_assigned_site_reply(text: str) -> AssignedSiteReply:
    """Parse the reply to an :class:`AssignedSiteRequest`.

    Raises:
        MessagingError: XML that is refused, or a value that is missing or impossible.
    """
    root = safe_xml.parse(text, root="AssignedSiteReply")
    site = root.find("Site")
    return AssignedSiteReply(Site.from_element(site if site is not None else root))


def parse_mp_location_reply(text: str) -> MPLocationReply:
    """Parse the reply to an :class:`MPLocationRequest`.

    Raises:
        MessagingError: XML that is refused, or a value that is missing or impossible.
    """
    root = safe_xml.parse(text, root="EnumerateMPLocationReply")
    return MPLocationReply(
        site_code_of(root, "MPSite", "SiteCode"),
        tuple(
            MPRecord(
                _name(node, "InternetName"),
                _name(node, "IntranetName"),
                child_text(node, "Version"),
                parse_capabilities(node),
            )
            for node in root.findall("LocationRecords/LocationRecord")
        ),
    )


def capabilities_to_xml(capabilities: tuple[tuple[str, str], ...]) -> Markup:
    """Return a ``<Capabilities>`` element with a property for each pair, such as ``("SSLState", "63")``."""
    return element(
        "Capabilities",
        *(element("Property", Name=name, Value=value) for name, value in capabilities),
        SchemaVersion="1.0",
    )


def parse_capabilities(parent: Element) -> tuple[tuple[str, str], ...]:
    """Return the pairs of the ``<Capabilities>`` in ``parent``; none when there is no such element."""
    nodes = parent.findall("Capabilities/Property")
    return tuple((required_attribute(node, "Name"), node.get("Value", "")) for node in nodes)


def site_code_of(root: Element, child: str, attribute: str) -> str:
    """Return a site code that stands in an attribute of a child; empty when the sender does not know it."""
    node = root.find(child)
    return node.get(attribute, "").strip() if node is not None else ""


def flag(node: Element, name: str) -> bool:
    """Return whether an attribute is ``1`` or ``true``."""
    return node.get(name, "").strip().lower() in {"1", "true"}


def _name(node: Element, child: str) -> str:
    found = node.find(child)
    return found.get("Value", "") if found is not None else ""
