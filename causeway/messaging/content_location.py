"""Location of content and of update services, endpoint ``MP_LocationManager``; and the parser of every request there.

Source: 2007 SDK, Management Point Message Schema; and what public clients send and accept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar
from xml.etree.ElementTree import Element

from causeway.messaging import safe_xml
from causeway.messaging.errors import UnsupportedError
from causeway.messaging.location import (
    MAX_REQUEST_CHARACTERS,
    SCHEMA_VERSION,
    AssignedSiteRequest,
    MPLocationRequest,
    SiteInformationRequest,
    capabilities_to_xml,
    flag,
    parse_capabilities,
    site_code_of,
)
from causeway.messaging.safe_xml import Markup, child_text, element, required_attribute


@dataclass(frozen=True, slots=True)
class ContentLocationRequest:
    """Where is version ``package_version`` of a package? An empty ``package_id`` asks for the client's own package.

    ``location_type`` is ``SMSPackage`` or ``SMSUpdate``; the flags say what the client can use: Azure storage, an
    internet-facing distribution point, a token for authentication.
    """

    ROOT: ClassVar[str] = "ContentLocationRequest"

    site_code: str
    package_id: str
    package_version: str = ""
    location_type: str = "SMSPackage"
    use_azure: bool = True
    use_internet_dp: bool = False
    token_authentication: bool = False

    def to_xml(self) -> str:
        """Return the request's body."""
        return element(
            self.ROOT,
            element("Package", ID=self.package_id, Version=self.package_version)
            if self.package_id
            else element("ClientPackage", RequestForLatest=0),
            element("AssignedSite", SiteCode=self.site_code),
            element(
                "ClientLocationInfo",
                LocationType=self.location_type,
                UseAzure=int(self.use_azure),
                UseInternetDP=int(self.use_internet_dp),
                DPTokenAuth=int(self.token_authentication),
                AllowHTTP=1,
                AllowSMB=0,
                AllowMulticast=0,
            ),
            SchemaVersion=SCHEMA_VERSION,
            BGRVersion=1,
        )

    @classmethod
    def from_element(cls, root: Element) -> "ContentLocationRequest":
        """Read the request from its root element."""
        package = root.find("Package")
        information = root.find("ClientLocationInfo")
        if information is None:
            information = Element("ClientLocationInfo")
        return cls(
            site_code=site_code_of(root, "AssignedSite", "SiteCode"),
            package_id=package.get("ID", "") if package is not None else "",
            package_version=package.get("Version", "") if package is not None else "",
            location_type=information.get("LocationType", "SMSPackage"),
            use_azure=flag(information, "UseAzure"),
            use_internet_dp=flag(information, "UseInternetDP"),
            token_authentication=flag(information, "DPTokenAuth"),
        )


@dataclass(frozen=True, slots=True)
class UpdateLocationRequest:
    """Which update services server? ``content_id`` and ``content_version`` name the update source of the site."""

    ROOT: ClassVar[str] = "WSUSLocationRequest"

    site_code: str
    content_id: str = ""
    content_version: str = ""
    on_internet: bool = True

    def to_xml(self) -> str:
        """Return the request's body."""
        return element(
            self.ROOT,
            element("AssignedSite", SiteCode=self.site_code),
            element("Content", ID=self.content_id, Version=self.content_version),
            element("ClientLocationInfo", OnInternet=int(self.on_internet)),
            SchemaVersion=SCHEMA_VERSION,
        )

    @classmethod
    def from_element(cls, root: Element) -> "UpdateLocationRequest":
        """Read the request from its root element."""
        content = root.find("Content")
        information = root.find("ClientLocationInfo")
        return cls(
            site_code_of(root, "AssignedSite", "SiteCode"),
            content.get("ID", "") if content is not None else "",
            content.get("Version", "") if content is not None else "",
            information is not None and flag(information, "OnInternet"),
        )


LocationRequest = (
    SiteInformationRequest | AssignedSiteRequest | MPLocationRequest | ContentLocationRequest | UpdateLocationRequest
)

