"""Paths: what the gateway finds published the connection point finds, too, and it never leaves the published folder."""

import posixpath
import ssl
from functools import cache
from urllib.parse import unquote_to_bytes

from causeway.connection_point.site_systems import SiteSystems
from causeway.gateway.publishing import PublishingTable
from causeway.gateway_settings import Authentication, Endpoint, GatewaySettings
from causeway.http import BadRequest, parse_request_head
from causeway.refusals import Refused

_INTERNAL = {
    "plain": ("/repository", "/internal/files"),
    "deep": ("/CCM_Proxy_MutualAuth/72057594037927937", "/SMS_MP_Folder"),
    "within": ("/repository/special", "/elsewhere"),
    "root": ("/bare", ""),
    "odd": ("/a.b~c!d$e{f}", "/odd"),
}


def check(data: bytes) -> bool:
    """``data`` is a request target."""
    if b"\r" in data:
        return False
    table, systems = _published()
    try:
        head = parse_request_head(b"GET " + data + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        route = table.find(head.path)
    except (BadRequest, Refused):
        return False
    if route.answer is not None:
        return True
    external, internal = (path.encode() for path in _INTERNAL[route.name.decode()])
    target = systems.routes[route.name].internal_target(head)
    rest = head.target[len(external) :]
    assert target == (internal + rest if internal or rest.startswith(b"/") else b"/" + rest)
    _stays_below(target.partition(b"?")[0], internal)
    return True


def _stays_below(path: bytes, folder: bytes) -> None:
    """However often a site system decodes it, and whatever it takes for a separator."""
    for _ in range(3):
        resolved = posixpath.normpath(path.replace(b"\\", b"/"))
        assert resolved == (folder or b"/") or resolved.startswith(folder + b"/"), resolved
        assert b"\0" not in path
        path = unquote_to_bytes(path)


@cache
def _published() -> tuple[PublishingTable, SiteSystems]:
    endpoints = tuple(
        Endpoint(
            name=name,
            path=external,
            upstream=f"https://server.example:8443{internal}",
            authentication=(Authentication.NONE,),
            methods=("GET",),
            max_body_bytes=0,
        )
        for name, (external, internal) in _INTERNAL.items()
    )
    settings = GatewaySettings(version=1, issued_at="2026-01-01T00:00:00Z", site_code="PS1", endpoints=endpoints)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    systems = SiteSystems(context, connect_timeout_s=1.0, idle_timeout_s=1.0, limit=1)
    systems.apply(settings)
    return PublishingTable(settings, {}), systems
