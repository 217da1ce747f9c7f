"""Every connection that must be let through, from the server that makes it.

All of them go out: nothing on the premises is reached from the internet. Source: Microsoft's "Data flow for CMG" and
"Internet access requirements"; for our own gateway, its own design.
"""

from dataclasses import dataclass

from causeway.plan.document import Plan
from causeway.plan.fact import Fact
from causeway.plan.groups import client_certificates_wanted
from causeway.plan.machines import workers
from causeway.plan.names import cloud, deployment_name, has_own_domain
from causeway.plan.values import ClientAuthentication, ManagementPointMode, Target

TOPIC = "Firewall"
FIRST_TUNNEL_PORT = 10124
CLIENTS = "clients on the internet"
GATEWAY = "gateway instances"
ADMINISTRATOR = "administrator's workstation"


@dataclass(frozen=True, slots=True)
class Flow:
    """One rule.

    Attributes:
        source: the full name of a server, or what stands for many.
        destination: host name.
        first_port: TCP.
        last_port: TCP; the same where it is one.
        protocol: what is spoken.
        internet: whether it leaves the premises, and so goes through the web proxy where one is set.
        purpose: what for.
        optional: whether the gateway works without it; the purpose says what does not.
    """

    source: str
    destination: str
    first_port: int
    last_port: int
    protocol: str
    internet: bool
    purpose: str
    optional: bool = False

    @property
    def through_proxy(self) -> bool:
        """Whether the web proxy of the premises, where there is one, is on the way."""
        return self.internet and self.source not in (CLIENTS, GATEWAY)

    @property
    def ports(self) -> str:
        """``443`` or ``10124-10127``."""
        return str(self.first_port) if self.first_port == self.last_port else f"{self.first_port}-{self.last_port}"


def tunnel_ports(plan: Plan) -> tuple[int, int]:
    """The first and the last port that connection points dial at the gateway.

    Microsoft's: 443 with one instance; with more, instance 1 is 10124, instance 2 is 10125 and so on. Ours: a port for
    each worker of each instance.
    """
    if plan.target is Target.CONFIGMGR:
        if plan.gateway.instances == 1:
            return 443, 443
        return FIRST_TUNNEL_PORT, FIRST_TUNNEL_PORT + plan.gateway.instances - 1
    return FIRST_TUNNEL_PORT, FIRST_TUNNEL_PORT + plan.gateway.instances * workers(plan.gateway.vm_size) - 1


def flows(plan: Plan) -> tuple[Flow, ...]:
    """Every rule, those of one server together."""
    found: list[Flow] = []
    for each in plan.connection_point:
        found += _of_connection_point(plan, each.host)
    found += _of_service_connection_point(plan)
    found += _of_clients(plan)
    if plan.target is Target.CAUSEWAY:
        found += _of_gateway(plan)
    found += _of_administrator(plan)
    return tuple(dict.fromkeys(found))


def _https(source: str, destination: str, purpose: str, *, internet: bool = True, optional: bool = False) -> Flow:
    return Flow(source, destination, 443, 443, "HTTPS", internet, purpose, optional)


def _of_connection_point(plan: Plan, host: str) -> list[Flow]:
    first, last = tunnel_ports(plan)
    found = [
        Flow(
            host,
            deployment_name(plan),
            first,
            last,
            "TLS" if plan.target is Target.CAUSEWAY else "HTTPS",
            True,
            "tunnels to every worker of every instance"
            if plan.target is Target.CAUSEWAY
            else "channel to each instance, held open",
        )
    ]
    if plan.target is Target.CONFIGMGR:
        suffix = cloud(plan)
        why = "listed by Microsoft for connection points, though another paragraph says the gateway alone is enough"
        listed = (f"blob.{suffix.storage_suffix}", f"table.{suffix.storage_suffix}", suffix.vault_suffix)
        found += [_https(host, f"{plan.names.prefix}.{name}", why, optional=True) for name in listed]
    elif plan.site.host:
        found.append(
            Flow(host, plan.site.host, plan.site.port, plan.site.port, "HTTPS", False, "gateway settings from the site")
        )
    found += [
        _inside(host, point.host, point.port, point.mode is not ManagementPointMode.HTTP, "the management point")
        for point in plan.management_point
    ]
    found += [
        _inside(host, point.host, point.port, point.tls, "the software update point")
        for point in plan.software_update_point
    ]
    return found


def _inside(host: str, destination: str, port: int, tls: bool, whose: str) -> Flow:
    return Flow(host, destination, port, port, "HTTPS" if tls else "HTTP", False, f"requests to {whose}")