_READERS: dict[str, Callable[[Element], LocationRequest]] = {
    SiteInformationRequest.ROOT: SiteInformationRequest.from_element,
    AssignedSiteRequest.ROOT: AssignedSiteRequest.from_element,
    MPLocationRequest.ROOT: MPLocationRequest.from_element,
    ContentLocationRequest.ROOT: ContentLocationRequest.from_element,
    UpdateLocationRequest.ROOT: UpdateLocationRequest.from_element,
}


def parse_location_request(text: str) -> LocationRequest:
    """Parse any request to ``MP_LocationManager``.

    Raises:
        UnsupportedError: a request that is not among :data:`LocationRequest`.
        MessagingError: XML that is refused, or a value that is impossible.
    """
    root = safe_xml.parse(text, max_characters=MAX_REQUEST_CHARACTERS)
    reader = _READERS.get(root.tag)
    if reader is None:
        raise UnsupportedError(f"location request <{root.tag[:80]}> is not served")
    return reader(root)


@dataclass(frozen=True, slots=True)
class ContentRecord:
    """One place of a content. ``server_name`` is the distribution point's; capabilities are name and value pairs."""

    url: str
    server_name: str = ""
    version: str = ""
    capabilities: tuple[tuple[str, str], ...] = ()

    def to_xml(self) -> Markup:
        """Return the ``<LocationRecord>`` element."""
        return element(
            "LocationRecord",
            element("URL", Name=self.url),
            element("ADSite"),
            element("IPSubnets"),
            element("Metric"),
            element("Version", self.version),
            capabilities_to_xml(self.capabilities),
            element("ServerRemoteName", self.server_name),
        )


@dataclass(frozen=True, slots=True)
class ContentLocationReply:
    """Where the content is, the preferred place first; none when it is nowhere."""

    site_code: str
    records: tuple[ContentRecord, ...]

    def to_xml(self) -> str:
        """Return the reply's body."""
        return _reply("ContentLocationReply", self.site_code, [record.to_xml() for record in self.records])


@dataclass(frozen=True, slots=True)
class UpdateServer:
    """An update services server: its URL with port, its name, and the version of its catalogue."""

    url: str
    server_name: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class UpdateLocationReply:
    """The update services servers, the preferred one first."""

    site_code: str
    servers: tuple[UpdateServer, ...]

    def to_xml(self) -> str:
        """Return the reply's body."""
        records = [
            element("LocationRecord", WSUSURL=one.url, ServerName=one.server_name, Version=one.version)
            for one in self.servers
        ]
        return _reply("WSUSLocationReply", self.site_code, records)


def parse_content_location_reply(text: str) -> ContentLocationReply:
    """Parse the reply to a :class:`ContentLocationRequest`.

    Raises:
        MessagingError: XML that is refused, or a value that is missing or impossible.
    """
    root = safe_xml.parse(text, root="ContentLocationReply")
    records: list[ContentRecord] = []
    for node in root.findall("Sites/Site/LocationRecords/LocationRecord"):
        url = node.find("URL")
        if url is not None:
            records.append(
                ContentRecord(
                    required_attribute(url, "Name"),
                    child_text(node, "ServerRemoteName"),
                    child_text(node, "Version"),
                    parse_capabilities(node),
                )
            )
    return ContentLocationReply(site_code_of(root, "Sites/Site/MPSite", "SiteCode"), tuple(records))


def parse_update_location_reply(text: str) -> UpdateLocationReply:
    """Parse the reply to an :class:`UpdateLocationRequest`.

    Raises:
        MessagingError: XML that is refused, or a value that is missing or impossible.
    """
    root = safe_xml.parse(text, root="WSUSLocationReply")
    servers = tuple(
        UpdateServer(required_attribute(node, "WSUSURL"), node.get("ServerName", ""), node.get("Version", ""))
        for node in root.findall("Sites/Site/LocationRecords/LocationRecord")
    )
    return UpdateLocationReply(site_code_of(root, "Sites/Site/MPSite", "SiteCode"), servers)


def _reply(root: str, site_code: str, records: list[Markup]) -> str:
    site = element("Site", element("MPSite", SiteCode=site_code), element("LocationRecords", *records))
    return element(root, element("Sites", site), SchemaVersion=SCHEMA_VERSION)
