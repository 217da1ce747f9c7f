"""Waits until a zone's own servers hold a record, so that the authority does not look too early."""

import time
from collections.abc import Callable, Sequence

import dns.exception
import dns.resolver

from causeway.pki.acme.challenge import Record
from causeway.pki.errors import AuthorityError

_PAUSE_S = 2.0


def wait_for(
    records: Sequence[Record],
    *,
    servers: Sequence[str] = (),
    timeout_s: float = 300.0,
    report: Callable[[str], None] = lambda _text: None,
) -> None:
    """Come back when every server of each record's zone answers with it.

    Args:
        records: what must be there.
        servers: IP addresses (``ADDRESS`` or ``ADDRESS:PORT``) to ask instead of the zone's own servers.
        timeout_s: for all of them.
        report: takes a line about what is waited for.

    Raises:
        AuthorityError: one is not there in time.
    """
    deadline = time.monotonic() + timeout_s
    for record in records:
        asked = [_address(server) for server in servers] or _authoritative(record.name)
        waiting = [server for server in asked if not _has(server, record)]
        while waiting:
            if time.monotonic() > deadline:
                raise AuthorityError(
                    f"{', '.join(address for address, _ in waiting)}: no TXT record {record.name} with the value "
                    f"{record.value} after {timeout_s:.0f} s; look with `dig TXT {record.name}`"
                )
            report(f"waiting for {record.name} at {', '.join(address for address, _ in waiting)}")
            time.sleep(_PAUSE_S)
            waiting = [server for server in waiting if not _has(server, record)]


def _authoritative(name: str) -> list[tuple[str, int]]:
    """The addresses of the servers of the zone that ``name`` is in."""
    try:
        zone = dns.resolver.zone_for_name(name)
        found = []
        for server in dns.resolver.resolve(zone, "NS"):
            for family in ("A", "AAAA"):
                try:
                    found += [(str(answer), 53) for answer in dns.resolver.resolve(server.target, family)]
                except dns.exception.DNSException:
                    continue
    except dns.exception.DNSException as error:
        raise AuthorityError(
            f"{name}: its zone's servers cannot be found ({error}); name some to ask with --dns-server"
        ) from error
    return found


def _address(server: str) -> tuple[str, int]:
    host, colon, port = server.rpartition(":")
    return (host, int(port)) if colon and port.isdigit() and ":" not in host else (server, 53)


def _has(server: tuple[str, int], record: Record) -> bool:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [server[0]]
    resolver.port = server[1]
    resolver.lifetime = 5
    try:
        answers = resolver.resolve(record.name, "TXT", search=False)
    except dns.exception.DNSException:
        return False
    return any(b"".join(answer.strings).decode("ascii", "replace") == record.value for answer in answers)
