"""DNS: whether the service name leads to the gateway, for whoever asks, and which authority may issue for it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver

from causeway.observability.checks import CheckResult
from causeway.plan.document import Plan
from causeway.plan.names import cname_record
from causeway.plan.values import CertificateSource
from causeway.preflight.dns_answers import Seen, Server, issuers, read_answer
from causeway.preflight.dns_results import ANSWER, caa_result, results, skipped_caa
from causeway.preflight.probe import Probe

PUBLIC = (Server("1.1.1.1"), Server("8.8.8.8"), Server("9.9.9.9"))
"""Resolvers on the internet that anybody may ask, of three operators."""

_STAGES = 8
_LONGEST_QUERY_S = 5.0

Ask = Callable[[Server, str, str, float], Awaitable[dns.message.Message]]
"""Asks a server for a name's records of a type, within seconds; raises ``DNSException`` or ``OSError``."""


def default_resolvers() -> tuple[Server, ...]:
    """Those on the internet, and this machine's own."""
    try:
        own = [str(address) for address in dns.resolver.Resolver().nameservers]
    except dns.exception.DNSException:
        own = []
    return tuple(dict.fromkeys((*PUBLIC, *map(Server, own))))


async def ask_server(server: Server, name: str, kind: str, timeout_s: float) -> dns.message.Message:
    """Ask by UDP, and by TCP where the answer is long."""
    query = dns.message.make_query(name, kind, use_edns=True)
    if server.authoritative:
        query.flags &= ~dns.flags.RD
    message, _ = await dns.asyncquery.udp_with_fallback(query, server.address, timeout_s, port=server.port)
    return message


@dataclass(frozen=True, slots=True)
class _Lookup:
    ask: Ask
    timeout_s: float

    async def seen(self, server: Server, name: str) -> Seen:
        try:
            return read_answer(server, name, await self.ask(server, name, "A", self.timeout_s))
        except (dns.exception.DNSException, OSError) as error:
            return Seen(server, trouble=f"no answer: {_first_line(error)}")

    async def message(self, server: Server, name: str, kind: str) -> dns.message.Message | None:
        try:
            return await self.ask(server, name, kind, self.timeout_s)
        except (dns.exception.DNSException, OSError):
            return None

    async def all_of(self, servers: Sequence[Server], name: str) -> list[Seen]:
        return list(await asyncio.gather(*(self.seen(server, name) for server in servers)))


def probes(
    plan: Plan,
    plan_file: Path,
    *,
    resolvers: Sequence[Server],
    authoritative: Sequence[Server] = (),
    timeout_s: float,
    ask: Ask = ask_server,
) -> tuple[Probe, ...]:
    """What to look at.

    Args:
        plan: the plan.
        plan_file: where it is, for the commands.
        resolvers: asked as devices ask.
        authoritative: the zone's own servers, where they are not to be looked for.
        timeout_s: for all.
        ask: puts a question.
    """
    lookup = _Lookup(ask, min(_LONGEST_QUERY_S, timeout_s / _STAGES))

    async def look() -> Sequence[CheckResult]:
        name, record = plan.names.service_name, cname_record(plan)
        seen = await lookup.all_of(resolvers, name)
        alive = [each.server for each in seen if not each.trouble]
        own: list[Seen] = []
        if record is not None:
            servers = tuple(authoritative) or await _authoritative(lookup, alive, record.zone)
            own = await lookup.all_of(servers, name)
        caa = await _caa(lookup, plan, alive)
        return [*results(plan, plan_file, seen, own), caa]

    return (Probe(ANSWER, plan.names.service_name, look),)


async def _authoritative(lookup: _Lookup, resolvers: Sequence[Server], zone: str) -> tuple[Server, ...]:
    """The zone's own servers, as the first resolver knows them that knows any; none where none does."""
    for resolver in resolvers[:2]:
        message = await lookup.message(resolver, zone, "NS")
        names = [
            each.target.to_text()
            for found in (message.answer if message else ())
            if found.rdtype == dns.rdatatype.NS
            for each in found
        ]
        answers = await asyncio.gather(*(lookup.seen(resolver, name) for name in sorted(names)))
        addresses = dict.fromkeys(address for each in answers for address in each.addresses)
        if addresses:
            return tuple(Server(address, authoritative=True) for address in addresses)
    return ()


async def _caa(lookup: _Lookup, plan: Plan, resolvers: Sequence[Server]) -> CheckResult:
    name = plan.names.service_name
    if plan.certificate.source is CertificateSource.OWN_PKI:
        return skipped_caa(name, "your own PKI issues the certificate, and CAA records bind public authorities only")
    if not resolvers:
        return skipped_caa(name, "no resolver answered")
    labels = name.split(".")
    places = [".".join(labels[index:]) for index in range(len(labels))]
    messages = await asyncio.gather(*(lookup.message(resolvers[0], place, "CAA") for place in places))
    for place, message in zip(places, messages, strict=True):
        if message is None:
            return skipped_caa(name, f"{resolvers[0]} did not answer the question for CAA records of {place}")
        if message.rcode() == dns.rcode.SERVFAIL:
            return caa_result(name, place, None, failed=True)
        found = issuers(message, wildcard=plan.certificate.wildcard)
        if found is not None:
            return caa_result(name, place, found)
    return caa_result(name, "", None)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
