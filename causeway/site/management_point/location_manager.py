"""``MP_LocationManager``: where things are. Unsigned requests are answered: a device asks before it is registered."""

from urllib.parse import urlsplit

from causeway.messaging.content_location import (
    ContentLocationReply,
    ContentLocationRequest,
    ContentRecord,
    UpdateLocationReply,
    UpdateLocationRequest,
    UpdateServer,
    parse_location_request,
)
from causeway.messaging.location import (
    AssignedSiteReply,
    AssignedSiteRequest,
    MPLocationReply,
    MPLocationRequest,
    MPRecord,
    SiteInformationReply,
    SiteInformationRequest,
)
from causeway.messaging.signatures import encode_certificate
from causeway.messaging.site_description import SecurityConfiguration, Site
from causeway.site.context import InForce
from causeway.site.management_point.exchange import Exchange
from causeway.site.settings.virtual_directories import MUTUAL_AUTH

ENDPOINT = "MP_LocationManager"

# The build that a management point of version 2309 tells; clients compare it and ask for nothing newer then.
BUILD = "9128"
VERSION = f"5.00.{BUILD}.1000"
HTTPS_CAPABILITIES = (("SSLState", "63"),)


def answer(exchange: Exchange) -> str:
    """Return the body of the reply.

    Raises:
        MessagingError: it cannot be read, or asks for something that is not served.
    """
    in_force = exchange.in_force
    request = parse_location_request(exchange.body())
    match request:
        case SiteInformationRequest():
            known = request.site_code.upper() in {"", in_force.config.site.code}
            return SiteInformationReply((_site(in_force),) if known else ()).to_xml()
        case AssignedSiteRequest():
            return AssignedSiteReply(_site(in_force)).to_xml()
        case MPLocationRequest():
            return _management_points(in_force)
        case ContentLocationRequest():
            return _content(in_force, request)
        case UpdateLocationRequest():
            return _updates(in_force)


def _site(in_force: InForce) -> Site:
    config = in_force.config
    return Site(
        site_code=config.site.code,
        version=VERSION,
        build_number=BUILD,
        default_mp=config.server.public_name,
        security=SecurityConfiguration(
            http_port=config.server.http_port or 80,
            https_port=config.server.port,
            site_signing_certificate=encode_certificate(in_force.site_signing.certificate),
        ),
    )


def _management_points(in_force: InForce) -> str:
    config = in_force.config
    record = MPRecord(
        internet_name=f"{config.gateway.service_name}{MUTUAL_AUTH}/{config.management_point.role_id}",
        intranet_name=config.server.public_name,
        version=BUILD,
        capabilities=HTTPS_CAPABILITIES,
    )
    return MPLocationReply(config.site.code, (record,)).to_xml()


def _content(in_force: InForce, request: ContentLocationRequest) -> str:
    config = in_force.config
    # Without a package the client asks for its own; that one is not kept here.
    points = config.locations.distribution_points if request.package_id else ()
    records = tuple(
        ContentRecord(
            url=f"{point.rstrip('/')}/{request.package_id}",
            server_name=urlsplit(point).hostname or "",
            version=BUILD,
            capabilities=HTTPS_CAPABILITIES if point.startswith("https:") else (),
        )
        for point in points
    )
    return ContentLocationReply(config.site.code, records).to_xml()


def _updates(in_force: InForce) -> str:
    config = in_force.config
    servers = tuple(
        UpdateServer(server.url, urlsplit(server.url).hostname or "", str(server.version))
        for server in config.locations.update_server
    )
    return UpdateLocationReply(config.site.code, servers).to_xml()
