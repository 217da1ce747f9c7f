"""The drawing of a plan: who talks to whom, from which side, on which ports. Boxes and arrows as data."""

import dataclasses
from dataclasses import dataclass

from causeway.clouds import CLOUDS
from causeway.plan.document import Plan
from causeway.plan.firewall import tunnel_ports
from causeway.plan.names import cloud, deployment_name, has_own_domain
from causeway.plan.values import ClientAuthentication, Target

WIDTH = 1100
_GAP = 14
_LINE = 16
_CHARACTER = 6.7
"""Width of a character of the drawing's text, in pixels, a little more than it mostly is."""

_CLIENTS_X, _CLIENTS_WIDTH = 10, 210
_AZURE_X, _AZURE_WIDTH = 350, 330
_PREMISES_X, _PREMISES_WIDTH = 850, 230
_TOP = 30
_INDENT, _TRUNK_X = 34, _PREMISES_X + 14
"""How far what connection points connect to stands to the right of them, and where the line to it comes down."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with a title and lines under it; ``frame`` holds other boxes."""

    x: int
    y: int
    width: int
    height: int
    title: str
    lines: tuple[str, ...]
    frame: bool = False

    @property
    def middle(self) -> int:
        """Of its height."""
        return self.y + self.height // 2


@dataclass(frozen=True, slots=True)
class Arrow:
    """From who opens the connection to who accepts it, corner by corner, with the ports above the line."""

    points: tuple[tuple[int, int], ...]
    label: str

    @property
    def label_x(self) -> int:
        """Where the label's middle is."""
        return (self.points[0][0] + self.points[-1][0]) // 2

    @property
    def label_y(self) -> int:
        """Where the label's foot is."""
        return self.points[0][1] - 7


@dataclass(frozen=True, slots=True)
class Diagram:
    """The whole drawing."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    description: str


def diagram(plan: Plan) -> Diagram:
    """Clients on the left, Azure in the middle, the premises on the right."""
    clients = _box(_CLIENTS_X, _TOP + 30, _CLIENTS_WIDTH, f"{plan.clients.expected:,} clients", _client_lines(plan))
    azure = _stack(_AZURE_X, _AZURE_WIDTH, _azure_boxes(plan))
    reached = _reached(plan)
    premises = _stack(_PREMISES_X, _PREMISES_WIDTH, _premises_boxes(plan), reached)
    if plan.content.enabled:
        # As low as the storage account, which clients reach, too.
        clients = dataclasses.replace(clients, height=azure[-1].middle + 24 - clients.y)
    lowest = max(each.y + each.height for each in (*azure, *premises, clients)) + _GAP
    title = f"{CLOUDS[plan.azure.cloud].title}, {plan.azure.region}"
    frames = (
        Box(_AZURE_X - _GAP, 6, _AZURE_WIDTH + 2 * _GAP, lowest - 6, title, (), frame=True),
        Box(_PREMISES_X - _GAP, 6, _PREMISES_WIDTH + 2 * _GAP, lowest - 6, "On the premises", (), frame=True),
    )
    address, points = azure[0], premises[0]
    first, last = tunnel_ports(plan)
    ports = f"{first}" if first == last else f"{first} to {last}"
    arrows = [
        _across(clients.x + clients.width, address.x, address.middle, "443"),
        _across(points.x, address.x + address.width, points.y + 24, ports),
    ]
    arrows += [
        Arrow(((_TRUNK_X, points.y + points.height), (_TRUNK_X, each.middle), (each.x, each.middle)), "")
        for each in premises
        if each.title in reached
    ]
    if plan.content.enabled:
        storage = next(each for each in azure if each.title == "Storage account")
        arrows.append(_across(clients.x + clients.width, storage.x, storage.middle, "443"))
    return Diagram(
        WIDTH,
        lowest + 8,
        (*frames, clients, *azure, *premises),
        tuple(arrows),
        f"Clients connect to the gateway in {title} on port 443; connection points on the premises connect to it on "
        f"port {ports}, and to the site systems; nothing connects to the premises.",
    )


def _across(from_x: int, to_x: int, y: int, label: str) -> Arrow:
    return Arrow(((from_x, y), (to_x, y)), label)


def _reached(plan: Plan) -> frozenset[str]:
    """The titles of what connection points connect to; our own get the gateway settings from the site, too."""
    systems = {"Management points", "Software update points"}
    return frozenset(systems | {"Site server"} if plan.target is Target.CAUSEWAY and plan.site.host else systems)


def _client_lines(plan: Plan) -> tuple[str, ...]:
    words = {
        ClientAuthentication.CERTIFICATE: "client certificate",
        ClientAuthentication.ENTRA: "Entra ID",
        ClientAuthentication.TOKEN: "token of the site",
    }
    return ("on the internet, by", *(words[each] for each in plan.clients.authentication))


def _azure_boxes(plan: Plan) -> list[tuple[str, tuple[str, ...]]]:
    prefix, row = plan.names.prefix, cloud(plan)
    names = (
        (plan.names.service_name, f"→ {deployment_name(plan)}") if has_own_domain(plan) else (deployment_name(plan),)
    )
    found: list[tuple[str, tuple[str, ...]]] = [
        ("Public address", names),
        ("Scale set", (f"{plan.gateway.instances} of {plan.gateway.vm_size}",)),
        ("Key vault", (f"{prefix}.{row.vault_suffix}",)),
    ]
    if plan.content.enabled:
        found.append(("Storage account", (f"{prefix}.blob.{row.storage_suffix}",)))
    return found


def _premises_boxes(plan: Plan) -> list[tuple[str, tuple[str, ...]]]:
    found: list[tuple[str, tuple[str, ...]]] = [
        ("Connection points", tuple(each.host for each in plan.connection_point)),
        ("Management points", tuple(f"{each.host}:{each.port}" for each in plan.management_point)),
        ("Software update points", tuple(f"{each.host}:{each.port}" for each in plan.software_update_point)),
    ]
    site = plan.site.host or (plan.service_connection_point.host if plan.target is Target.CONFIGMGR else None)
    found.append(("Site server", (site,) if site else ()))
    scp = plan.service_connection_point.host
    found.append(("Service connection point", (scp,) if scp and scp != site else ()))
    if plan.proxy.url:
        found.append(("Web proxy to the internet", (plan.proxy.url,)))
    return [(title, lines) for title, lines in found if lines]


def _stack(
    x: int, width: int, contents: list[tuple[str, tuple[str, ...]]], indented: frozenset[str] = frozenset()
) -> list[Box]:
    found: list[Box] = []
    y = _TOP + 8
    for title, lines in contents:
        indent = _INDENT if title in indented else 0
        box = _box(x + indent, y, width - indent, title, lines)
        found.append(box)
        y += box.height + 2 * _GAP
    return found


def _box(x: int, y: int, width: int, title: str, lines: tuple[str, ...]) -> Box:
    fitted = tuple(part for line in lines for part in fit(line, int((width - 20) / _CHARACTER)))
    return Box(x, y, width, 34 + _LINE * len(fitted), title, fitted)


def fit(line: str, characters: int) -> list[str]:
    """``line`` in pieces of at most so many characters, broken behind a dot or a hyphen where there is one."""
    pieces = []
    while len(line) > characters:
        at = max(line.rfind(mark, characters // 3, characters) for mark in ".-") + 1 or characters
        pieces.append(line[:at])
        line = line[at:]
    return [*pieces, line]
