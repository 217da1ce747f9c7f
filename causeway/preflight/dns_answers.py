"""What DNS servers say of a name, read out of their answers. Pure: no network."""

import ipaddress
from dataclasses import dataclass

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

_LONGEST_CHAIN = 16


@dataclass(frozen=True, slots=True)
class Server:
    """A DNS server to ask.

    Attributes:
        address: IPv4 or IPv6.
        port: UDP and TCP.
        authoritative: it is asked as one of the zone's own servers, and so not to ask others.
    """

    address: str
    port: int = 53
    authoritative: bool = False

    def __str__(self) -> str:
        if self.port == 53:  # DNS's port
            return self.address
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server says of a name.

    Attributes:
        server: who says it.
        targets: where the chain of CNAME records leads, one after the other; without final dots, in lower case.
        addresses: at its end.
        ttl_s: for how long the first record is kept; 0 where there is none.
        own: the answer comes out of a zone that the server holds itself (AA).
        trouble: why there is no answer; empty where there is one. "No such name" is an answer.
        missing: no such name, or no record of it; as DNS calls it.
    """

    server: Server
    targets: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    ttl_s: int = 0
    own: bool = False
    trouble: str = ""
    missing: str = ""

    @property
    def says(self) -> str:
        """The first step, by which servers are compared."""
        return self.targets[0] if self.targets else ", ".join(sorted(self.addresses)) or self.missing

    @property
    def is_inside(self) -> bool:
        """Whether a name leads to addresses that are not on the internet."""
        return any(not ipaddress.ip_address(address).is_global for address in self.addresses)


def read_answer(server: Server, name: str, message: dns.message.Message) -> Seen:
    """Follow the chain of ``name`` (RFC 1034, 3.6.2) through an answer to a question for its addresses."""
    rcode = message.rcode()
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return Seen(server, trouble=f"answers {dns.rcode.to_text(rcode)}")
    at, targets, ttl_s = dns.name.from_text(name), list[str](), None
    records = {(each.name, each.rdtype): each for each in message.answer}
    while (alias := records.get((at, dns.rdatatype.CNAME))) and len(targets) < _LONGEST_CHAIN:
        ttl_s = alias.ttl if ttl_s is None else ttl_s
        at = alias[0].target
        targets.append(at.to_text(omit_final_dot=True).lower())
    found = records.get((at, dns.rdatatype.A))
    if found is not None and ttl_s is None:
        ttl_s = found.ttl
    addresses = tuple(each.address for each in found or ())
    missing = "" if targets or addresses else ("no such name" if rcode == dns.rcode.NXDOMAIN else "no record")
    own = bool(message.flags & dns.flags.AA)
    return Seen(server, tuple(targets), addresses, ttl_s or 0, own, missing=missing)


def issuers(message: dns.message.Message, *, wildcard: bool) -> tuple[str, ...] | None:
    """The authorities that CAA records let issue (RFC 8659, 4.2 and 4.3).

    Returns:
        Their domains; empty where none may, and None where the answer has no such record.
    """
    records = [each for found in message.answer if found.rdtype == dns.rdatatype.CAA for each in found]
    if not records:
        return None
    by_tag: dict[str, list[str]] = {}
    for each in records:
        value = each.value.decode("ascii", "replace").partition(";")[0].strip()
        by_tag.setdefault(each.tag.decode("ascii", "replace").lower(), []).append(value)
    named = by_tag.get("issuewild") if wildcard and "issuewild" in by_tag else by_tag.get("issue")
    if named is None:
        return ("any",)
    return tuple(sorted({value for value in named if value}))