def _of_service_connection_point(plan: Plan) -> list[Flow]:
    host, row = plan.service_connection_point.host, cloud(plan)
    if host is None:
        return []
    found = [
        _https(host, row.resource_manager, "deploys and looks after the gateway"),
        _https(host, row.authority, "signs in to Azure"),
    ]
    if ClientAuthentication.ENTRA in plan.clients.authentication:
        found.append(_https(host, row.graph, "discovers users and applications in Entra ID"))
    if plan.content.enabled:
        found.append(_https(host, f"{plan.names.prefix}.blob.{row.storage_suffix}", "uploads content, fetches logs"))
    return found


def _of_clients(plan: Plan) -> list[Flow]:
    row = cloud(plan)
    found = [_https(CLIENTS, plan.names.service_name, "policy, inventory, updates")]
    if has_own_domain(plan):
        found.append(_https(CLIENTS, deployment_name(plan), "where the CNAME record leads"))
    if plan.content.enabled:
        found.append(_https(CLIENTS, f"{plan.names.prefix}.blob.{row.storage_suffix}", "downloads content directly"))
    if ClientAuthentication.ENTRA in plan.clients.authentication:
        found.append(_https(CLIENTS, row.authority, "Entra tokens of device and user"))
    return found


def _of_gateway(plan: Plan) -> list[Flow]:
    row = cloud(plan)
    vault = f"{plan.names.prefix}.{row.vault_suffix}"
    found = [_https(GATEWAY, vault, "server certificate, now and after each renewal")]
    if ClientAuthentication.ENTRA in plan.clients.authentication:
        found.append(_https(GATEWAY, row.authority, "keys that verify Entra tokens"))
    return found


def _of_administrator(plan: Plan) -> list[Flow]:
    row = cloud(plan)
    found = [_https(ADMINISTRATOR, row.authority, "signs in")]
    if plan.target is Target.CONFIGMGR:
        why = "sign-in pages within the Configuration Manager console"
        found += [_https(ADMINISTRATOR, name, why) for name in ("aadcdn.msauth.net", "aadcdn.msftauth.net")]
        return found
    return [
        *found,
        _https(ADMINISTRATOR, row.resource_manager, "checks and deploys"),
        _https(ADMINISTRATOR, row.graph, "registers applications"),
        _https(ADMINISTRATOR, f"{plan.names.prefix}.{row.vault_suffix}", "brings the server certificate"),
        _https(ADMINISTRATOR, row.portal, "looks at what is there", optional=True),
    ]


NOTES_CONFIGMGR = (
    "Devices on the way must pass the methods HEAD, GET, CCM_POST, BITS_POST and PROPFIND.",
    "They must pass the headers Range, CCMClientID, CCMClientIDSignature, CCMClientTimestamp and "
    "CCMClientTimestampsSignature.",
    "Connections to the gateway must not be opened by TLS inspection: client certificates do not survive it.",
)
NOTES_CAUSEWAY = (
    "Connections to the gateway must not be opened by TLS inspection: tunnels and client certificates do not survive "
    "it.",
    "A web proxy must let CONNECT through to the tunnel ports, not only to 443, and must not cut connections that stay "
    "open.",
)


def notes(plan: Plan) -> tuple[str, ...]:
    """What a list of ports cannot say."""
    found = NOTES_CONFIGMGR if plan.target is Target.CONFIGMGR else NOTES_CAUSEWAY
    if client_certificates_wanted(plan) and plan.clients.verify_revocation:
        whose = "The gateway" if plan.target is Target.CONFIGMGR else "The site's server"
        found = (*found, f"{whose} fetches the revocation lists that client certificates name, by HTTP.")
    if plan.proxy.url:
        found = (*found, f"Servers reach the internet through the web proxy {plan.proxy.url}: set these rules there.")
    return found


def facts(plan: Plan) -> tuple[Fact, ...]:
    """The direction and the ports, and why."""
    first, last = tunnel_ports(plan)
    ports = str(first) if first == last else f"{first} to {last}"
    why = (
        "With one instance connection points use 443; with more, instance 1 has 10124, instance 2 has 10125, and so on."
        if plan.target is Target.CONFIGMGR
        else f"A tunnel to each of the {workers(plan.gateway.vm_size)} workers of each of "
        f"{plan.gateway.instances} instances, each on a port of its own."
    )
    return (
        Fact(
            TOPIC,
            "Inbound to the premises",
            "none",
            "Connection points dial out and hold their connections open; requests come back through them.",
        ),
        Fact(TOPIC, "Ports that connection points dial", f"TCP {ports}", why),
        Fact(
            TOPIC,
            "Outbound rules",
            f"{len(flows(plan))} rules",
            "`causeway plan firewall` prints them, as CSV, JSON or Markdown.",
        ),
    )
